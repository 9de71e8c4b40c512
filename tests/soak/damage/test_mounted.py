"""A real file system under an export: its power is cut at random moments, and it is full.

Where root may mount; elsewhere tests/crash and tests/media say the same of a played one.
MOUNTED_RUNS sets how often, CRASH_SEED the seed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from tests.crash import writing
from tests.crash.states import SEED, choose
from tests.media.faults import check_told
from tests.soak.damage.mounted import Ext4, can_mount

RUNS = int(os.environ.get("MOUNTED_RUNS") or 40)

if can_mount():

    @pytest.fixture
    def medium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ext4]:
        monkeypatch.setattr("bundle_spec.write.store.CHECKPOINT_SECONDS", 0.0)
        monkeypatch.setattr("bundle_spec.write.stage.IN_FLIGHT", 0)
        made = Ext4(tmp_path, 16 * 2**20)
        yield made
        made.unmount()

    def run(path: Path, part_size: int | None, promises: set[str]) -> None:
        """Write the bundle, or fail in words."""
        try:
            writing.write(path, promises.add, part_size=part_size)
        except LocalError as exc:
            check_told(exc)

    @pytest.mark.parametrize("part_size", [None, 70_000])
    def test_a_real_file_system_loses_its_power(medium: Ext4, part_size: int | None) -> None:
        rng = choose(SEED)
        for _ in range(RUNS):
            path, promises = medium.path / writing.NAME, set[str]()
            for _ in range(2):
                timer = threading.Timer(rng.uniform(0, 0.6), medium.cut)
                timer.start()
                run(path, part_size, promises)
                timer.join()
                medium.unmount()
                medium.mount()
                if "published" in promises:
                    break
            writing.go_on(path, promises, part_size=part_size, overwrite=False)
            for each in medium.path.glob(f"{writing.NAME}*"):
                each.unlink()

    def test_a_real_file_system_is_full(medium: Ext4) -> None:
        rng = choose(SEED)
        ballast, path = medium.path / "ballast", medium.path / writing.NAME
        for _ in range(RUNS):
            free = os.statvfs(medium.path).f_bavail * os.statvfs(medium.path).f_bsize
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, free - rng.randrange(600_000)))
            promises = set[str]()
            run(path, None, promises)
            ballast.unlink()
            writing.go_on(path, promises, part_size=None, overwrite=False)
            for each in medium.path.glob(f"{writing.NAME}*"):
                each.unlink()
