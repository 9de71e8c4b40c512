"""Cancel the threads of a run, and poll a cloud in a way that can be cancelled and times out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from downpour_export.errors import CaptureError


class Cancelled(CaptureError):
    """This thread ends because the run was interrupted or another disk failed."""


class CancelFlag:
    """Set once; every thread of a run checks it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Cancelled if the flag is set."""
        if self._event.is_set():
            raise Cancelled("stopped before it was done")

    def sleep(self, seconds: float) -> None:
        """Sleep; raises Cancelled as soon as the flag is set."""
        self._event.wait(seconds)
        self.check()


class Polling:
    """The waits of one polling loop: short at first and longer later, with a limit in all."""

    FIRST, LONGEST = 0.25, 5.0
    """Seconds of the first wait, and of any wait at most."""

    def __init__(
        self,
        cancel: CancelFlag,
        gibibytes: float = 0.0,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``gibibytes``: the size of what is waited for; it raises the limit.  ``tell`` is given a
        sentence after one minute, two, four …"""
        self._begun = time.monotonic()
        self._next_word = 60.0
        self._tell = tell
        # Ten minutes for anything, and one more for each GiB (17 MiB/s, a slow backend).
        self._deadline = time.monotonic() + 600 + 60 * gibibytes
        self._pause = self.FIRST
        self._cancel = cancel

    def wait(self, what: str) -> None:
        """Wait before the next look at ``what``.  Raises CaptureError after the limit."""
        if time.monotonic() > self._deadline:
            raise CaptureError(f"{what} takes too long", remedy="look at it in the source cloud")
        if time.monotonic() - self._begun > self._next_word:
            self._tell(f"waiting for {what}, {self._next_word / 60:.0f} min so far")
            self._next_word *= 2
        self._cancel.sleep(self._pause)
        self._pause = min(self._pause * 1.5, self.LONGEST)
