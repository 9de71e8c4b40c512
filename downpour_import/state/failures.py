"""What could not be made in this run, and what was not tried because of it.

``failures.jsonl`` in the state directory has one JSON object a line, written under a lock: several
processes append to it, and each looks there before a step for what went wrong in the others.  The
preflight begins it anew.  Where there is no such file, a failure ends the run.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from bundle_spec.medium import local_error
from bundle_spec.model import Ref
from bundle_spec.private import open_own
from bundle_spec.text import printable
from downpour_import.errors import RecreateError, RunEnded, StateError
from downpour_import.state.lines import append_line

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT
FAILURES = "failures.jsonl"


@dataclass(frozen=True)
class Subject:
    """A resource, as people know it."""

    ref: Ref
    name: str

    def __str__(self) -> str:
        kind = self.ref.type.replace("_", " ")
        return printable(f"{kind} {self.name!r}" if self.name else str(self.ref))


@dataclass(frozen=True)
class Failure:
    """A resource that was not made, or not in full.

    ``step``: the action that failed or was not tried.  ``message``: on one line.  ``because``:
    what failed, if this was not tried for its sake; None: it failed by itself.
    """

    subject: Subject
    step: str
    message: str
    because: Subject | None = None

    @property
    def state(self) -> Literal["failed", "not_made"]:
        return "not_made" if self.because else "failed"

    def fault(self) -> RecreateError:
        message = f"not made: {self.message}" if self.because else self.message
        return RecreateError(message, where=str(self.subject))


class Failures:
    """Those of one state directory.  Raises LocalError, StateError."""

    def __init__(self, state: Path) -> None:
        self.path = state / FAILURES
        self._forget()

    def _forget(self) -> None:
        self._bytes, self._lines = 0, 0
        self._failures: dict[Ref, Failure] = {}
        self._end: str | None = None

    def begin(self, *, isolate: bool) -> None:
        """Forget those of an earlier run.  ``isolate``: a failure does not end this one."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as exc:
            raise local_error("cannot remove", exc, self.path) from exc
        if isolate:
            with self._opened(_APPEND):
                pass

    @property
    def isolate(self) -> bool:
        """Whether a failure stops only what needs what failed."""
        return os.path.lexists(self.path)

    def of(self, ref: Ref) -> Failure | None:
        """What became of the resource ``ref``; None: nothing that is known here."""
        self._read()
        return self._failures.get(ref)

    def all(self) -> Sequence[Failure]:
        """In the order in which they happened, one for each resource."""
        self._read()
        return tuple(self._failures.values())

    def faults(self) -> list[RecreateError]:
        """An error for each; first those that failed by themselves."""
        ordered = sorted(self.all(), key=lambda failure: failure.because is not None)
        return [failure.fault() for failure in ordered]

    def require_going_on(self) -> None:
        """Raises RunEnded after an error that ended the run."""
        self._read()
        if self._end is not None:
            raise RunEnded(f"not tried, because the run has ended: {self._end}")

    def add(self, failure: Failure) -> None:
        """Write it down for all processes of the run."""
        line: dict[str, Any] = _encode(failure.subject)
        line |= {"step": failure.step, "message": failure.message}
        if failure.because:
            line["because"] = _encode(failure.because)
        self._append(line)

    def end(self, message: str) -> None:
        """Have no process of this run try anything more."""
        if self.isolate:
            self._append({"end": message})

    def _append(self, line: dict[str, Any]) -> None:
        with self._opened(_APPEND) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Not synced: what a power cut leaves is of no run that goes on.
            append_line(file.fileno(), json.dumps(line).encode() + b"\n", synced_in=None)

    def _read(self) -> None:
        """Read what was appended since the last time.  A file that is not there has nothing."""
        size = self._size()
        if size < self._bytes:
            self._forget()
        if size > self._bytes:
            with self._opened(os.O_RDONLY) as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                file.seek(self._bytes)
                data = file.read()
            self._bytes += len(data)
            for line in data.split(b"\n")[:-1]:
                self._lines += 1
                self._apply(line)

    def _size(self) -> int:
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            return 0
        if not stat.S_ISREG(status.st_mode):
            with self._opened(os.O_RDONLY):  # raises what it is
                pass
        return status.st_size

    def _apply(self, line: bytes) -> None:
        try:
            value = json.loads(line)
            if "end" in value:
                self._end = str(value["end"])
            else:
                failure = _failure(value)
                self._failures.setdefault(failure.subject.ref, failure)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise StateError(
                "this file is damaged", where=f"{self.path}:{self._lines}", remedy="remove it"
            ) from exc

    @contextmanager
    def _opened(self, flags: int) -> Iterator[IO[bytes]]:
        """The one place where the file is opened."""
        try:
            with open(open_own(self.path, flags), "ab+" if flags & os.O_APPEND else "rb") as file:
                yield file
        except OSError as exc:
            raise local_error("cannot open", exc, self.path) from exc


def _encode(subject: Subject) -> dict[str, str]:
    return {"type": subject.ref.type, "id": subject.ref.id, "name": subject.name}


def _subject(value: Any) -> Subject:
    return Subject(Ref(str(value["type"]), str(value["id"])), str(value["name"]))


def _failure(value: Any) -> Failure:
    because = value.get("because")
    return Failure(
        subject=_subject(value),
        step=str(value["step"]),
        message=str(value["message"]),
        because=None if because is None else _subject(because),
    )
