"""Memory does not grow with a disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WRITE = """
import os, sys
from pathlib import Path
from bundle_spec import BundleWriter
from tests.unit.bundle.samples import content

with BundleWriter(Path(sys.argv[1])) as writer:
    disk = writer.disk(sys.argv[2], size_hint=512 << 20)
    block = os.urandom(1 << 20)
    for number in range(512):
        # No 64 KiB of it repeats: each begins with its own number.
        piece = bytearray(block)
        for start in range(0, len(piece), 65536):
            piece[start : start + 8] = (number << 32 | start).to_bytes(8, "big")
        disk.write(piece)
    disk.finish()
    finished = writer.finish(content())
assert finished.stored > 512 << 20, finished.stored
# Not getrusage: a child begins with the peak of the process that started it.
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def test_writing_half_a_gibibyte_takes_little_memory(tmp_path: Path) -> None:
    for disk_format in ("raw", "qcow2"):
        path = tmp_path / "out.dpbundle"
        command = [sys.executable, "-c", WRITE, str(path), disk_format]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        assert int(done.stdout) <= 150 * 1024, f"{disk_format}: {done.stdout} KiB"
        path.unlink()
