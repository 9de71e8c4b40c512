"""The one form of a JSON document of a bundle [M-2], written and compared in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
_TOKENS = re.compile(rb'(?s)"(?:[^"\\]|\\.)*+"|[\[{,]')
_JOINED = 4096
"""Pieces of the encoder that are compared at once."""


def dumps(value: Any) -> bytes:
    """Canonical JSON [M-2]: UTF-8, sorted keys, one space of indent, one final newline."""
    return b"".join(_pieces(value))


def is_form_of(data: bytes, value: Any) -> bool:
    """Whether ``data`` is the canonical form of ``value``, which is never held whole.

    Raises UnicodeEncodeError for a text with half of a surrogate pair.
    """
    position = 0
    for piece in _pieces(value):
        if not data.startswith(piece, position):
            return False
        position += len(piece)
    return position == len(data)


def has_more_signs(data: bytes, limit: int) -> bool:
    """Whether a JSON document has more than ``limit`` commas and opening brackets outside of texts,
    so that whoever parses it would make more values than that.

    A line of a canonical document has at most two of them: ``[],``.
    """
    # Texts have them too, but rarely so many: only then the document is gone through.
    if data.count(b",") + data.count(b"[") + data.count(b"{") <= limit:
        return False
    signs = (match[0] for match in _TOKENS.finditer(data) if not match[0].startswith(b'"'))
    return next(islice(signs, limit, None), None) is not None


def _pieces(value: Any) -> Iterator[bytes]:
    # Encoded before they are joined: one rare letter makes a text four times as large as its bytes.
    pieces = map(str.encode, _ENCODER.iterencode(value))
    while joined := b"".join(islice(pieces, _JOINED)):
        yield joined
    yield b"\n"
