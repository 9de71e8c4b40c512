"""Commands of downpour under faults: the same one again until it succeeds, each within a bound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bundle_spec.errors import INTERRUPTED_EXIT_CODE
from tests.e2e.bash import users_environment
from tests.house import ROOT

BIN = Path(sys.executable).parent
TRIES = 5
FORBIDDEN = ("Traceback (most recent call last)", "a fault of downpour itself")

_TABLE = ROOT / "docs" / "reference" / "exit-codes.md"
_NO_FAULT_OF_A_CLOUD = {0, 1, 2, INTERRUPTED_EXIT_CODE}


@dataclass(frozen=True)
class Try:
    """``code``: None where it had to be killed."""

    code: int | None
    seconds: float
    stdout: str
    stderr: str

    def faults(self) -> Iterator[str]:
        """What no command may do, whatever its clouds do."""
        if self.code is None:
            yield f"it hung: killed after {self.seconds:.0f} s"
        elif self.code and self.code not in exit_codes():
            yield f"it ended with {self.code}"
        elif self.code and "error: " not in self.stderr:
            yield f"it ended with {self.code} and no error"
        for text in FORBIDDEN:
            if text in self.stdout + self.stderr:
                yield f"it printed {text!r}"


@dataclass(frozen=True)
class Phase:
    """One command, as often as it took.  ``wrong``: what is to be reported."""

    name: str
    tries: Sequence[Try]
    wrong: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return bool(self.tries) and self.tries[-1].code == 0

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.tries)


@dataclass(frozen=True)
class User:
    """Somebody who types commands in ``folder``, where a clouds.yaml lies."""

    folder: Path

    def insists(
        self, name: str, command: Sequence[str], bound: float, *, most: int = TRIES
    ) -> Phase:
        """Run the command until it succeeds, ``most`` times at most; each may take ``bound``
        seconds."""
        tries: list[Try] = []
        while len(tries) < most and not (tries and tries[-1].code == 0):
            tries.append(self._run(f"{name}-{len(tries) + 1}", command, bound))
        phase = Phase(name, tries)
        for number, each in enumerate(tries, 1):
            phase.wrong.extend(f"try {number}: {fault}" for fault in each.faults())
        if not phase.is_done:
            phase.wrong.append(f"no success in {most} tries")
        return phase

    def _run(self, name: str, command: Sequence[str], bound: float) -> Try:
        """Its output goes to files that stay, for whoever reads a failure."""
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        began = time.monotonic()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [BIN / command[0], *command[1:]],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            code = _wait(process, bound)
        seconds = time.monotonic() - began
        return Try(code, seconds, *(path.read_text(errors="replace") for path in (out, err)))

    def _environment(self) -> Mapping[str, str]:
        return {**users_environment(), "OS_CLIENT_CONFIG_FILE": str(self.folder / "clouds.yaml")}


def _wait(process: subprocess.Popen[bytes], bound: float) -> int | None:
    """Its exit code; None where it ran for longer than that, and was killed with all it began."""
    try:
        return process.wait(bound)
    except subprocess.TimeoutExpired:
        _say_where(process.pid)
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _say_where(pid: int) -> None:
    """The stacks of what hangs, to our stderr, where py-spy is installed."""
    spy = BIN / "py-spy"
    if spy.exists():
        done = subprocess.run([spy, "dump", "--pid", str(pid)], capture_output=True, text=True)
        sys.stderr.write(done.stdout + done.stderr)


def exit_codes() -> set[int]:
    """Those of the documented table by which a command may say that its clouds failed it."""
    rows = (line.split("|") for line in _TABLE.read_text().splitlines() if line.startswith("| "))
    return {int(row[1]) for row in rows if row[1].strip().isdigit()} - _NO_FAULT_OF_A_CLOUD
