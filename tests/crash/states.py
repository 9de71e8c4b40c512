"""Try states that a power cut may leave, as many as are asked for, and tell of all that fail."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.media.disk import Cut, State, cuts
from tests.media.log import Step
from tests.media.system import System

STATES = int(os.environ.get("CRASH_STATES") or 60)
"""Of each scenario; ``make soak`` tries more."""

SEED = int(os.environ.get("CRASH_SEED") or 0)
_TOLD = 5

GoOn = Callable[[Path, set[str]], None]
"""Checks what the next run makes of a folder, given what had been promised."""


def steps_of(folder: Path, run: Callable[[System], None]) -> tuple[State, list[Step]]:
    """What is on the disk before ``run``, and the steps that it takes below ``folder``."""
    system, before = System(folder), State()
    for name, number in system.known.items():
        path = folder / name
        before.names[name] = None if path.is_dir() else number
        before.data[number] = bytearray(b"" if path.is_dir() else path.read_bytes())
    with system.played():
        run(system)
    return before, system.steps


def choose(seed: int) -> random.Random:
    """What chooses the states, and those among them that are tried."""
    return random.Random(seed)


def try_states(
    folder: Path, before: State, steps: Sequence[Step], go_on: GoOn, *, share: int = 1
) -> None:
    """Lay out each state below ``folder`` and go on from it.

    ``share``: of STATES, the other scenarios have the rest.
    """
    rng = choose(SEED)
    states = list(cuts(before, steps, rng))
    chosen = rng.sample(states, min(STATES // share, len(states)))
    failures = []
    for cut in chosen:
        target = folder / "after"
        target.mkdir()
        cut.state.lay_out(target)
        try:
            go_on(target, set(cut.promises))
        except Exception as exc:
            failures.append(f"{type(exc).__name__}: {exc}\n{_told(cut, steps)}")
        shutil.rmtree(target)
    assert not failures, f"{len(failures)} of {len(chosen)} states (CRASH_SEED={SEED}):\n" + (
        "\n".join(failures[:_TOLD])
    )


def _told(cut: Cut, steps: Sequence[Step]) -> str:
    last = "\n".join(f"    {step}" for step in steps[max(0, cut.count - 8) : cut.count])
    names = ", ".join(f"{path} ({_size(cut, path)})" for path in sorted(cut.state.names))
    return f"  {cut.how!r} after step {cut.count} of {len(steps)}:\n{last}\n    left: {names}"


def _size(cut: Cut, path: str) -> str:
    file = cut.state.names[path]
    return "directory" if file is None else f"{len(cut.state.data.get(file, b''))} bytes"
