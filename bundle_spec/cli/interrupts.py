"""Ctrl-C, SIGTERM and SIGHUP, from the first line of a program to its last.

All three mean the same: a person, a service manager, or a terminal that has gone wants this run to
end.  What they do depends on how far it is.

- While a program is imported, which takes seconds where a cloud is spoken to, nothing is begun: it
  says so and ends at once.  An exception would be no way to do that, because some of what is
  imported catches all of them.
- While it runs, the first raises KeyboardInterrupt, so that the run sets right what it has begun.
  The second raises it again, which breaks that off.  The third ends the process as kill -9 would:
  whatever must survive that is on the disk already.
- After it has said its last word, they end it with the exit code that it has.

Of the second and the third, two do not count.  One that comes within a second: ``timeout`` and
shells send more than one for one wish.  And SIGHUP: a terminal that goes sends one for itself and
one through its shell, often after Ctrl-C or SIGTERM.

This module imports little, so that the handlers stand early.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from time import monotonic
from types import FrameType
from typing import Any

EXIT_CODE = 130
"""What a shell reports for SIGINT; ``bundle_spec.errors.INTERRUPTED_EXIT_CODE`` is the same."""

AGAIN = 1.0
"""Seconds after a signal in which another one is taken for the same wish."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_BEFORE = "nothing was begun; run the same command again"


class _Interrupts:
    """Of this process; a class only to hold its state together."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._owns_process = False
        self._forget()

    def _forget(self) -> None:
        self._runs = False
        self._count = 0
        self._last = 0.0
        self._code = EXIT_CODE
        self._word = _BEFORE

    def install(self, *, owns_process: bool = False) -> None:
        """Take the signals over, but for those that nohup or a shell has switched off.

        ``owns_process``: until the process ends.
        """
        self._owns_process = self._owns_process or owns_process
        if self._before or threading.current_thread() is not threading.main_thread():
            return
        for each in SIGNALS:
            if signal.getsignal(each) != signal.SIG_IGN:
                self._before[each] = signal.signal(each, self._handle)
        if owns_process:
            sys.unraisablehook = self._unraisable

    @contextmanager
    def raised(self, word: str) -> Iterator[None]:
        """Within the block, signals raise KeyboardInterrupt.  ``word``: what a person should know
        where the third one ends the process."""
        self._forget()
        self._word = word
        self._runs = True
        self.install()
        try:
            yield
        finally:
            self._runs = False
            if not self._owns_process:
                for each, handler in self._before.items():
                    signal.signal(each, handler)
                self._before.clear()

    def end(self, code: int) -> None:
        """The run has said its last word: from here on a signal ends the process with ``code``."""
        self._code = code
        self._word = ""
        self._runs = False

    @property
    def broken_off(self) -> bool:
        """Whether there was a second one."""
        return self._count > 1

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self._runs:
            self._exit()
        now = monotonic()
        if self._count and (signum == signal.SIGHUP or now - self._last < AGAIN):
            return
        self._count += 1
        self._last = now
        if self._count > 2:
            self._exit()
        raise KeyboardInterrupt

    def _exit(self) -> None:
        with suppress(OSError):
            os.write(2, f"interrupted: {self._word}\n".encode() if self._word else b"")
        os._exit(self._code)

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised while it frees an object: send the signal once more."""
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(unraisable)
            return
        self._count, self._last = self._count - 1, 0.0
        kill = (os.getpid(), signal.SIGTERM)
        threading.Timer(0.05, os.kill, kill).start()


interrupts = _Interrupts()


def begin(main: Callable[[], int]) -> int:
    """Run a whole program: the handlers first, then ``main``, which imports it.  The exit code."""
    interrupts.install(owns_process=True)
    _open_standard_streams()
    code = main()
    if interrupts.broken_off:
        # Threads may still wait for a cloud, and Python would wait for them.
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)
    return code


def program(module: str) -> Callable[[], int]:
    """A whole program, whose command line is ``main`` of ``module``; only it imports that."""
    return lambda: begin(lambda: import_module(module).main())


def _open_standard_streams() -> None:
    """Give a descriptor to each stream that was closed (``2>&-``): otherwise the next file that is
    opened would get its number, and an error message would be written into a bundle."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
