"""Imports that are stopped in the middle: nothing is made twice, nothing runs on behind.

Into the other project of the source cloud, which has a keypair of the same name already.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Exported, Shell, read_csv
from tests.e2e.holdings import holdings
from tests.tenant import MADE


def start(shell: Shell, state: Path) -> subprocess.Popen[str]:
    ours(state).mkdir(exist_ok=True)
    return shell.start(
        "downpour-import", "out.dpbundle", "--cloud", "source-other",
        "--state", state, "--map", "keys.yml",
        TMPDIR=str(ours(state)),
    )  # fmt: skip


def rows(state: Path) -> int:
    path = state / "uuids.csv"
    return len(read_csv(path)) - 1 if path.exists() else 0


def wait_for_rows(process: subprocess.Popen[str], state: Path, number: int) -> None:
    deadline = time.monotonic() + 120
    while rows(state) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ours(state: Path) -> Path:
    """Where the imports into ``state`` keep what is temporary; all that they start inherits it."""
    return state.with_suffix(".tmp")


def running(state: Path) -> list[str]:
    """Command lines of what these imports started: playbooks, and modules left behind by them.

    Whoever else uses the machine may have some of their own.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            environment = (path / "environ").read_bytes().split(b"\0")
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"TMPDIR={ours(state)}".encode() in environment:
            found.append(command)
    return found


def test_stopped_twice_and_gone_on_everything_is_there_once(
    shell: Shell, exported: Exported, connect: Any
) -> None:
    (shell.directory / "keys.yml").write_text("keypairs: {demo-key: demo-key}\n")
    before = {kind: len(items) for kind, items in holdings(connect("source-other")).items()}
    state = shell.directory / "stopped"

    process = start(shell, state)
    wait_for_rows(process, state, 6)
    assert any("playbook_process" in command for command in running(state))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "run the same command again to go on" in stderr
    assert not running(state)

    process = start(shell, state)
    wait_for_rows(process, state, 14)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 20
    while running(state):
        assert time.monotonic() < deadline, running(state)
        time.sleep(0.2)

    done = start(shell, state)
    stdout, stderr = done.communicate(timeout=600)
    assert done.returncode == 0, stderr
    assert "unchanged" in stdout
    assert rows(state) == 23
    assert len({tuple(row) for row in read_csv(state / "uuids.csv")}) == 24
    after = {kind: len(items) for kind, items in holdings(connect("source-other")).items()}
    made = {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]}
    assert made == {**MADE, "keypairs": 1}
