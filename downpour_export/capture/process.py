"""Which process an export is, so that ``cleanup`` on the same machine knows whether it still runs.

Linux: proc(5).
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from downpour_export.discover.marks import Process

_UNKNOWN = "0" * 16
_PROC = Path("/proc")


@cache
def this_process() -> Process:
    pid = os.getpid()
    return Process(machine=_machine(), pid=pid, started=_started(pid) or 0)


def runs(process: Process) -> bool | None:
    """Whether it still runs; None where this machine cannot tell, as of a process of another."""
    if process.machine != _machine() or process.machine == _UNKNOWN:
        return None
    return _started(process.pid) == process.started


@cache
def _machine() -> str:
    """Stands for this machine since it was switched on, and for this container on it."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        namespace = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return _UNKNOWN
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:16]


def _started(pid: int) -> int | None:
    """When it began, in clock ticks since boot; None if there is none, or it only waits for its
    parent to notice that it has ended."""
    try:
        # After the name, which is in brackets and may hold anything: fields 3 and 22.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
