"""The benchmarks that start clouds run and measure all that they promise.  No times.

Minutes each, most of them those of the commands that are typed by hand.  They get clouds of their
own: those of the clone may be in use.
"""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import SECTIONS
from tests.devcloud import Devcloud
from tests.devcloud.cloud import DEFAULT_PORT_BASE

ROOT = Path(__file__).parents[2]
WITH_CLOUDS = [name for name, section in SECTIONS.items() if section.clouds and not section.long]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Another state directory, with what is slow to install from the clone's."""
    clouds = Devcloud()
    clouds.install()
    state = tmp_path / "devcloud"
    state.mkdir()
    for path in (clouds.venv, *clouds.state.glob("template-*")):
        (state / path.name).symlink_to(path)
    base = int(os.environ.get("DEVCLOUD_PORT_BASE") or DEFAULT_PORT_BASE) + 500
    return {**os.environ, "DEVCLOUD_STATE": str(state), "DEVCLOUD_PORT_BASE": str(base)}


@pytest.mark.parametrize("name", WITH_CLOUDS)
def test_every_row_has_a_number(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--tiny", name, "--work", work, "--out", out],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with (out / "benchmarks" / f"{name}.csv").open() as file:
        found = {line["key"]: line for line in csv.DictReader(file)}
    assert found.keys() == {row.key for row in SECTIONS[name].rows}
    assert all(0 <= float(line["median"]) < math.inf for line in found.values())
    page = (out / "benchmarks.md").read_text()
    picture = SECTIONS[name].picture or name
    assert f"](benchmarks/{picture}.svg)" in page
    assert (out / "benchmarks" / f"{picture}.svg").read_text().startswith("<?xml")
    assert str(tmp_path) not in page
    assert not any(work.iterdir())
