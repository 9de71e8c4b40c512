"""What a command takes of a machine, measured from outside."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PEAK = "=== VmHWM"
_RUN = f"""
import atexit, runpy, sys
def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    sys.stderr.write("{_PEAK} " + line.split()[1])
atexit.register(peak)
module, *sys.argv[1:] = sys.argv[1:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Cost:
    """``memory``: the most that was resident, MiB.  ``stdout``, ``stderr``: what was printed."""

    exit_code: int
    memory: float
    stdout: str
    stderr: str


def cost(module: str, arguments: Sequence[str | Path], *, seconds: float = 120) -> Cost:
    """Run ``python -m MODULE ARGUMENTS`` to its end; fails where that takes longer."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, module, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    stderr, _, peak = done.stderr.rpartition(_PEAK)
    assert re.fullmatch(r" \d+", peak), done.stderr[-2000:]
    return Cost(done.returncode, int(peak) / 1024, done.stdout, stderr)
