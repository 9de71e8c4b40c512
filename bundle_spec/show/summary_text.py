"""A summary of a bundle as text that can be printed on a terminal as it is.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bundle_spec.form import digest
from bundle_spec.show.summary import DiskSummary, Named, NotCarried, Summary, Totals
from bundle_spec.text import (
    LONGEST,
    as_word,
    filled,
    human_bytes,
    printable,
    quoted,
    table,
    width,
    wrapped,
)

_COLUMNS = (
    "disk", "format", "virtual", "size", "stored", "shared", "consistency", "captured", "what",
)  # fmt: skip
_SIZE_COLUMNS = frozenset({2, 3, 4, 5})
_FIRST_TEXT_COLUMN = 6
"""On a narrow terminal, the columns from here on go to a second line."""
_FILL_WIDTH = 92


def render(summary: Summary, columns: int | None = None) -> str:
    """The text of a summary; names that the tenant chose are quoted and stay on one line.

    ``columns``: the width of the terminal, None for no limit.  Where it is too narrow, lines are
    broken between words, and a disk takes two lines: its sizes, then its capture and its use.
    """
    return wrapped("\n".join(_lines(summary, columns)), columns)


def _lines(summary: Summary, columns: int | None) -> Iterator[str]:
    yield printable(
        f"{summary.path}: NOT verified: only both ends of the file were read; "
        "'verify' checks every byte"
    )
    head = list(_head(summary))
    yield from _table(head, columns)
    yield from _sections("resources", summary.resources, columns)
    yield from _sections("needed from the target", summary.references, columns)
    yield ""
    yield from _disks(summary.disks, summary.totals, columns)
    if summary.abandoned.disks:
        yield (
            f"  abandoned capture attempts, never imported: {summary.abandoned.disks}, "
            f"{human_bytes(summary.abandoned.stored)} stored"
        )
    if summary.user_data:
        names = ", ".join(_text(server.name) for server in summary.user_data)
        yield ""
        yield printable(f"user data, carried as it is: {names}")
    yield ""
    yield f"not carried: {len(summary.omissions)}"
    yield from map(_not_carried, summary.omissions)


def _head(summary: Summary) -> Iterator[tuple[str, str]]:
    source = summary.source
    region = f", region {_text(source.region)}" if source.region is not None else ""
    parts = f" in {summary.parts} parts" if summary.parts > 1 else ""
    yield "uuid", as_word(summary.uuid)
    yield (
        "format",
        f"{'.'.join(map(str, summary.version))}, written by {_text(summary.tool)}",
    )
    yield "created", as_word(summary.created)
    yield "source", f"{as_word(source.auth_url)}{region}"
    yield "project", f"{_text(source.project_name)} ({as_word(source.project_id)})"
    yield "manifest sha256", digest.grouped(summary.manifest_sha256)
    yield "signature", _signature(summary)
    yield "file", f"{human_bytes(summary.size)} ({summary.size:,} bytes){parts}"


def _signature(summary: Summary) -> str:
    if summary.signed_by:
        return f"by {summary.signed_by}"
    return "there is one; it was not checked" if summary.signed else "none"


def _table(rows: Sequence[Sequence[str]], columns: int | None, indent: str = "") -> Iterator[str]:
    """A table whose last column is wrapped within itself at the width of the terminal."""
    before = sum(max(map(width, column)) + 2 for column in list(zip(*rows, strict=True))[:-1])
    for line in table(rows):
        yield wrapped(indent + line, columns, before)


def _sections(
    title: str, sections: Mapping[str, Sequence[Named]], columns: int | None
) -> Iterator[str]:
    """How many there are of each type, and their names; an ID where one has no name."""
    yield ""
    yield f"{title}: {sum(map(len, sections.values()))}"
    for section, items in sections.items():
        if items:
            words = [printable(_named(item)) for item in items]
            words[0] = f"  {_words(section)} ({len(items)}): {words[0]}"
            first, *rest = filled(words, (columns or _FILL_WIDTH) - 4)
            yield first
            yield from (f"    {line}" for line in rest)


def _named(item: Named) -> str:
    if item.type == "availability_zone":
        # Compute and block storage have zones of their own, which often have the same name.
        return f"{_text(item.name)} ({as_word(item.id.partition('/')[0])})"
    return _text(item.name) if item.name else as_word(item.id)


def _disks(disks: Sequence[DiskSummary], totals: Totals, columns: int | None) -> Iterator[str]:
    yield f"disks: {len(disks)}"
    if not disks:
        return
    # The names come last: however long one is, the numbers stay below each other.
    rows = [_COLUMNS, *map(_row, disks)]
    lines = [f"  {line}" for line in table(rows, right=_SIZE_COLUMNS)]
    if columns is not None and max(map(width, lines)) > columns:
        lines = list(_in_two_lines(rows, columns))
    yield from lines
    yield f"  {human_bytes(totals.size)} in {human_bytes(totals.stored)}" + _saved(totals)


def _in_two_lines(rows: Sequence[Sequence[str]], columns: int) -> Iterator[str]:
    numbers = table([row[:_FIRST_TEXT_COLUMN] for row in rows], right=_SIZE_COLUMNS)
    words = _table([row[_FIRST_TEXT_COLUMN:] for row in rows], columns, indent="        ")
    for first, second in zip(numbers, words, strict=True):
        yield f"  {first}"
        yield second


def _row(disk: DiskSummary) -> tuple[str, ...]:
    used_by = ", ".join(
        f"{_words(user.type)} {_text(user.name or user.id)}" for user in disk.used_by
    )
    return (
        disk.id,
        as_word(disk.disk_format),
        "-" if disk.virtual_size is None else human_bytes(disk.virtual_size),
        human_bytes(disk.size),
        human_bytes(disk.stored),
        human_bytes(disk.shared),
        as_word(disk.consistency or "-"),
        as_word(disk.captured_at or "-"),
        used_by or "-",
    )


def _saved(totals: Totals) -> str:
    if totals.compression is None:
        return ""
    return (
        f": compression {totals.compression} to 1, "
        f"and {human_bytes(totals.shared)} saved by storing repeated chunks once"
    )


def _not_carried(omitted: NotCarried) -> str:
    name = _text(omitted.name) if omitted.name else as_word(omitted.id) if omitted.id else ""
    attribute = as_word(omitted.attribute) if omitted.attribute else ""
    what = " ".join(filter(None, (_words(as_word(omitted.type)), name, attribute)))
    return printable(f"  {what}: {_text(omitted.reason)}")


def _text(text: str) -> str:
    return quoted(text, LONGEST)


def _words(name: str) -> str:
    return name.replace("_", " ")
