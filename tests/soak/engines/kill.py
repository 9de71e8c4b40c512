"""At which moment a command is killed, and by what."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from tests.soak.clouds.front import Dropped
from tests.unit.fake_cloud import Call, FakeCloud

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GENTLE = frozenset((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
"""Those after which a command tidies up."""


@dataclass(frozen=True)
class Kill:
    """``at``: with which request of the command, from 1.  ``when``: before it is obeyed, or after,
    its answer lost; or ``later``, so many ``seconds`` after its answer.  ``writes``: whether only
    requests that change something count.  ``share``: of the command's whole time, about, for
    whoever cannot count its requests."""

    signal: signal.Signals
    at: int
    when: Literal["before", "after", "later"]
    writes: bool = False
    seconds: float = 0.0
    share: float = 0.5

    def __str__(self) -> str:
        what = "changing request" if self.writes else "request"
        moment = f"{self.seconds:.3f} s after" if self.when == "later" else self.when
        return f"{self.signal.name} {moment} {what} {self.at}"


def random_kill(rng: Random, requests: int, writes: int) -> Kill:
    """``requests``, ``writes``: about so many of them, the command will send."""
    when = rng.choice(("before", "after", "after", "later"))
    of_writes = rng.random() < 0.6
    most = max(writes if of_writes else requests, 1)
    # As often near the end as anywhere, and now and then long after it: then nothing is killed.
    share = rng.uniform(0, 1.1)
    at = max(1, round(most * share))
    seconds = rng.choice((0.0, 0.01, 0.05, 0.2)) * rng.random()
    return Kill(rng.choice(SIGNALS), at, when, of_writes, seconds, share)  # type: ignore[arg-type]


@dataclass
class Trigger:
    """The hooks of one command on one cloud.  ``struck``: whether the kill has come."""

    kill: Kill | None
    send: Callable[[signal.Signals], None]
    struck: bool = False
    requests: int = 0
    writes: int = 0
    _timers: list[threading.Timer] = field(default_factory=list)

    def arm(self, cloud: FakeCloud) -> None:
        cloud.before.insert(0, self._before)
        cloud.after.append(self._after)

    def disarm(self, cloud: FakeCloud) -> None:
        cloud.before.remove(self._before)
        cloud.after.remove(self._after)
        for timer in self._timers:
            timer.cancel()

    def _before(self, call: Call) -> None:
        if self.struck and self._is_dead:
            raise Dropped  # what other threads of a dead process had sent
        self.requests += 1
        self.writes += call.method != "GET"
        if self._is_due(call, "before"):
            self._strike()

    def _after(self, call: Call) -> None:
        if self._is_due(call, "after"):
            self._strike()
        elif self.kill and self._is_due(call, "later") and not self._timers:
            timer = threading.Timer(self.kill.seconds, self._send)
            self._timers.append(timer)
            timer.start()

    @property
    def _is_dead(self) -> bool:
        kill = self.kill
        return kill is not None and kill.signal == signal.SIGKILL and kill.when != "later"

    def _is_due(self, call: Call, when: str) -> bool:
        kill = self.kill
        if kill is None or self.struck or kill.when != when:
            return False
        if kill.writes:
            return call.method != "GET" and self.writes >= kill.at
        return self.requests >= kill.at

    def _strike(self) -> None:
        self._send()
        if self._is_dead:
            raise Dropped

    def _send(self) -> None:
        self.struck = True
        assert self.kill is not None
        self.send(self.kill.signal)


def send_to(pid: int) -> Callable[[signal.Signals], None]:
    def send(number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    return send
