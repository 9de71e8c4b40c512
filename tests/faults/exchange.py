"""One request and its answer, as faults see them: no sockets here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

Headers = tuple[tuple[str, str], ...]

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_DATA = re.compile(r"/v2/images/[^/]+/file")


class Ending(Enum):
    """What becomes of the connection behind the last byte that is written."""

    KEPT = "it stays, for the next request"
    CLOSED = "it is closed, whatever was promised (FIN)"
    RESET = "it is reset (RST)"
    STALLED = "it stays open, and nothing more comes"


@dataclass(frozen=True)
class Request:
    """``target``: path and query.  ``body``: whole where it is small, else what comes piece by
    piece; ``length``: its bytes where they were told."""

    service: str
    method: str
    target: str
    headers: Headers = ()
    body: bytes | Iterator[bytes] = b""
    length: int | None = None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def shape(self) -> str:
        """The path with ``{id}`` for each ID: what is the same in the next run."""
        return _ID.sub("{id}", self.path)

    @property
    def of_data(self) -> bool:
        """Whether the bytes of an image are moved, up or down."""
        return self.service == "glance" and _DATA.fullmatch(self.path) is not None

    @property
    def downloads(self) -> bool:
        return self.of_data and self.method == "GET"

    @property
    def is_small(self) -> bool:
        """Whether the body is at hand, so that it can be sent once more or later."""
        return isinstance(self.body, bytes)

    def header(self, name: str) -> str | None:
        return header(self.headers, name)

    def pieces(self) -> Iterator[bytes]:
        if isinstance(self.body, bytes):
            return iter([self.body] if self.body else [])
        return self.body


@dataclass(frozen=True)
class Answer:
    """``status`` 0: not one byte is written.  ``pieces``: the body.  ``is_harmed``: False where
    the fault found nothing that it could harm."""

    status: int
    headers: Headers = ()
    pieces: Iterable[bytes] = field(default=(), repr=False)
    ending: Ending = Ending.KEPT
    reason: str = ""
    is_harmed: bool = True

    def header(self, name: str) -> str | None:
        return header(self.headers, name)

    @property
    def length(self) -> int | None:
        told = self.header("Content-Length")
        return int(told) if told is not None and told.isdigit() else None

    @property
    def is_json(self) -> bool:
        return (self.header("Content-Type") or "").startswith("application/json")

    @property
    def unharmed(self) -> Answer:
        return replace(self, is_harmed=False)

    def with_header(self, name: str, value: str) -> Answer:
        return replace(self, headers=(*without(self.headers, name), (name, value)))

    def with_body(self, body: bytes) -> Answer:
        """Another body, with the length that fits."""
        return replace(self, pieces=[body]).with_header("Content-Length", str(len(body)))

    def whole_body(self) -> bytes:
        """Of JSON, which is bounded where it is read."""
        return b"".join(self.pieces)

    def drain(self) -> None:
        """Read the body and throw it away: the service has answered, and nobody hears it."""
        for _ in self.pieces:
            pass


NO_ANSWER = Answer(0, ending=Ending.RESET)


def header(headers: Headers, name: str) -> str | None:
    return next((value for each, value in headers if each.lower() == name.lower()), None)


def without(headers: Headers, *names: str) -> Headers:
    gone = {name.lower() for name in names}
    return tuple(each for each in headers if each[0].lower() not in gone)
