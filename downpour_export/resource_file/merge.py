"""Add items to a resource file: every line that a person wrote in it stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml

from bundle_spec.durable import BY_UMASK, write_atomically
from bundle_spec.form import yaml_reader
from bundle_spec.medium import local_error
from bundle_spec.read import yaml_file
from bundle_spec.text import printable
from downpour_export import resource_file
from downpour_export.errors import ResourceFileError, ResourceFileFaults
from downpour_export.resource_file import SECTIONS, Item, ResourceFile
from downpour_export.resource_file.insertion import NewItem, inserted
from downpour_export.resource_file.query import Match


def merged(
    text: str, existing: ResourceFile, matches: Iterable[Match], *, save_state: bool
) -> tuple[str, list[Match]]:
    """``text``, which parses to ``existing``, with an item for each of ``matches`` that lacks one.

    Also returns the matches that were added.  ``save_state`` False: servers and volumes are added
    without their contents.  Raises ResourceFileError where the text has no place for an item.
    """
    new = [match for match in matches if not _is_listed(match, existing)]
    if not new:
        return text, []
    items: dict[str, list[NewItem]] = {}
    for match in new:
        items.setdefault(match.section, []).append(_item(match, save_state))
    wanted = _items_of(existing)
    for section, added in items.items():
        wanted[section] += [Item(where="", **item.fields) for item in added]
    try:
        out = inserted(text, items)
        right = _items_of(resource_file.parse(out, existing.path)) == wanted
    except (ResourceFileFaults, yaml.YAMLError):  # PyYAML's own parser knows fewer uses of tabs
        right = False
    if not right:  # a last line that must not end, say
        raise ResourceFileError(
            "nothing can be added to the file as it is written",
            where=str(existing.path),
            remedy="nothing was written; write its sections as "
            "docs/reference/resource-file.md has them",
        )
    return out, new


def _items_of(file: ResourceFile) -> dict[str, list[Item]]:
    """The items of each section, without their places."""
    return {
        section: [replace(item, where="") for item in getattr(file, section)]
        for section in SECTIONS
    }


def _is_listed(match: Match, existing: ResourceFile) -> bool:
    return any(
        item.id == match.record.id or (match.by_name and item.name == match.record.name)
        for item in getattr(existing, match.section)
    )


def _item(match: Match, save_state: bool) -> NewItem:
    record = match.record
    fields: dict[str, object] = {"name": record.name} if match.by_name else {"id": record.id}
    if not save_state and match.section in ("servers", "volumes"):
        fields["save_state"] = False
    return NewItem(fields, remark="" if match.by_name else printable(record.name))


def load(path: Path) -> tuple[str, ResourceFile]:
    """A resource file that may not exist or be empty yet.

    Raises LocalError, and ResourceFileFaults with every mistake in it.
    """
    try:
        data = yaml_file.read_bytes(path)
    except FileNotFoundError:
        return "", ResourceFile(path=path)
    except OSError as exc:
        raise local_error("cannot read the resource file", exc, path) from exc
    document = yaml_reader.read(data, str(path), ResourceFileError)
    if document.value is None and not document.faults:  # nothing, or "---" and nothing
        return data.decode(), ResourceFile(path=path)
    wanted = resource_file.decode(document, path)
    return data.decode(), wanted


def save(path: Path, text: str) -> None:
    """Replace the file atomically and keep its permissions.  Raises LocalError."""
    # If it is a symbolic link, its target is replaced and the link stays.
    target = Path(os.path.realpath(path))
    try:
        write_atomically(target, text.encode(), mode=BY_UMASK, keep_mode=True)
    except OSError as exc:
        raise local_error("cannot write the file", exc, path) from exc
