"""Run something on a medium that fails at one call after the other, and go on on a sound one."""

from __future__ import annotations

import errno
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import DownpourError, LocalError
from tests.crash.states import SEED, STATES, choose
from tests.media.system import CHANGING, Fault, System, at, full, refusal

ANY = CHANGING | {"open", "read", "stat", "list", "lock"}
CODES = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE, errno.ENODEV)


@dataclass(frozen=True)
class Failing:
    """``fault`` of the medium; ``how``: in words."""

    how: str
    fault: Fault


def each_call(calls: int, kinds: frozenset[str] = ANY) -> Iterator[Failing]:
    """One call fails, or all from it on, with each code."""
    for number, code, gone in itertools.product(range(calls), CODES, (False, True)):
        how = f"{errno.errorcode[code]} at call {number}{' and all after it' if gone else ''}"
        yield Failing(how, at(number, code, kinds, gone=gone))


def each_size(size: int, step: int) -> Iterator[Failing]:
    """The medium has room for so many bytes."""
    for room in range(0, size, step):
        yield Failing(f"full after {room} bytes", full(room))


Run = Callable[[Path, Callable[[str], None]], object]
"""Works in a folder, and calls back with what it promises to keep."""

Check = Callable[[Path, set[str]], None]
"""What the same command makes of the folder afterwards, given what was promised."""


def try_faults(
    place: Path, run: Run, go_on: Check, *, lay: Callable[[Path], object] = lambda folder: None
) -> None:
    """``run`` fails in words that a person can use, or does without; then ``go_on`` is right.

    ``lay``: prepares the folder, on a sound medium.  As many faults as STATES, by SEED.
    """
    system = System(fresh(place, lay))
    with system.played():
        run(system.root, lambda text: None)
    size = sum(call.size for call in system.calls if call.what == "write")
    calls = sum(call.what in ANY for call in system.calls)
    faults = [*each_call(calls), *each_size(size, max(1, size // 200))]
    told = []
    for failing in choose(SEED).sample(faults, min(STATES, len(faults))):
        try:
            _try(fresh(place, lay), failing, run, go_on)
        except Exception as exc:
            told.append(f"{failing.how}: {type(exc).__name__}: {exc}")
    assert not told, f"{len(told)} faults (CRASH_SEED={SEED}):\n" + "\n".join(told[:8])


def _try(folder: Path, failing: Failing, run: Run, go_on: Check) -> None:
    promises: set[str] = set()
    with System(folder, failing.fault).played():
        try:
            run(folder, promises.add)
        except DownpourError as exc:
            check_told(exc)
    go_on(folder, promises)


def check_told(error: DownpourError) -> None:
    """It says what failed, where, and what to do, with the exit code of a local file."""
    assert isinstance(error, LocalError), repr(error)
    assert error.where, error.message
    assert error.remedy, error.message
    assert "None" not in str(error), str(error)
    assert "\n" not in str(error)


def fresh(place: Path, lay: Callable[[Path], object]) -> Path:
    """An empty folder, prepared."""
    folder = place / "medium"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lay(folder)
    return folder


__all__ = ["Failing", "check_told", "each_call", "each_size", "fresh", "refusal", "try_faults"]
