"""``python -m tests.soak``: kill everything at random, and compare with what must be true.

Seeds that have found something run first, then new ones, until the runs are done or the time is
over.  A seed that finds something is added to ``seeds.txt``.  Ends with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from tests.soak import corpus
from tests.soak.corpus import Seed
from tests.soak.engines import fast
from tests.soak.engines.commands import Forked, Installed
from tests.soak.stories.kinds import Run, run_kinds
from tests.soak.stories.walk import run_walk
from tests.soak.table import table

Engine = Callable[[int], list[Run]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all")
    parser.add_argument("--runs", type=int, default=0, help="new seeds of each; 0: as time allows")
    parser.add_argument("--seed", type=int, default=None, help="the first; default: by the clock")
    parser.add_argument("--seconds", type=float, default=300.0, help="in all, where --runs is 0")
    parser.add_argument("--keep", action="store_true", help="leave the directories of the runs")
    parser.add_argument("--no-replay", action="store_true", help="only new seeds")
    return parser.parse_args()


ENGINES = ("kinds", "walk", "ansible", "real")
"""Kills in a fixed order; random actions; the same as the first, with installed commands and
Ansible; kills in a fixed order between two real clouds."""

EVERY = {"ansible": 10, "real": 20}
"""Slow engines take so many seeds less."""


def engines(wanted: list[str], stack: ExitStack, *, keep: bool) -> dict[str, Engine]:
    forked, installed = Forked(), Installed()
    known: dict[str, Callable[[], Engine]] = {
        "kinds": lambda: lambda seed: fast.run(seed, forked, run_kinds, keep=keep),
        "walk": lambda: lambda seed: fast.run(seed, forked, run_walk, keep=keep),
        "ansible": lambda: lambda seed: fast.run(seed, installed, run_kinds, keep=keep),
        "real": lambda: _real(stack, keep=keep),
    }
    return {name: known[name]() for name in wanted}


def _real(stack: ExitStack, *, keep: bool) -> Engine:
    from tests.soak.engines.real import RealEngine  # starts two clouds

    return stack.enter_context(RealEngine(keep=keep)).run


def seeds(options: argparse.Namespace, wanted: list[str]) -> Iterator[tuple[str, int]]:
    """(engine, seed), the known ones first."""
    if not options.no_replay:
        yield from ((each.engine, each.seed) for each in corpus.read() if each.engine in wanted)
    first = int(time.time()) if options.seed is None else options.seed
    rounds = range(options.runs) if options.runs else itertools.count()
    for number in rounds:
        for engine in wanted:
            # The first of a slow one comes soon: it is not to be left out where time is short.
            if len(wanted) == 1 or number % EVERY.get(engine, 1) == min(
                EVERY.get(engine, 1) - 1, 2
            ):
                yield engine, first + number


def main() -> int:
    options = arguments()
    wanted = options.engine or list(ENGINES)
    runs: list[Run] = []
    begun = time.monotonic()
    with ExitStack() as stack:
        by_name = engines(wanted, stack, keep=options.keep)
        try:
            for engine, seed in seeds(options, wanted):
                if not options.runs and time.monotonic() - begun > options.seconds:
                    break
                for run in by_name[engine](seed):
                    runs.append(run)
                    tell(engine, seed, run)
        except KeyboardInterrupt:
            say("stopped")
    sys.stdout.write(f"{table(runs)}\n")
    return int(any(run.wrong for run in runs))


def tell(engine: str, seed: int, run: Run) -> None:
    what = f"{engine} {seed}: {run.kind}: {run.kills} kills, {run.commands} commands"
    say(f"{what}, {run.seconds:.1f} s{': WRONG' if run.wrong else ''}")
    if run.wrong:
        for line in run.wrong:
            say(f"    {line}")
        say(f"    again: python -m tests.soak --no-replay --engine {engine} --seed {seed} --runs 1")
        corpus.add(Seed(engine, seed, f"{run.kind}: {run.wrong[0].splitlines()[0][:200]}"))


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
