"""Where the keys and values of a document stand, for those who tell its mistakes.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Keys = tuple[str | int, ...]
"""The keys, and the numbers of items from 0, that lead to a value, from the outermost on."""

Position = tuple[int, int]
"""Line and column, from 1."""


@dataclass(frozen=True)
class Places:
    """Where keys and values stand, as ``FILE:LINE:COLUMN``; FILE alone where that is not known.

    ``under``: keys that are put before those that are asked for.
    """

    file: str
    keys: Mapping[Keys, Position] = field(default_factory=dict)
    values: Mapping[Keys, Position] = field(default_factory=dict)
    under: Keys = ()

    def of_key(self, *keys: str | int) -> str:
        """The place of the last of ``keys``."""
        return place(self.file, self.keys.get((*self.under, *keys)))

    def of_value(self, *keys: str | int) -> str:
        """The place of the value that ``keys`` lead to."""
        return place(self.file, self.values.get((*self.under, *keys)))

    def below(self, key: str | int) -> Places:
        """The places of the document that is the value of ``key``."""
        return Places(self.file, self.keys, self.values, (*self.under, key))


def place(file: str, position: Position | None) -> str:
    """``FILE:LINE:COLUMN``."""
    return file if position is None else f"{file}:{position[0]}:{position[1]}"
