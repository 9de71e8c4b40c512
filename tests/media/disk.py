"""From the steps of a program to the states that a disk may have after its power was cut.

What was synced is there.  Of what was not, anything: each write all, not at all, as zeros because
only the new length of the file arrived, or torn between two sectors; each name the old or the new.
POSIX promises no more: that some file systems keep an order of names helps nobody on others.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.media.log import Mark, Names, Step, Sync, SyncFolder, Truncate, Write

SECTOR = 512
_ROOT = "."


@dataclass
class State:
    """What is on the medium: file number -> bytes, path -> file number; None for a directory."""

    data: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int | None] = field(default_factory=dict)

    def copy(self) -> State:
        data = {file: bytearray(each) for file, each in self.data.items()}
        return State(data, dict(self.names))

    def apply(self, step: Step) -> None:
        """As if all of it had arrived."""
        match step:
            case Write(file, offset, data):
                self.put(file, offset, data)
            case Truncate(file, size):
                each = self.data.setdefault(file, bytearray())
                each[size:] = bytes(max(0, size - len(each)))
            case Names():
                self.rename(step)

    def put(self, file: int, offset: int, data: bytes) -> None:
        each = self.data.setdefault(file, bytearray())
        each.extend(bytes(max(0, offset + len(data) - len(each))))
        each[offset : offset + len(data)] = data

    def grow(self, file: int, size: int) -> None:
        """The length arrived, and not the bytes."""
        each = self.data.setdefault(file, bytearray())
        each.extend(bytes(max(0, size - len(each))))

    def rename(self, step: Names) -> None:
        match step.kind:
            case "create":
                self.names[step.path] = step.file
            case "mkdir":
                self.names[step.path] = None
            case "rename":
                assert step.source is not None
                if self.names.get(step.source, step.file) in (step.file, None):
                    self.names.pop(step.source, None)
                self.names[step.path] = step.file
            case _:
                if self.names.get(step.path, step.file) in (step.file, None):
                    self.names.pop(step.path, None)

    def lay_out(self, folder: Path) -> None:
        """Make it so below ``folder``.  What lies in a directory that is not there is lost."""
        for path, file in sorted(self.names.items()):
            target = folder / path
            if not target.parent.is_dir():
                continue
            if file is None:
                target.mkdir(exist_ok=True, mode=0o700)
            else:
                target.write_bytes(self.data.get(file, b""))
                target.chmod(0o600)

    def digest(self) -> bytes:
        """Equal for equal states."""
        running = hashlib.sha256()
        for path, file in sorted(self.names.items()):
            data = b"/" if file is None else bytes(self.data.get(file, b""))
            running.update(path.encode() + b"\0" + hashlib.sha256(data).digest())
        return running.digest()


class Medium:
    """Steps one after the other: what is surely there, and what waits."""

    def __init__(self, synced: State):
        self.synced = synced
        self.waiting: list[Step] = []

    def take(self, step: Step) -> None:
        match step:
            case Sync(file):
                self._arrive(lambda each: isinstance(each, Write | Truncate) and each.file == file)
            case SyncFolder(path):
                self._arrive(lambda each: isinstance(each, Names) and path in each.folders)
            case Write() | Truncate() | Names():
                self.waiting.append(step)

    def _arrive(self, arrives: Callable[[Step], bool]) -> None:
        for step in self.waiting:
            if arrives(step):
                self.synced.apply(step)
        self.waiting = [step for step in self.waiting if not arrives(step)]


Fate = Callable[[State, Step], None]
"""What becomes of a step that waits."""


def _all(state: State, step: Step) -> None:
    state.apply(step)


def _none(state: State, step: Step) -> None:
    pass


def _names_only(state: State, step: Step) -> None:
    if isinstance(step, Names):
        state.apply(step)


def _data_only(state: State, step: Step) -> None:
    if not isinstance(step, Names):
        state.apply(step)


def _lengths(state: State, step: Step) -> None:
    """Names and lengths of files, and no bytes."""
    if isinstance(step, Write):
        state.grow(step.file, step.offset + len(step.data))
    else:
        state.apply(step)


def _torn(rng: random.Random) -> Fate:
    def fate(state: State, step: Step) -> None:
        if not isinstance(step, Write):
            if rng.random() < 0.7:
                state.apply(step)
            return
        if rng.random() < 0.5:
            state.grow(step.file, step.offset + len(step.data))
        # Sectors of the medium, not of the write.
        start, end = step.offset, step.offset + len(step.data)
        while start < end:
            stop = min(end, (start // SECTOR + 1) * SECTOR)
            if rng.random() < 0.6:
                piece = step.data[start - step.offset : stop - step.offset]
                state.put(step.file, start, piece)
            start = stop

    return fate


def _without(step: Step) -> Fate:
    return lambda state, each: None if each is step else state.apply(each)


def _only_before(steps: Sequence[Step], count: int) -> Fate:
    first = {id(step) for step in steps[:count]}
    return lambda state, each: state.apply(each) if id(each) in first else None


@dataclass(frozen=True)
class Cut:
    """A state after the first ``count`` steps; ``how``: what became of those that waited.

    ``promises``: what a program could rely on by then.
    """

    count: int
    how: str
    state: State
    promises: frozenset[str]


def cuts(before: State, steps: Sequence[Step], rng: random.Random, torn: int = 2) -> Iterator[Cut]:
    """States after a cut behind each step; each state once.  ``torn``: how many more of chance."""
    medium, seen, promises = Medium(before.copy()), set[bytes](), frozenset[str]()
    for count, step in enumerate(steps, 1):
        medium.take(step)
        if isinstance(step, Mark):
            promises |= {step.promise}
        for how, fate in _fates(medium.waiting, rng, torn):
            state = medium.synced.copy()
            for each in medium.waiting:
                fate(state, each)
            digest = state.digest() + b"".join(sorted(each.encode() for each in promises))
            if digest not in seen:
                seen.add(digest)
                yield Cut(count, how, state, promises)


def _fates(waiting: Sequence[Step], rng: random.Random, torn: int) -> Iterator[tuple[str, Fate]]:
    yield from (("none", _none), ("all", _all), ("lengths", _lengths))
    yield from (("names only", _names_only), ("data only", _data_only))
    if waiting:
        yield "one missing", _without(rng.choice(waiting))
        yield "a prefix", _only_before(waiting, rng.randrange(len(waiting)))
    for _ in range(torn):
        yield "torn", _torn(rng)
