"""Seeds that have found something: each soak replays them first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("seeds.txt")


@dataclass(frozen=True)
class Seed:
    """``found``: what was wrong, in one line."""

    engine: str
    seed: int
    found: str

    def __str__(self) -> str:
        return f"{self.engine} {self.seed} {self.found}"


def read(path: Path = PATH) -> list[Seed]:
    """A line each: engine, seed, what it found.  ``#`` begins a comment."""
    seeds = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            engine, seed, found = line.split(maxsplit=2)
            seeds.append(Seed(engine, int(seed), found))
    return seeds


def add(seed: Seed, path: Path = PATH) -> bool:
    """Keep it, unless it is there; whether it is new."""
    known: Collection[tuple[str, int]] = {(each.engine, each.seed) for each in read(path)}
    if (seed.engine, seed.seed) in known:
        return False
    with path.open("a") as file:
        file.write(f"{seed}\n")
    return True
