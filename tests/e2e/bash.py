"""Commands of a page, in a shell, as a user with a clean environment types them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_OF_TESTS = ("OS_", "ANSIBLE_", "DEVCLOUD_", "VIRTUAL_ENV")


def users_environment() -> dict[str, str]:
    """That of this process, without what names clouds or is the tests' own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OF_TESTS)}


def bash(script: str, *, cwd: Path, env: Mapping[str, str]) -> str:
    """What the script prints, errors too; fails where a command of it does."""
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
