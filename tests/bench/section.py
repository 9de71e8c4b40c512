"""What a section of the benchmarks is.  To add one: a module with a SECTION, and its line in
``tests/bench/__main__.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from tests.bench.report import Measured, Row

T = TypeVar("T")

Scale = Literal["full", "quick", "tiny"]
"""``full`` is what is published; ``quick`` shows that it runs; ``tiny`` is for tests."""


@dataclass(frozen=True)
class Bench:
    """Where and how often.  ``work``: an empty folder, removed afterwards; ``say``: progress;
    ``out``: where the page goes, if anywhere."""

    scale: Scale
    repeats: int
    work: Path
    say: Callable[[str], None]
    out: Path | None = None

    def in_turn(self, what: str, sides: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
        """Measure all ``sides`` as often as asked for, in turn, every second time backwards.

        So whatever else the machine does meanwhile meets all of them.
        """
        found: dict[str, list[T]] = {name: [] for name in sides}
        for number in range(self.repeats):
            told = []
            names = [*sides]
            for name in names if number % 2 == 0 else reversed(names):
                began = time.perf_counter()
                found[name].append(sides[name]())
                told.append(f"{name} {time.perf_counter() - began:.1f} s")
            self.say(f"{what}, {number + 1} of {self.repeats}: {', '.join(told)}")
        return found


@dataclass(frozen=True)
class Section:
    """``measure`` gives every one of ``rows`` its number.  ``tools``: commands that it needs.

    ``clouds``: it starts a test cloud, so that tests leave it out unless they name it.  ``long``:
    so does everybody else.  ``picture``: its name, where the section draws one of its own.
    """

    name: str
    title: str
    intro: str
    rows: tuple[Row, ...]
    tools: tuple[str, ...]
    measure: Callable[[Bench], Iterator[Measured]]
    clouds: bool = False
    long: bool = False
    picture: str | None = None
