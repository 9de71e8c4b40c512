"""Faults that change an answer on its way, and what the service is asked."""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.faults.exchange import Answer, Ending, Request, without
from tests.faults.kinds.call import Call, OfEvery

_TIME = re.compile(
    rb'((?:created|updated|(?:expires|issued|created|updated|launched)_at)": ?")'
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"
)
_FORM = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Slow(OfEvery):
    """A congested line: so many bytes a second both ways, until ``longest`` seconds are over."""

    bytes_per_second: int
    longest: float

    def play(self, call: Call) -> Answer:
        request = call.request
        if not request.is_small:
            request = replace(request, body=self._slowly(request.pieces()))
        answer = call.obey(request)
        return replace(answer, pieces=self._slowly(answer.pieces))

    def _slowly(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        step, end = max(1, self.bytes_per_second // 4), time.monotonic() + self.longest
        for piece in pieces:
            while piece and time.monotonic() < end:
                yield piece[:step]
                time.sleep(len(piece[:step]) / self.bytes_per_second)
                piece = piece[step:]
            if piece:
                yield piece


@dataclass(frozen=True)
class Cut:
    """A proxy whose buffer or time ran out: the body ends early.

    ``is_fitting``: the length says so too, as of an answer that was cut before it was measured;
    otherwise more was promised.  ``of_data``: the bytes of an image, or else any JSON.
    """

    is_fitting: bool
    of_data: bool

    def fits(self, request: Request) -> bool:
        return request.downloads if self.of_data else not request.of_data

    def play(self, call: Call) -> Answer:
        answer = call.obey(call.request)
        length = answer.length
        if answer.status >= 300 or not length or not (self.of_data or answer.is_json):
            return answer.unharmed
        kept = call.dice.randrange(length)
        cut = replace(answer, pieces=_up_to(kept, answer.pieces))
        if not self.is_fitting:
            return replace(cut, ending=Ending.CLOSED)
        return cut.with_header("Content-Length", str(kept))


def _up_to(size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


@dataclass(frozen=True)
class FlipData:
    """Memory or a cable that flips a bit, where no TLS is there to see it: only in the bytes of an
    image, whose hash tells."""

    def fits(self, request: Request) -> bool:
        return request.downloads

    def play(self, call: Call) -> Answer:
        answer = call.obey(call.request)
        if answer.status >= 300 or not answer.length:
            return answer.unharmed
        place, mask = call.dice.randrange(answer.length), 1 << call.dice.randrange(8)
        return replace(answer, pieces=_flipped(place, mask, answer.pieces))


def _flipped(place: int, mask: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if 0 <= place < len(piece):
            piece = piece[:place] + bytes([piece[place] ^ mask]) + piece[place + 1 :]
        place -= len(piece)
        yield piece


@dataclass(frozen=True)
class FlipJson:
    """The same in JSON, at a place that leaves no JSON.

    One that leaves another name or another ID is nothing that a client can see: that is what TLS
    is for.
    """

    def fits(self, request: Request) -> bool:
        return not request.of_data

    def play(self, call: Call) -> Answer:
        answer = call.obey(call.request)
        if answer.status >= 300 or not answer.is_json:
            return answer.unharmed
        body = answer.whole_body()
        broken = next((each for each in _flips(body, call.dice) if not _is_json(each)), None)
        return answer.with_body(body).unharmed if broken is None else answer.with_body(broken)


def _flips(body: bytes, dice: random.Random) -> Iterator[bytes]:
    for _ in range(200 if body else 0):
        place, mask = dice.randrange(len(body)), 1 << dice.randrange(8)
        yield body[:place] + bytes([body[place] ^ mask]) + body[place + 1 :]


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class RangeIgnored:
    """A store or a cache that knows no ranges: 200, and all from the first byte on."""

    def fits(self, request: Request) -> bool:
        return request.downloads and request.header("Range") is not None

    def play(self, call: Call) -> Answer:
        headers = without(call.request.headers, "Range")
        return call.obey(replace(call.request, headers=headers))


@dataclass(frozen=True)
class Clock(OfEvery):
    """A controller whose clock is off by so many hours: dates of answers, of objects, of tokens."""

    hours: float

    def play(self, call: Call) -> Answer:
        answer = call.obey(call.request)
        date = email.utils.formatdate(time.time() + self.hours * 3600, usegmt=True)
        answer = answer.with_header("Date", date)
        if not answer.is_json:
            return answer
        return answer.with_body(_TIME.sub(_moved(self.hours), answer.whole_body()))


def _moved(hours: float) -> Callable[[re.Match[bytes]], bytes]:
    def moved(found: re.Match[bytes]) -> bytes:
        when = datetime.strptime(found[2].decode(), _FORM) + timedelta(hours=hours)
        return found[1] + when.strftime(_FORM).encode()

    return moved


@dataclass(frozen=True)
class ShortToken:
    """An operator whose tokens live for less than a minute."""

    seconds: int

    def fits(self, request: Request) -> bool:
        return request.service == "keystone" and request.path.endswith("/auth/tokens")

    def play(self, call: Call) -> Answer:
        answer = call.obey(call.request)
        if answer.status >= 300 or not answer.is_json:
            return answer.unharmed
        content = json.loads(answer.whole_body())
        issued = datetime.fromisoformat(content["token"]["issued_at"])
        expires = issued + timedelta(seconds=self.seconds)
        content["token"]["expires_at"] = expires.strftime(f"{_FORM}.000000Z")
        return answer.with_body(json.dumps(content).encode())
