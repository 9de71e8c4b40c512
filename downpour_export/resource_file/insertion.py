"""Insert items into the text of a resource file without changing its other lines.

Pure.  Unusual YAML may come out wrong, so the caller must parse the new text and compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_WIDTH = 1 << 16  # one line for each key
_LINE_END = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


@dataclass(frozen=True)
class NewItem:
    """``fields``: key -> value.  ``remark``: a comment on its first line, but not in flow style."""

    fields: Mapping[str, Any]
    remark: str = ""


@dataclass(frozen=True)
class _Edit:
    """Put ``text`` in place of what is from ``start`` to ``end``, or ``lines`` before ``start``."""

    start: int
    end: int
    text: str = ""
    lines: tuple[str, ...] = ()


def inserted(text: str, new: Mapping[str, Sequence[NewItem]]) -> str:
    """``text`` with new items at the ends of their sections; missing sections are appended.

    ``text`` is a document that ``yaml_reader`` takes.  An existing line changes only where a
    section or the root is in flow style (``[…]``, ``{…}``), or a section is ``null``.  Raises
    yaml.YAMLError.
    """
    page = _Page(text)
    edits = [page.add(section, items) for section, items in new.items() if page.has(section)]
    missing = {section: items for section, items in new.items() if not page.has(section)}
    if missing:
        edits.append(page.append(missing))
    out, done = "", 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        out += text[done : edit.start]
        if edit.lines:
            end = _line_end(text, edit.start)
            if out.removeprefix(_BOM) and not out.endswith(("\r", "\n")):
                out += end
            out += "".join(line + end for line in edit.lines)
        out += edit.text
        done = edit.end
    return out + text[done:]


def _line_end(text: str, at: int) -> str:
    """The line end to use at ``at``: that of the line above, since a file may mix them, or of the
    first line."""
    above = _LINE_END.findall(text[:at])
    first = _LINE_END.search(text)
    return above[-1] if above else first[0] if first else "\n"


class _Page:
    """Where the sections of a text begin and end.

    It uses tokens, because a composed node ends only where the next node begins, below the comments
    between them.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(yaml.scan(text, Loader=yaml.SafeLoader))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        self._root = root if isinstance(root, yaml.MappingNode) else None
        self._sections = {key.value: node for key, node in self._root.value} if self._root else {}
        self._flow = self._root is not None and bool(self._root.flow_style)
        starts = (token for token in self._tokens if isinstance(token, yaml.BlockMappingStartToken))
        first = next(starts, None)
        self._column: int = first.start_mark.column if first and not self._flow else 0
        self._dash, self._gap = self._layout()

    def has(self, section: str) -> bool:
        return section in self._sections

    def append(self, new: Mapping[str, Sequence[NewItem]]) -> _Edit:
        """The edit that appends missing sections."""
        if self._root is not None and self._flow:
            added = (f"{section}: {_flow(items)}" for section, items in new.items())
            return self._in_flow(self._root, ", ".join(added))
        lines: list[str] = []
        for section, items in new.items():
            lines.append(" " * self._column + f"{section}:")
            lines += _block(items, self._dash, self._gap)
        return _Edit(self._end(), self._end(), lines=tuple(lines))

    def add(self, section: str, items: Sequence[NewItem]) -> _Edit:
        """The edit that adds items to an existing section."""
        node = self._sections[section]
        if isinstance(node, yaml.SequenceNode):
            if node.flow_style:
                return self._in_flow(node, _flow(items)[1:-1])
            at = self._below(node)
            return _Edit(at, at, lines=_block(items, *self._dash_of(node)))
        start, end = node.start_mark.index, node.end_mark.index
        if node.value or self._flow:  # "servers: null": it has to go
            return _Edit(start, end, text=f"{'' if end > start else ' '}{_flow(items)}")
        at = self._next_line(end)
        return _Edit(at, at, lines=_block(items, self._dash, self._gap))

    def _layout(self) -> tuple[int, int]:
        """The column of a dash, and the columns from it to its item: as in the first block section
        of the file, else as in the documentation."""
        for node in self._sections.values():
            if isinstance(node, yaml.SequenceNode) and not node.flow_style:
                return self._dash_of(node)
        return self._column + 2, 2

    def _dash_of(self, node: yaml.Node) -> tuple[int, int]:
        for dash, item in zip(self._tokens, self._tokens[1:], strict=False):
            mark = dash.start_mark
            if isinstance(dash, yaml.BlockEntryToken) and mark.index >= node.start_mark.index:
                same_line = item.start_mark.line == mark.line
                return mark.column, item.start_mark.column - mark.column if same_line else 2
        return self._column + 2, 2

    def _below(self, node: yaml.Node) -> int:
        """The start of the line below the last item and the comments that belong to it."""
        last = self._last(node, node.end_mark.index)
        at: int = last.end_mark.index
        if not (isinstance(last, yaml.ScalarToken) and last.style in ("|", ">")):
            at = self._next_line(at)
        # A comment right below belongs to the item if it is indented deeper than the section key
        # ("# snapshots: true"); otherwise it may be the heading of the next section.
        comments = re.compile(rf"(?: {{{self._column + 1},}}#[^\r\n]*(?:\r\n|\r|\n|\Z))*")
        match = comments.match(self._text, at)
        return match.end() if match else at

    def _in_flow(self, node: yaml.Node, text: str) -> _Edit:
        """The edit that adds ``text`` after the last item, before comments and the bracket."""
        last = self._last(node, node.end_mark.index - 1)
        at = last.end_mark.index
        if isinstance(last, yaml.FlowEntryToken):
            text = f" {text}"
        elif not isinstance(last, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            text = f", {text}"
        return _Edit(at, at, text=text)

    def _last(self, node: yaml.Node, end: int) -> yaml.Token:
        """The last token of a node that is not empty (as the ends of blocks are)."""
        return [
            token
            for token in self._tokens
            if node.start_mark.index <= token.start_mark.index < token.end_mark.index <= end
        ][-1]

    def _next_line(self, at: int) -> int:
        match = _LINE_END.search(self._text, at)
        return match.end() if match else len(self._text)

    def _end(self) -> int:
        """The end of the document: of the file, or where ``...`` stands."""
        for token in self._tokens:
            if isinstance(token, yaml.DocumentEndToken):
                return int(token.start_mark.index)
        return len(self._text)


class _Dumper(yaml.SafeDumper):
    """Writes strings plain where YAML 1.1 and 1.2 both read them as strings, else quoted."""

    def choose_scalar_style(self) -> str:
        # Single quotes may fold over lines; double quotes have an escape for all that does.
        return '"' if super().choose_scalar_style() == "'" else super().choose_scalar_style()


# Numbers only in YAML 1.2: 1e3, 0o7, 0815.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+)$"),
    list("-+.0123456789"),
)


def _dump(value: object, *, flow: bool) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=flow,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDTH,
    )
    return text.removesuffix("\n")


def _flow(items: Iterable[NewItem]) -> str:
    return "[" + ", ".join(_dump(dict(item.fields), flow=True) for item in items) + "]"


def _block(items: Iterable[NewItem], column: int, gap: int) -> tuple[str, ...]:
    lines: list[str] = []
    for item in items:
        first, *more = _dump(dict(item.fields), flow=False).split("\n")
        remark = f"  # {item.remark}" if item.remark else ""
        lines.append(" " * column + "-".ljust(gap) + first + remark)
        lines += (" " * (column + gap) + line for line in more)
    return tuple(lines)
