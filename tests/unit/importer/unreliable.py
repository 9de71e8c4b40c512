"""A way to a cloud on which one request goes wrong: obeyed without an answer, delivered twice, or
delivered late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions

from tests.unit.fake_cloud import Call
from tests.unit.importer.every_type import Cloud, Killed

REPEATED = ("PUT", "DELETE")
"""What the session sends again by itself where it got no answer; a stream is used up."""

Deliver = Callable[[], Any]


class Unreliable:
    """What happens to the ``number``-th request that writes, or with ``posts`` that makes."""

    def __init__(self, cloud: Cloud, number: int, *, posts: bool = False) -> None:
        self.met: Call | None = None
        """The request, once it came."""
        self._left = number
        self._posts = posts
        self._late: list[tuple[int, Deliver]] = []
        self._deliver = cloud.request
        cloud.request = self._request  # type: ignore[method-assign]

    def _request(self, call: Call, stream: bool) -> Any:
        self._late = [(after - 1, deliver) for after, deliver in self._late]
        for after, deliver in self._late:
            if after == 0:
                deliver()
        counts = call.method == "POST" if self._posts else call.method != "GET"
        self._left -= counts
        if self._left != 0 or not counts:
            return self._deliver(call, stream)
        self.met = call
        return self.goes_wrong(call, lambda: self._deliver(call, stream))

    def goes_wrong(self, call: Call, deliver: Deliver) -> Any:
        raise NotImplementedError

    def later(self, requests: int, deliver: Deliver) -> None:
        """Have it arrive right before the request after so many others."""
        self._late.append((requests, deliver))

    def no_more(self) -> None:
        """Have nothing go wrong from here on."""
        self._left = 0

    def end(self) -> None:
        """Have everything arrive that is under way."""
        for after, deliver in self._late:
            if after > 0:
                deliver()
        self._late = []


def lose(call: Call, deliver: Deliver) -> Any:
    if call.method in REPEATED and not call.path.endswith("/file"):
        return deliver()
    raise ks_exceptions.ConnectFailure("reset by peer")


class Lost(Unreliable):
    """It is obeyed, and its answer does not come."""

    def goes_wrong(self, call: Call, deliver: Deliver) -> Any:
        deliver()
        return lose(call, deliver)


class TwiceFirst(Unreliable):
    """It is delivered twice, and the first answer comes."""

    def goes_wrong(self, call: Call, deliver: Deliver) -> Any:
        answer = deliver()
        deliver()
        return answer


class TwiceSecond(Unreliable):
    """It is delivered twice, and the second answer comes."""

    def goes_wrong(self, call: Call, deliver: Deliver) -> Any:
        deliver()
        return deliver()


class Late(Unreliable):
    """The connection breaks, and it is obeyed some requests later."""

    requests = 3

    def goes_wrong(self, call: Call, deliver: Deliver) -> Any:
        self.later(self.requests, deliver)
        return lose(call, deliver)


class VeryLate(Late):
    """So late that it was sent a second time."""

    requests = 9


class KilledLate(Late):
    """The process is killed with the request under way, which is obeyed during the next one."""

    requests = 9

    def goes_wrong(self, call: Call, deliver: Deliver) -> Any:
        self.later(self.requests, deliver)
        raise Killed
