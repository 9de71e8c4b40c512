"""The bytes of the disks of a source in memory: who wrote them, when, and noise.

A server writes all the time while it runs: the ``moment`` on its disks is the number of requests
that the cloud had answered.  So a disk tells which moment it was captured at, and disks of one
server that was stopped must tell the same.
"""

from __future__ import annotations

import json
from functools import lru_cache
from random import Random

HEADER = 256
"""Bytes of the part that tells disk and moment."""


@lru_cache(maxsize=512)
def disk_bytes(seed: int, disk: str, moment: int, kib: int) -> bytes:
    """``disk``: any text that names it.  ``kib``: size; a third of it is zero, a third repeats."""
    told = json.dumps({"disk": disk, "moment": moment, "kib": kib}).encode()
    rng = Random(f"{seed} {disk}")
    third = max(kib * 1024 // 3 // 512, 1) * 512
    noise = rng.randbytes(third)
    body = noise + bytes(third) + noise
    return (told.ljust(HEADER) + body)[: kib * 1024].ljust(kib * 1024, b"\0")


def read_header(data: bytes) -> tuple[str, int, int]:
    """Disk, moment and KiB that a disk's bytes tell.  Raises ValueError."""
    told = json.loads(data[:HEADER])
    return told["disk"], told["moment"], told["kib"]
