"""Long steps that tell what they are and how long they have been at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 15.0
"""Seconds between two lines."""


@contextmanager
def told(
    say: Callable[[str], None],
    what: str,
    detail: Callable[[], str] = lambda: "",
    *,
    every: float = EVERY,
) -> Iterator[None]:
    """Say ``what`` begins, every so often how long it has taken, and when it is done.

    ``detail``: what it is doing at the moment, "" if that cannot be told.
    """
    began = time.monotonic()
    done = threading.Event()

    def tick() -> None:
        while not done.wait(every):
            doing = detail()
            say(f"  {time.monotonic() - began:.0f} s{': ' if doing else ''}{doing}")

    say(f"{what} ...")
    ticker = threading.Thread(target=tick, name="told", daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    say(f"  done after {time.monotonic() - began:.0f} s")
