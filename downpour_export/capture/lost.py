"""A request whose answer was lost: it may have been obeyed, and may still arrive.

So it is looked for what it did, by name or by state, before it is sent again.  A try that arrives
later than the next one was sent makes a double.  That has our mark, and goes at the end of the run.
"""

from __future__ import annotations

import time

from downpour_export.errors import Unanswered

LATE = 20.0
"""Seconds in which a request may still arrive after its connection broke: proxies hold one back
that long, seldom longer."""

TRIES = 3


class Tries:
    """Of one request."""

    def __init__(self) -> None:
        self.lost = 0
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Whether the time is over in which the last try may show an effect."""
        return time.monotonic() >= self._next

    def lose(self, error: Unanswered) -> None:
        """Note that an answer was lost; raises ``error`` if that was the last try."""
        self.lost += 1
        if self.lost == TRIES:
            raise error
        self._next = time.monotonic() + LATE
