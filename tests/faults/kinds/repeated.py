"""Faults of time: a request that arrives twice, or when nobody waits for it any more."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.exchange import NO_ANSWER, Answer, Request
from tests.faults.kinds.call import Call


class _OfPost:
    def fits(self, request: Request) -> bool:
        return request.method == "POST" and request.is_small and request.service != "keystone"


@dataclass(frozen=True)
class Twice(_OfPost):
    """A proxy that sends a POST again when the first backend is slow (nginx with
    ``proxy_next_upstream non_idempotent``): both obey, and the client hears the second."""

    def play(self, call: Call) -> Answer:
        call.obey(call.request).drain()
        return call.obey(call.request)


@dataclass(frozen=True)
class Late(_OfPost):
    """A POST that lies in a queue while the client is told that its connection broke, and is obeyed
    so many seconds later."""

    seconds: float

    def play(self, call: Call) -> Answer:
        call.later(self.seconds, lambda: call.obey(call.request).drain())
        return NO_ANSWER
