"""A progress that remembers what was said."""

from __future__ import annotations

from bundle_spec.progress import NullProgress


class Notes(NullProgress):
    """``said``: what a quiet command says too; ``notes``: that and the rest."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.notes: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)
        self.notes.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)
