"""Text for people: sizes, tables, lines, and text of others that cannot pass for ours.  Pure.

What a bundle, a medium or a cloud says is data.  ``printable`` keeps it from driving a terminal,
``as_word`` from reading as a sentence of our own, and ``json_text`` is both for programs.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

MAX_MARKS = 4
"""Combining marks on one character: more than any script puts there."""

# Letters and marks that show nothing: fillers, variation selectors, the blank of Braille (Unicode,
# "Default_Ignorable_Code_Point"; the rest of these are no printable characters to Python).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_WORD = re.compile(r"[\w./:@+~=%#-]+")


def printable(text: str) -> str:
    """``text`` with what is not to be seen escaped (a line end as ``\\n``).

    So it stays on one line, cannot drive a terminal or turn the direction of writing, differs to
    the eye from every other text, and keeps to its own line: of combining marks only MAX_MARKS stay
    on one character.  What was printable stays as it is, so that it may go through here twice.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(text))


def _visible(text: str) -> Iterator[str]:
    marks = MAX_MARKS  # one at the beginning would go to what stands before the text
    for char in text:
        marks = marks + 1 if _is_mark(char) else 0
        shown = char.isprintable() and marks <= MAX_MARKS and not _INVISIBLE.match(char)
        if not shown and not marks:
            marks = MAX_MARKS
        yield char if shown else ascii(char)[1:-1]


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me")


def printable_lines(text: str) -> str:
    """The same of text whose line feeds are ours."""
    return "\n".join(map(printable, text.split("\n")))


LONGEST = 255
"""At most so many characters of a name or text from outside are shown: as many as OpenStack takes
for a name."""

QUOTED = 60
"""And of one that stands in a sentence."""


def as_word(text: str, most: int = LONGEST) -> str:
    """Data amid words of ours: as it is where it is one word, else in quotes that nothing in it
    ends.  So it can never read as more words of ours.  Cut to ``most`` characters."""
    return text if len(text) <= most and _WORD.fullmatch(text) else quoted(text, most)


def quoted(text: str, most: int = QUOTED) -> str:
    """``text`` from outside in quotes, as Python writes it, its first ``most`` characters."""
    return repr(text[:most]) + "..." * (len(text) > most)


def shortened(text: str, most: int = QUOTED) -> str:
    """``text`` from outside, printable, its first ``most`` characters."""
    return printable(text[:most]) + "..." * (len(text) > most)


def json_text(value: Any) -> str:
    """JSON for a terminal or a file, in visible ASCII only, on several lines."""
    # json leaves DEL as it is, which is ASCII too.
    return json.dumps(value, indent=1).replace("\x7f", "\\u007f")


def outline(value: object, length: int = 40) -> str:
    """The beginning of a JSON value, in ASCII, cut to ``length`` characters.

    However large it is, no more of it is looked at.
    """
    found = ""
    for token in _tokens(value, length):
        found += token
        if len(found) > length:
            return found[: length - 3] + "..."
    return found


def _tokens(value: object, length: int) -> Iterator[str]:
    """The JSON of ``value``, piece by piece; of a string no more than shows that it is longer."""
    if isinstance(value, dict):
        for number, (key, item) in enumerate(value.items()):
            yield ", " if number else "{"
            yield from _tokens(key, length)
            yield ": "
            yield from _tokens(item, length)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield ", " if number else "["
            yield from _tokens(item, length)
        yield "]" if value else "[]"
    elif isinstance(value, str):
        yield json.dumps(value[:length])
    else:
        yield _scalar(value)


def _scalar(value: object) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError):  # a task of a playbook may hold a date, or too many digits
        return f"a {type(value).__name__}"


_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)(i?)B?")


def parse_size(text: str) -> int:
    """``4G`` -> 4,000,000,000, as media are sold; ``4Gi`` -> 4,294,967,296.  Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if not match or (match[3] and not match[2]):
        raise ValueError(f"{text!r} is not a size such as 4G, 700M or 4GiB")
    return int(match[1]) * int((1024 if match[3] else 1000) ** _UNITS[match[2]])


def human_bytes(size: float) -> str:
    """``1536`` -> ``1.5 KiB``."""
    if size < 1024:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def counted(number: int, thing: str) -> str:
    """``1 disk``, ``2 disks``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def some_of(names: Sequence[str], most: int) -> str:
    """``'a', 'b' and 38 more``: the names that are not empty, at most ``most`` of them."""
    named = [name for name in names if name]
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(quoted(name, LONGEST) for name in named[:most]) + more


def width(text: str) -> int:
    """The columns that a terminal needs for printable text."""
    return sum(
        0 if _is_mark(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> Iterator[str]:
    """Lines with aligned columns, printable; the columns ``right`` are numbers, set right."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (
            fill + cell if number in right else cell + fill
            for number, cell in enumerate(row)
            for fill in [" " * (widths[number] - width(cell))]
        )
        yield "  ".join(padded).rstrip()


def wrapped(text: str, columns: int | None, hang: int = 4) -> str:
    """The text with every line on lines of at most ``columns``; None: as it is.

    Lines are broken between words only: a word that is longer stays whole.  The continuation of a
    line is indented by ``hang`` columns more than the line.
    """
    if columns is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in _broken(line, columns, hang))


def _broken(line: str, columns: int, hang: int) -> Iterator[str]:
    begin = len(line) - len(line.lstrip(" "))
    indent = " " * (begin + hang)
    while width(line) > columns and (blank := _break(line, columns, begin)) is not None:
        yield line[:blank].rstrip(" ")
        line = indent + line[blank:].lstrip(" ")
        begin = len(indent)
    yield line


def _break(line: str, columns: int, begin: int) -> int | None:
    """Where to break: the last blank after ``begin`` with at most ``columns`` before it, else the
    first blank after ``begin``, else None."""
    blanks = [index for index, char in enumerate(line) if char == " " and index > begin]
    fitting = [blank for blank in blanks if width(line[:blank]) <= columns]
    return fitting[-1] if fitting else next(iter(blanks), None)


def filled(words: Iterable[str], columns: int = 88) -> list[str]:
    """The words, with commas between them, on lines of at most ``columns`` (a word is not cut)."""
    lines: list[str] = []
    for word in words:
        if lines and width(lines[-1]) + width(word) + 3 <= columns:
            lines[-1] += f", {word}"
        else:
            if lines:
                lines[-1] += ","
            lines.append(word)
    return lines
