"""A handful of stories with kills, as ``make soak`` tells hundreds: seeds that found something, and
some others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import corpus
from tests.soak.corpus import Seed
from tests.soak.engines import fast
from tests.soak.engines.commands import Forked
from tests.soak.stories.kinds import Run, run_kinds
from tests.soak.stories.walk import run_walk
from tests.soak.table import table

TELLS = {"kinds": run_kinds, "walk": run_walk}
QUICK = [(each.engine, each.seed) for each in corpus.read() if each.engine in TELLS][:3]


@pytest.mark.parametrize(("engine", "seed"), [*QUICK, ("walk", 3)])
def test_a_story_with_kills_ends_as_it_must(launch: Forked, engine: str, seed: int) -> None:
    runs = fast.run(seed, launch, TELLS[engine])
    assert [line for run in runs for line in run.wrong] == []
    assert sum(run.kills for run in runs) > 0


def test_a_seed_that_found_something_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_text("# engine, seed, what it found\n")
    assert corpus.add(Seed("walk", 7, "undo: left a port"), path)
    assert not corpus.add(Seed("walk", 7, "something else"), path)
    assert corpus.read(path) == [Seed("walk", 7, "undo: left a port")]


def test_the_table_counts_what_failed() -> None:
    text = table([Run("undo", 2, 3, 1.2), Run("undo", 1, 2, 0.9, ("left a port",))])
    assert "| undo | 2 | 3 | 5 | 1 | 2 |" in text
    assert "cores" in text
