"""A medium that fails while a bundle is written, read, split or signed on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash import writing
from tests.media.faults import try_faults


@pytest.fixture(autouse=True)
def checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there can be, and each chunk on its way at once."""
    monkeypatch.setattr("bundle_spec.write.store.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("bundle_spec.write.stage.IN_FLIGHT", 0)


@pytest.mark.parametrize("part_size", [None, 70_000])
def test_an_export_says_what_failed_and_goes_on_without_taking_a_disk_again(
    place: Path, part_size: int | None
) -> None:
    try_faults(
        place,
        lambda folder, promise: writing.write(folder / writing.NAME, promise, part_size=part_size),
        lambda folder, promises: writing.go_on(
            folder / writing.NAME, promises, part_size=part_size, overwrite=False
        ),
    )
