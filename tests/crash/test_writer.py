"""The power is cut while a bundle is written: the next run ends with a bundle that is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.crash import writing
from tests.crash.states import SEED, choose, steps_of, try_states
from tests.media.disk import Cut, State, cuts
from tests.media.log import Step
from tests.media.system import System

PARTS = 70_000


@pytest.fixture(autouse=True)
def checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there can be, and each chunk on its way at once."""
    monkeypatch.setattr("bundle_spec.write.store.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("bundle_spec.write.stage.IN_FLIGHT", 0)


def written(
    folder: Path, *, part_size: int | None, overwrite: bool = False
) -> tuple[State, Sequence[Step]]:
    """What is on the disk before a bundle is written into ``folder``, and the steps of that."""

    def run(system: System) -> None:
        path = folder / writing.NAME
        writing.write(path, system.promise, part_size=part_size, overwrite=overwrite)

    return steps_of(folder, run)


def going_on(
    *, part_size: int | None, overwrite: bool = False, before: frozenset[str] = frozenset()
) -> Callable[[Path, set[str]], None]:
    """Checks the next run; ``before``: what earlier runs had promised."""

    def go_on(folder: Path, promises: set[str]) -> None:
        path, kept = folder / writing.NAME, promises | before
        writing.go_on(path, kept, part_size=part_size, overwrite=overwrite)

    return go_on


@pytest.mark.parametrize("part_size", [None, PARTS])
def test_whatever_a_power_cut_leaves_of_an_export_is_gone_on_with(
    place: Path, part_size: int | None
) -> None:
    (place / "before").mkdir()
    before, steps = written(place / "before", part_size=part_size)
    try_states(place, before, steps, going_on(part_size=part_size))


@pytest.mark.parametrize("part_size", [None, PARTS])
def test_an_export_that_replaces_a_bundle_of_the_other_form_is_gone_on_with(
    place: Path, part_size: int | None
) -> None:
    folder = place / "before"
    folder.mkdir()
    writing.write(folder / writing.NAME, part_size=None if part_size else PARTS)
    before, steps = written(folder, part_size=part_size, overwrite=True)
    try_states(place, before, steps, going_on(part_size=part_size, overwrite=True))


def within_disk(cut: Cut) -> bool:
    return "disk a" in cut.promises and "disk c" not in cut.promises


def within_publishing(cut: Cut) -> bool:
    return f"{writing.NAME}.003" in cut.state.names and f"{writing.NAME}.001" not in cut.state.names


@pytest.mark.parametrize("moment", [within_disk, within_publishing])
def test_a_second_cut_in_the_run_that_goes_on_takes_nothing_either(
    place: Path, moment: Callable[[Cut], bool]
) -> None:
    (place / "before").mkdir()
    before, steps = written(place / "before", part_size=PARTS)
    fitting = [cut for cut in cuts(before, steps, choose(SEED)) if moment(cut)]
    for number, cut in enumerate(choose(SEED).sample(fitting, 3)):
        folder = place / str(number)
        folder.mkdir()
        cut.state.lay_out(folder)
        again, more = written(folder, part_size=PARTS)
        promised = frozenset(cut.promises)
        try_states(place, again, more, going_on(part_size=PARTS, before=promised), share=3)


def test_the_states_are_those_of_which_posix_says_nothing(place: Path) -> None:
    """So that none is tried twice, and none is forgotten."""
    (place / "before").mkdir()
    before, steps = written(place / "before", part_size=PARTS)
    states = list(cuts(before, steps, choose(SEED)))
    assert len({(cut.state.digest(), cut.promises) for cut in states}) == len(states) > 300
    ways = {"none", "all", "lengths", "names only", "data only", "one missing", "a prefix", "torn"}
    assert {cut.how for cut in states} == ways
