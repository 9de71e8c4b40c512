"""What a fault is, and what it is given to play with."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.faults.exchange import Answer, Request


@dataclass(frozen=True)
class Call:
    """One request to a service.

    ``obey``: has the service obey a request, and gives its answer.  ``later``: does something
    after so many seconds, when the client is gone.  ``go_down``: (seconds, whether connections are
    refused) has the service be away.  ``dice``: seeded.  ``home``: the service's address at the
    proxy.  ``elsewhere``: that of somebody else, who must never be asked.
    """

    request: Request
    obey: Callable[[Request], Answer]
    later: Callable[[float, Callable[[], None]], None]
    go_down: Callable[[float, bool], None]
    dice: random.Random
    home: str
    elsewhere: str


class Fault(Protocol):
    """A frozen dataclass; its docstring says what real thing it plays."""

    def fits(self, request: Request) -> bool:
        """Whether it makes sense for this request."""
        ...

    def play(self, call: Call) -> Answer:
        """The answer that the client gets."""
        ...


class OfEvery:
    """A fault that any request can meet."""

    def fits(self, request: Request) -> bool:
        return True
