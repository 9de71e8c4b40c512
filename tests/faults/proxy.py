"""One listener for each service of a cloud, which passes requests on and plays faults."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

from tests.faults.exchange import NO_ANSWER, Answer, Request
from tests.faults.kinds.call import Call
from tests.faults.kinds.instead import MOVED, Redirect, page
from tests.faults.log import Log
from tests.faults.rules import Plan, Rule
from tests.faults.wire.listener import HOST, Listener
from tests.faults.wire.rewrite import Addresses
from tests.faults.wire.upstream import TooLong, ask

BAIT = "elsewhere"
"""The name of the listener that stands for another host."""


class Proxy:
    """Before the services of one cloud.

    ``services``: name -> origin.  ``plan``: which request meets which fault; ``log``: what was
    played.  ``ports``: name -> where it is listened for that service; any port where none is named.
    """

    def __init__(
        self,
        services: Mapping[str, str],
        plan: Plan,
        log: Log,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.plan, self.log = plan, log
        self._services = dict(services)
        self._asked: Counter[tuple[str, str, str]] = Counter()
        self._late: list[threading.Timer] = []
        self._lock = threading.Lock()
        at = ports or {}
        self._listeners = {name: Listener(name, self._answer, at.get(name, 0)) for name in services}
        self._bait = Listener(BAIT, self._trapped)
        origins = {real: self._listeners[name].origin for name, real in services.items()}
        self.addresses = Addresses(origins)

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        listeners = [*self._listeners.values(), self._bait]
        for each in listeners:
            each.start()
        try:
            yield self
        finally:
            for timer in self._late:
                timer.join()  # what comes late has come when the oracle looks
            for each in listeners:
                each.stop()

    def _answer(self, request: Request) -> Answer:
        down = self._listeners[request.service].answer_while_down()
        if down is not None:
            return down
        moved = request.target.startswith(MOVED)
        request = replace(request, target=request.target.removeprefix(MOVED))
        count = self._count(request)
        rule = self.plan.rule_for(request, count)
        if rule is None or (moved and isinstance(rule.fault, Redirect)):
            return self._obey(request)
        return self._play(rule, request, count)

    def _count(self, request: Request) -> int:
        key = (request.service, request.method, request.shape)
        with self._lock:
            self._asked[key] += 1
            return self._asked[key]

    def _play(self, rule: Rule, request: Request, count: int) -> Answer:
        listener = self._listeners[request.service]
        dice = self.plan.dice(request, count, "fault")
        call = Call(
            request=request,
            obey=self._obey,
            later=self._later,
            go_down=listener.go_down,
            dice=dice,
            home=listener.origin,
            elsewhere=self._bait.origin,
        )
        answer = rule.fault.play(call)
        if answer.is_harmed:
            self.log.write(
                fault=repr(rule.fault),
                service=request.service,
                method=request.method,
                path=request.path,
                count=count,
                status=answer.status,
                ending=answer.ending.name,
            )
        return answer

    def _obey(self, request: Request) -> Answer:
        place = urlsplit(self._services[request.service])
        try:
            answer = ask(place.hostname or HOST, place.port or 80, request)
        except ConnectionRefusedError:
            return NO_ANSWER
        except (TooLong, http.client.HTTPException) as exc:
            self.log.write(broken=repr(exc), service=request.service, path=request.path)
            return page(502, "502 Bad Gateway")
        return self.addresses.in_answer(answer)

    def _trapped(self, request: Request) -> Answer:
        names = [name for name, _ in request.headers]
        self.log.write(trapped=request.path, method=request.method, headers=names)
        return page(404, "404 Not Found")

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        def act() -> None:
            with suppress(OSError):  # the service is gone by then
                action()

        timer = threading.Timer(seconds, act)
        timer.daemon = True
        self._late.append(timer)
        timer.start()
