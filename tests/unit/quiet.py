"""A progress that remembers what was said."""

from __future__ import annotations

from bundle_spec.progress import NullProgress


class Notes(NullProgress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def say(self, text: str) -> None:
        self.notes.append(text)
