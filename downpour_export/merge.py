"""Add items to a resource file as a person would: its comments, order and settings stay."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bundle_spec.errors import LocalError
from bundle_spec.text import printable
from downpour_export import resource_file
from downpour_export.query import Match
from downpour_export.resource_file import ResourceFile

_WIDTH = 1 << 16


def merged(
    text: str, there: ResourceFile, found: Iterable[Match], *, save_state: bool
) -> tuple[str, list[Match]]:
    """``text``, which says ``there``, with an item for each of ``found`` that has none yet.

    Also returns those that were added.  ``save_state`` False: new servers and volumes go without
    their contents.
    """
    new = [match for match in found if not _is_there(match, there)]
    if not new:
        return text, []
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = _WIDTH  # a long line of the person's stays one
    sequence, offset = _layout(text)
    editor.indent(mapping=2, sequence=sequence, offset=offset)
    root = editor.load(text)
    before = ""
    if root is None:  # comments alone
        root = CommentedMap()
        before = text if not text or text.endswith("\n") else text + "\n"
    for match in new:
        if root.get(match.section) is None:
            root[match.section] = CommentedSeq()
        root[match.section].append(_item(match, save_state))
    out = io.StringIO()
    editor.dump(root, out)
    return before + out.getvalue(), new


def _layout(text: str) -> tuple[int, int]:
    """The columns of an item and of its dash as the file has them, else as the documentation."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for _, node in root.value if root is not None else ():
        if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
            dash: int = node.start_mark.column
            return max(node.value[0].start_mark.column, dash + 2), dash
    return 4, 2


def _is_there(match: Match, there: ResourceFile) -> bool:
    return any(
        item.id == match.record.id or (match.by_name and item.name == match.record.name)
        for item in getattr(there, match.section)
    )


def _item(match: Match, save_state: bool) -> CommentedMap:
    item = CommentedMap()
    if match.by_name:
        item["name"] = _scalar(match.record.name)
    else:
        item["id"] = _scalar(match.record.id)
        if match.record.name:
            item.yaml_add_eol_comment(printable(match.record.name), "id")
    if not save_state and match.section in ("servers", "volumes"):
        item["save_state"] = False
    return item


def _scalar(text: str) -> str:
    """Plain where every reader of YAML takes that for the same string, else quoted."""
    plain = yaml.safe_dump(text, allow_unicode=True, width=_WIDTH).removesuffix("\n...\n")
    return text if plain == text else DoubleQuotedScalarString(text)


def load(path: Path) -> tuple[str, ResourceFile]:
    """A resource file that may not exist or be empty yet.

    Raises LocalError, and ResourceFileFaults with every mistake that it has already.
    """
    try:
        text = path.read_text(encoding="utf-8")
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
        fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with open(fd, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(fd)
            os.chmod(name, _mode(target))
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as exc:
        raise LocalError(f"cannot write the file: {exc.strerror}", where=str(path)) from exc


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o7777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
