"""A request whose answer was lost: it may have been obeyed, and may still arrive.

So it is looked for what it did, by name or by state, before it is sent again.  A try that arrives
later than the next one was sent makes a double.  That has our mark, and goes at the end of the run.
"""

from __future__ import annotations

import time

from downpour_cloud.session import LATE_SECONDS
from downpour_export.errors import Unanswered

TRIES = 3


class Tries:
    """Of one request."""

    def __init__(self) -> None:
        self.lost = 0
        self.until = 0.0
        """Until when the last try may show an effect, as ``monotonic`` counts."""

    @property
    def due(self) -> bool:
        """Whether the time is over in which the last try may show an effect."""
        return time.monotonic() >= self.until

    def lose(self, error: Unanswered) -> None:
        """Note that an answer was lost; raises ``error`` if that was the last try."""
        self.lost += 1
        self.until = time.monotonic() + LATE_SECONDS
        if self.lost == TRIES:
            raise error
