"""SHA-256 over bytes and over streams, in the hex form that the format writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Protocol


class Hash(Protocol):
    """A running digest, as hashlib makes it."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


def new() -> Hash:
    """A running SHA-256 of nothing yet."""
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


def tee(pieces: Iterable[bytes], running: Hash) -> Iterator[bytes]:
    """The same pieces, each added to ``running`` on the way."""
    for piece in pieces:
        running.update(piece)
        yield piece
