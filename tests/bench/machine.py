"""The machine that measured, as far as it matters, and nothing that tells whose it is."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

import zstandard


def describe(work: Path) -> dict[str, str]:
    """What to know of the machine; ``work`` lies on the file system that was used."""
    cpuinfo = _read("/proc/cpuinfo")
    memory = int(_first(r"MemTotal:\s*(\d+) kB", _read("/proc/meminfo")) or 0)
    sha = "yes" if re.search(r"^(flags|Features)\b.*\b(sha_ni|sha2)\b", cpuinfo, re.M) else "no"
    library = ".".join(map(str, zstandard.ZSTD_VERSION))
    return {
        "CPU": _first(r"model name\s*:\s*(.+)", cpuinfo) or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "SHA-256 instructions": sha,
        "memory": f"{memory / 2**20:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": _said("stat", "-f", "-c", "%T", str(work)),
        "Python": platform.python_version(),
        "python-zstandard": f"{zstandard.__version__}, libzstd {library}",
        "zstd": _first(r"v([\d.]+)", _said("zstd", "--version")),
        "coreutils": _first(r"([\d.]+)$", _said("sha256sum", "--version")),
        "OpenSSL": _first(r"OpenSSL ([\w.]+)", _said("openssl", "version")),
        "qemu-img": _first(r"version ([\d.]+)", _said("qemu-img", "--version")),
        "e2fsprogs": _first(r"mke2fs ([\w.]+)", _said("mkfs.ext4", "-V")),
        "load when it began": f"{os.getloadavg()[0]:.1f}",
    }


def _read(path: str) -> str:
    return Path(path).read_text(errors="replace")


def _said(*command: str) -> str:
    """The first line that a tool says of itself."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (done.stdout.strip().splitlines() or [""])[0]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1].strip() if found else ""
