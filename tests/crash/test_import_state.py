"""The power is cut during an import: the next start reads whatever the last one had synced."""

from __future__ import annotations

from pathlib import Path

from tests.crash import importing
from tests.crash.states import steps_of, try_states


def test_whatever_a_power_cut_leaves_of_a_state_directory_is_gone_on_with(place: Path) -> None:
    """Also of the directories above it, which the import makes."""
    (place / "before").mkdir()
    state = Path("a", "state")
    before, steps = steps_of(
        place / "before",
        lambda system: importing.run(place / "before" / state, system.promise),
    )
    try_states(
        place, before, steps, lambda folder, promises: importing.start(folder / state, promises)
    )
