"""Child processes on a stopwatch: wall and CPU seconds, peak memory."""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.errors import BenchError

ROOT = Path(__file__).parents[2]
_PIECE = 1 << 20
_LOOK = 0.02
_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")


@dataclass(frozen=True)
class Run:
    """What one child cost.

    ``cpu_seconds`` counts the child's own children too; ``peak`` is the resident memory, in
    bytes, of the child alone; ``output`` what it wrote to stdout.
    """

    seconds: float
    cpu_seconds: float
    peak: int
    output: str


@dataclass(frozen=True)
class Spread:
    """The median of some values, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def run(command: Sequence[str | Path], *, cwd: Path) -> Run:
    """Run ``command`` to its end in ``cwd``.  Raises BenchError when it fails.

    It gets a process group of its own, which is killed when this is interrupted.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        peak = _Peak(child.pid)
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        finally:
            peak.stop()
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            said = (err.read().strip() or out.read().strip() or "it said nothing").splitlines()
            words = " ".join(map(str, command))
            raise BenchError(f"`{words}` ended with {child.returncode}: {' | '.join(said[-12:])}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, peak.bytes, out.read())


def work(name: str, *arguments: str | Path | int) -> Run:
    """A function of ``tests.bench.work`` in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.work", name, *map(str, arguments)]
    return run(command, cwd=ROOT)


def said(done: Run) -> dict[str, float]:
    """The JSON object that it printed."""
    found: dict[str, float] = json.loads(done.output)
    return found


class _Peak:
    """Looks at a process's high-water mark until it ends.

    Not ru_maxrss: that begins with the peak of the process that started the child.  The kernel
    keeps the mark, so that only what comes in the last moment of a process can be missed.
    """

    def __init__(self, pid: int):
        self.bytes = 0
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            with suppress(OSError):
                self.bytes = peak_of(self._status.read_text()) or self.bytes
            if self._ended.wait(_LOOK):
                return

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def peak_of(status: str) -> int:
    """The high-water mark, in bytes, in the text of ``/proc/PID/status``; 0 for a dead process."""
    found = _PEAK.search(status)
    return int(found[1]) * 1024 if found else 0


def own_peak() -> int:
    """The peak of the resident memory of this process, in bytes."""
    return peak_of(Path("/proc/self/status").read_text())


def warm(paths: Iterable[Path]) -> None:
    """Read the files once, so that each side finds them in the page cache."""
    for path in paths:
        with path.open("rb") as file:
            while file.read(_PIECE):
                pass
