"""Commands as processes that can be killed: forked and quick, or installed as a user has them."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.soak.engines.child import run as run_child

BIN = Path(sys.executable).parent
LONGEST = 300.0
"""Seconds after which a command counts as one that hangs."""


@dataclass(frozen=True)
class Done:
    """``code``: of its exit, negative for a signal; None: it hung, and was ended.

    ``struck``: whether it was killed as planned.  ``requests``, ``writes``: how many it sent."""

    words: tuple[str, ...]
    code: int | None
    out: str
    err: str
    seconds: float
    struck: bool = False
    requests: int = 0
    writes: int = 0


Started = Callable[[int], None]
"""Called with the process's ID, once it runs."""


class Launcher(Protocol):
    def __call__(
        self,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        log: Path,
        started: Started,
    ) -> tuple[int | None, float]:
        """Run a command to its end; its code and seconds.  Its output: see ``run_child``."""


class Forked:
    """See ``child``.  One server of forks for all."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.soak.engines.child"])

    def __call__(
        self,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        log: Path,
        started: Started,
    ) -> tuple[int | None, float]:
        begun = time.monotonic()
        arguments = (tuple(words), str(cwd), dict(environment), str(log))
        process = self._context.Process(target=run_child, args=arguments)
        process.start()
        assert process.pid is not None
        try:
            started(process.pid)
            process.join(LONGEST)
            hung = process.exitcode is None
        finally:
            process.kill()
            process.join()
        return None if hung else process.exitcode, time.monotonic() - begun


class Installed:
    """The console scripts of this venv, with Ansible and all."""

    def __call__(
        self,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        log: Path,
        started: Started,
    ) -> tuple[int | None, float]:
        begun = time.monotonic()
        with open(f"{log}.out", "wb") as out, open(f"{log}.err", "wb") as err:
            process = subprocess.Popen(
                [BIN / words[0], *words[1:]],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                started(process.pid)
                code: int | None = process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                process.kill()
                process.wait()
        return code, time.monotonic() - begun


def running(temporary: Path) -> list[str]:
    """Command lines of processes that keep their temporary files there: whatever a command with
    this TMPDIR has started and left."""
    found = []
    mark = f"TMPDIR={temporary}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.name != str(os.getpid()) and mark in (path / "environ").read_bytes().split(
                b"\0"
            ):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
