"""Add items to a resource file: every line that a person wrote in it stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import yaml

from bundle_spec.durable import BY_UMASK, write_atomically
from bundle_spec.errors import LocalError
from bundle_spec.text import printable
from downpour_export import resource_file
from downpour_export.errors import ResourceFileError, ResourceFileFaults
from downpour_export.resource_file import SECTIONS, Item, ResourceFile
from downpour_export.resource_file.insertion import NewItem, inserted
from downpour_export.resource_file.query import Match


def merged(
    text: str, there: ResourceFile, found: Iterable[Match], *, save_state: bool
) -> tuple[str, list[Match]]:
    """``text``, which says ``there``, with an item for each of ``found`` that has none yet.

    Also returns those that were added.  ``save_state`` False: new servers and volumes go without
    their contents.  Raises ResourceFileError where the text has no place for an item.
    """
    new = [match for match in found if not _is_there(match, there)]
    if not new:
        return text, []
    items: dict[str, list[NewItem]] = {}
    for match in new:
        items.setdefault(match.section, []).append(_item(match, save_state))
    out = inserted(text, items)
    wanted = _says(there)
    for section, own in items.items():
        wanted[section] += [Item(where="", **each.says) for each in own]
    try:
        right = _says(resource_file.parse(out, there.path)) == wanted
    except ResourceFileFaults:
        right = False
    if not right:  # a section that is an alias, say, or a last line that must not end
        raise ResourceFileError(
            "nothing can be added to the file as it is written",
            where=str(there.path),
            remedy="nothing was written; write its sections as "
            "docs/reference/resource-file.md has them",
        )
    return out, new


def _says(file: ResourceFile) -> dict[str, list[Item]]:
    """Its items, wherever they stand."""
    return {
        section: [replace(item, where="") for item in getattr(file, section)]
        for section in SECTIONS
    }


def _is_there(match: Match, there: ResourceFile) -> bool:
    return any(
        item.id == match.record.id or (match.by_name and item.name == match.record.name)
        for item in getattr(there, match.section)
    )


def _item(match: Match, save_state: bool) -> NewItem:
    record = match.record
    says: dict[str, object] = {"name": record.name} if match.by_name else {"id": record.id}
    if not save_state and match.section in ("servers", "volumes"):
        says["save_state"] = False
    return NewItem(says, remark="" if match.by_name else printable(record.name))


def load(path: Path) -> tuple[str, ResourceFile]:
    """A resource file that may not exist or be empty yet.

    Raises LocalError, and ResourceFileFaults with every mistake that it has already.
    """
    try:
        text = path.read_bytes().decode()  # not as text, which loses CRLF
    except FileNotFoundError:
        return "", ResourceFile(path=path)
    except (OSError, UnicodeDecodeError):
        resource_file.load(path)  # says what is wrong with it
        raise
    with suppress(yaml.YAMLError):
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None or node.value == "":  # nothing, or "---" and nothing
            return text, ResourceFile(path=path)
    return text, resource_file.parse(text, path)


def save(path: Path, text: str) -> None:
    """Replace the file, whole or not at all; its permissions stay.  Raises LocalError."""
    # What a link leads to is replaced, not the link.
    target = Path(os.path.realpath(path))
    try:
        write_atomically(target, text.encode(), mode=BY_UMASK, keep_mode=True)
    except OSError as exc:
        raise LocalError(f"cannot write the file: {exc.strerror}", where=str(path)) from exc
