"""How many temporary objects exist at once: no more than asked for, nor than the quota allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from downpour_export.capture.cancel import CancelFlag
from downpour_export.errors import OverQuota

T = TypeVar("T")

SPARE = 2
"""Slots that no snapshot takes: a copy needs a volume and an image, so that one can always end."""


class Slots:
    """Counts temporary objects.  Thread-safe."""

    def __init__(self, limit: int, cancel: CancelFlag) -> None:
        self._limit = limit
        self._cancel = cancel
        self._changed = threading.Condition()
        self._held = 0
        self._given = 0
        self._working = 0
        self._starved = 0

    def try_take(self, number: int) -> bool:
        """Take slots for the snapshots of a server, if there are so many and a spare."""
        with self._changed:
            fits = self._held + number + SPARE <= self._limit
            if fits:
                self._held += number
            return fits

    def take(self, number: int) -> None:
        """Take slots for a copy; waits for them."""
        with self._changed:
            while self._held + number > self._limit:
                self._wait()
            self._held += number

    def give(self, number: int = 1) -> None:
        """So many objects are gone."""
        with self._changed:
            self._held -= number
            self._given += number
            self._changed.notify_all()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Around what makes objects and deletes them again."""
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def make(self, post: Callable[[], T]) -> T:
        """``post()``; when the quota has no room, again as soon as another object is gone.

        Raises OverQuota when all that work wait for room: then nothing will be gone.
        """
        while True:
            with self._changed:
                seen = self._given
            try:
                return post()
            except OverQuota as exc:
                with self._changed:
                    self._starved += 1
                    try:
                        while self._given == seen:
                            if self._starved >= self._working:
                                raise OverQuota(
                                    exc.message,
                                    where=exc.where,
                                    remedy="make room in the quota; fewer temporary objects are "
                                    "needed at once with --jobs 1",
                                ) from exc
                            self._wait()
                    finally:
                        self._starved -= 1

    def _wait(self) -> None:
        self._changed.wait(0.5)
        self._cancel.check()
