"""docs/tutorial/first-move.md, command by command, with the output that it shows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import plain_tenant
from tests.devcloud import Devcloud
from tests.e2e.bash import bash, users_environment

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-move.md"
NOT_RUN = ("make clouds", "make down")
"""The clouds of this session are up, and stay so."""
MARK = "=== command "


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the page, and the lines that it shows below."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(line)
    return [step for step in found if step[0] not in NOT_RUN]


def loose(line: str) -> str:
    """Without what differs from run to run: IDs, numbers with a unit, blanks."""
    line = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", line)
    line = re.sub(r"\b\d+(\.\d+)+\b|\b\d+ s\b", "N", line)
    return " ".join(line.split())


@pytest.fixture
def output(clouds: Devcloud, tmp_path: Path, connect: Any) -> Iterator[list[str]]:
    """What each command of the page prints, in a directory that looks like a clone."""
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / ".devcloud").symlink_to(clouds.state)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    # The first project has the tenant of the other tests.
    commands = [
        f"{command} --other" if "tests.demo --tenant" in command else command
        for command, _ in steps()
    ]
    script = "".join(f"echo '{MARK}'\n{each}\n" for each in commands)
    printed = bash(script, cwd=tmp_path, env=users_environment())
    yield printed.split(f"{MARK}\n")[1:]
    plain_tenant.remove(connect("source-other"))


def test_every_command_of_the_tutorial_prints_what_the_page_shows(output: list[str]) -> None:
    assert len(output) == len(steps())
    for (command, shown), printed in zip(steps(), output, strict=True):
        lines = {loose(line) for line in printed.splitlines()}
        missing = [line for line in shown if loose(line) not in lines]
        assert not missing, f"$ {command}\n{printed}"
