"""Guess which chunk of a bundle the next chunk of a disk is probably almost equal to."""

from __future__ import annotations

import threading

from bundle_spec.form import layout

_CREDIT = 32
"""Tries in vain after which it is tried seldom; a try costs one of them."""

_REWARD = 4
"""What a try that was not in vain gives back, up to all."""

_SELDOM = 16
"""Of so many chunks one is tried then."""


class Guess:
    """The guess for one disk, whose chunks are numbered from 0.  Thread-safe.

    Clones stay in step: where a chunk repeats another one, what follows it is probably like what
    follows that.  A place is that of the journal: disk and number in one integer.
    """

    def __init__(self, start: int | None):
        """``start``: the place of the chunk that the first one is compared with; None: with none
        before there was a repeat."""
        self._lock = threading.Lock()
        self._step = None if start is None else (0, start)
        self._credit = _CREDIT
        self._skipped = 0

    def at(self, number: int) -> int | None:
        """The place that chunk ``number`` is probably like; None where there is none to try.

        Where trying was mostly in vain, it is tried seldom: a try costs as much as compressing.
        """
        with self._lock:
            if self._step is None:
                return None
            if self._credit <= 0:
                self._skipped = (self._skipped + 1) % _SELDOM
                if self._skipped:
                    return None
            since, place = self._step
            first = place - place % layout.MAX_CHUNKS
            there = place + number - since
            return there if first <= there < first + layout.MAX_CHUNKS else None

    def found(self, number: int, place: int) -> None:
        """Chunk ``number`` repeats the one at ``place``."""
        with self._lock:
            # Threads take batches in any order: the latest chunk counts.
            if self._step is None or number >= self._step[0]:
                self._step = (number, place)

    def tried(self, *, success: bool) -> None:
        """What came of a try."""
        with self._lock:
            change = _REWARD if success else -1
            self._credit = min(max(self._credit + change, 0), _CREDIT)
