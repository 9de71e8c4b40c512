"""SHA-256 over bytes and over streams, in the hex form that the format writes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Protocol


class Hash(Protocol):
    """A running digest, as hashlib makes it."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


def new() -> Hash:
    """A running SHA-256 to which no bytes have been added."""
    return hashlib.sha256()


def of(data: bytes | memoryview) -> str:
    """The digest of ``data``."""
    return hashlib.sha256(data).hexdigest()


def of_stream(pieces: Iterable[bytes]) -> str:
    """The digest of all ``pieces`` together; holds one piece at a time."""
    running = new()
    for piece in pieces:
        running.update(piece)
    return running.hexdigest()


def grouped(hexdigest: str) -> str:
    """The digest in groups of four digits, so that people can read it out and compare it."""
    return " ".join(hexdigest[start : start + 4] for start in range(0, len(hexdigest), 4))


def parse(text: str) -> str:
    """The digest that a person wrote, in groups or not, in either case.  Raises ValueError."""
    digits = re.sub(r"[\s:.-]", "", text).lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError(f"a digest has 64 hexadecimal digits, this has {len(digits)} characters")
    return digits


def tee(pieces: Iterable[bytes], running: Hash) -> Iterator[bytes]:
    """The same pieces, each added to ``running`` on the way."""
    for piece in pieces:
        running.update(piece)
        yield piece
