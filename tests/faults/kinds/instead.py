"""Faults that stand in the place of an answer."""

from __future__ import annotations

import email.utils
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from tests.faults.exchange import NO_ANSWER, Answer, Ending, Request
from tests.faults.kinds.call import Call, OfEvery

MOVED = "/moved-by-the-proxy"
"""Paths below this one are those without it: where a redirect leads to."""

_REDIRECTS = (301, 302, 307, 308)


def page(status: int, text: str) -> Answer:
    """An HTML page, as load balancers write them."""
    body = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\n"
    return Answer(status, (("Content-Type", "text/html"),)).with_body(body.encode())


@dataclass(frozen=True)
class Status(OfEvery):
    """A load balancer without a backend (502, 503, 504), a service that broke (500) or that has
    too much to do (429).

    ``is_obeyed``: the service did what was asked, and the answer came too late for the balancer, or
    the service broke behind it.
    """

    status: int
    retry_after: Literal["seconds", "date"] | None = None
    seconds: int = 2
    is_obeyed: bool = False

    def play(self, call: Call) -> Answer:
        if self.is_obeyed:
            call.obey(call.request).drain()
        answer = page(self.status, f"{self.status} {HTTPStatus(self.status).phrase}")
        if self.retry_after is None:
            return answer
        date = email.utils.formatdate(time.time() + self.seconds, usegmt=True)
        value = str(self.seconds) if self.retry_after == "seconds" else date
        return answer.with_header("Retry-After", value)


@dataclass(frozen=True)
class Reset(OfEvery):
    """A load balancer that restarts, a firewall that forgot the connection: before the service got
    the request, or behind it, so that nobody knows that it was obeyed."""

    is_obeyed: bool

    def play(self, call: Call) -> Answer:
        if self.is_obeyed:
            call.obey(call.request).drain()
        return NO_ANSWER


@dataclass(frozen=True)
class Stalled(OfEvery):
    """A host that lost its network, or a service whose workers all hang: the connection stands, and
    nothing comes; or the answer began, and nothing more comes."""

    is_begun: bool

    def play(self, call: Call) -> Answer:
        if not self.is_begun:
            return Answer(0, ending=Ending.STALLED)
        answer = call.obey(call.request)
        return Answer(answer.status, answer.headers, _first(answer), Ending.STALLED)


def _first(answer: Answer) -> list[bytes]:
    """The first half of the first piece, so that not even JSON is whole."""
    piece = next(iter(answer.pieces), b"")
    return [piece[: len(piece) // 2]]


@dataclass(frozen=True)
class Html(OfEvery):
    """A captive portal, a page of a web application firewall, or a maintenance page whose status
    somebody forgot."""

    def play(self, call: Call) -> Answer:
        return page(200, "Please stand by")


@dataclass(frozen=True)
class Unauthorized:
    """A token that was revoked, or whose key Keystone has rotated away, in the middle."""

    def fits(self, request: Request) -> bool:
        return request.service != "keystone"

    def play(self, call: Call) -> Answer:
        message = '{"error": {"code": 401, "message": "The request needs authentication."}}'
        return Answer(401, (("Content-Type", "application/json"),)).with_body(message.encode())


@dataclass(frozen=True)
class Redirect:
    """A load balancer that wants another path (allowed), or that sends to another host, as one does
    that a stranger has taken over: no token may go there."""

    is_elsewhere: bool

    def fits(self, request: Request) -> bool:
        return request.is_small

    def play(self, call: Call) -> Answer:
        place = call.elsewhere if self.is_elsewhere else call.home + MOVED
        answer = page(call.dice.choice(_REDIRECTS), "Moved")
        return answer.with_header("Location", place + call.request.target)


@dataclass(frozen=True)
class Down(OfEvery):
    """A service that restarts: connections are refused, or its load balancer answers 503."""

    seconds: float
    is_refused: bool

    def play(self, call: Call) -> Answer:
        call.go_down(self.seconds, self.is_refused)
        return NO_ANSWER if self.is_refused else page(503, "503 Service Unavailable")
