"""Limit how many temporary objects exist at once: to what was asked for, and to the quota."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from downpour_export.capture.cancel import CancelFlag
from downpour_export.errors import OverQuota

T = TypeVar("T")

SPARE = 2
"""Slots that snapshots leave free, so that one copy, a volume and an image, always fits."""


class Slots:
    """Counts temporary objects.  Thread-safe."""

    def __init__(self, limit: int, cancel: CancelFlag) -> None:
        self._limit = limit
        self._cancel = cancel
        self._changed = threading.Condition()
        self._taken = 0
        self._released = 0
        self._working = 0
        self._blocked = 0

    def try_take(self, number: int) -> bool:
        """Take slots for the snapshots of a server, if SPARE ones remain; whether it did."""
        with self._changed:
            fits = self._taken + number + SPARE <= self._limit
            if fits:
                self._taken += number
            return fits

    def take(self, number: int) -> None:
        """Take slots for a copy; waits for them.  Raises Cancelled."""
        with self._changed:
            while self._taken + number > self._limit:
                self._wait()
            self._taken += number

    def release(self, number: int = 1) -> None:
        """Call this when so many objects are gone."""
        with self._changed:
            self._taken -= number
            self._released += number
            self._changed.notify_all()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Around whatever makes objects and deletes them; see ``make``."""
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def make(self, post: Callable[[], T]) -> T:
        """The result of ``post``; after OverQuota it is called again when another object is gone.

        Raises OverQuota when all threads within ``work`` wait here: then no object will go.
        """
        while True:
            with self._changed:
                seen = self._released
            try:
                return post()
            except OverQuota as exc:
                with self._changed:
                    self._blocked += 1
                    try:
                        while self._released == seen:
                            if self._blocked >= self._working:
                                raise OverQuota(
                                    exc.message,
                                    where=exc.where,
                                    remedy="make room in the quota; fewer temporary objects are "
                                    "needed at once with --jobs 1",
                                ) from exc
                            self._wait()
                    finally:
                        self._blocked -= 1

    def _wait(self) -> None:
        self._changed.wait(0.5)
        self._cancel.check()
