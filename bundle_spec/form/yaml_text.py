"""What can be told of YAML before it is parsed: its size, its characters, its head.  Pure."""

from __future__ import annotations

import re

from bundle_spec.form.places import Position
from bundle_spec.text import human_bytes

_BREAK = r"(?:\r\n|[\r\n\x85\u2028\u2029])"
_BLANK = rf"(?:[ \t]*+(?:#[^\r\n\x85\u2028\u2029]*+)?+{_BREAK})*+"
_VERSION = rf"%YAML[ ]1\.[12](?:[ ]++(?:#[^\r\n\x85\u2028\u2029]*+)?+)?+{_BREAK}"
_HEAD = re.compile(rf"{_BLANK}(?:{_VERSION})?+{_BLANK}")
_REST = re.compile(rf"{_BLANK}[ \t]*+(?:#[^\r\n\x85\u2028\u2029]*+)?+\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")


class Refused(Exception):
    """The document cannot be read further; ``position`` None: the file as a whole."""

    def __init__(self, message: str, position: Position | None, remedy: str | None = None):
        super().__init__(message)
        self.message, self.position, self.remedy = message, position, remedy


def text_of(data: bytes, limit: int) -> str:
    """The characters of a file, without a byte order mark.

    Raises Refused for more than ``limit`` bytes, other than UTF-8, characters that YAML may not
    have, and any directive but ``%YAML``.
    """
    if len(data) > limit:
        raise Refused(f"the file is larger than {human_bytes(limit)}", None)
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise Refused(f"not UTF-8 at byte {exc.start}", None) from exc
    if found := _CONTROL.search(text):
        message = f"not YAML: the control character U+{ord(found[0]):04X}"
        raise Refused(message, _position(text, found.start()))
    # Of %TAG libyaml takes a time that grows with the square of their number, in one event.
    head = _HEAD.match(text)
    if head and text.startswith("%", head.end()):
        message = "a directive other than %YAML 1.1 or 1.2 is not read"
        raise Refused(message, _position(text, head.end()))
    return text


def require_no_more(text: str, end: int) -> None:
    """Raises Refused where behind ``end``, the end of a document, there is more than comments.

    By hand: the parser would read the directives of a second document first.
    """
    if not _REST.match(text, end):
        blank = re.compile(rf"{_BLANK}[ \t]*+").match(text, end)
        begin = blank.end() if blank else end
        message = "not YAML: a second document begins"
        raise Refused(message, _position(text, begin), "a file holds one")


def _position(text: str, index: int) -> Position:
    line, start = 1, 0
    for end in re.finditer(_BREAK, text[:index]):
        line, start = line + 1, end.end()
    return line, index - start + 1
