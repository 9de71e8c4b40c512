"""Progress as a protocol: libraries report, the command line decides how it looks."""

from __future__ import annotations

from typing import Literal, Protocol, Self

Unit = Literal["bytes", "resources", "time"]
"""``time``: nothing is counted, because the step waits for the work of another program."""


class Task(Protocol):
    """One long step.  A context manager: leaving it ends the step."""

    def advance(self, amount: int) -> None:
        """``amount`` more units are done."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Progress(Protocol):
    """Where steps are announced.  Implementations are thread-safe."""

    def task(self, label: str, total: int | None, unit: Unit) -> Task:
        """Begin a step of ``total`` units (None: unknown)."""
        ...

    def say(self, text: str) -> None:
        """Say one line to the person who watches: a warning, or what to do."""

    def note(self, text: str) -> None:
        """Say one line that a quiet command leaves out."""


class NullTask:
    """A step that is not shown."""

    def advance(self, amount: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class NullProgress:
    """Shows nothing."""

    def task(self, label: str, total: int | None, unit: Unit) -> Task:
        return NullTask()

    def say(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass


NULL = NullProgress()
