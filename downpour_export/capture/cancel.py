"""Stopping quickly: threads that wait for a cloud ask here whether they still should."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from downpour_export.errors import CaptureError


class Cancelled(CaptureError):
    """The run was interrupted, or another disk failed."""


class CancelFlag:
    """Set once, seen by every thread of a run."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Cancelled when the run shall end."""
        if self._event.is_set():
            raise Cancelled("stopped before it was done")

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise Cancelled as soon as the run shall end."""
        self._event.wait(seconds)
        self.check()


class Patience:
    """Polling that is quick at first and slow later, with a limit that grows with the size."""

    FIRST, LONGEST = 0.25, 5.0
    """Seconds between two looks."""

    def __init__(
        self,
        cancel: CancelFlag,
        gibibytes: float = 0.0,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``tell`` is told after one minute, two, four … that this still waits."""
        self._begun = time.monotonic()
        self._next_word = 60.0
        self._tell = tell
        # Ten minutes for anything, and one more for each GiB (17 MiB/s, a slow backend).
        self._deadline = time.monotonic() + 600 + 60 * gibibytes
        self._pause = self.FIRST
        self._cancel = cancel

    def wait(self, what: str) -> None:
        """Wait before the next look.  Raises CaptureError when it has taken too long."""
        if time.monotonic() > self._deadline:
            raise CaptureError(f"{what} takes too long", remedy="look at it in the source cloud")
        if time.monotonic() - self._begun > self._next_word:
            self._tell(f"waiting for {what}, {self._next_word / 60:.0f} min so far")
            self._next_word *= 2
        self._cancel.sleep(self._pause)
        self._pause = min(self._pause * 1.5, self.LONGEST)
