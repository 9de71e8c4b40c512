"""What a hostile bundle can make a reader spend [F-18]."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.vectors.forge import Forge

VERIFY = """
import resource, sys
from pathlib import Path
from bundle_spec import check_structure
from bundle_spec.errors import BundleFaults

resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    check_structure(Path(sys.argv[1]))
except BundleFaults as exc:
    print(len(exc.faults), exc.faults[0].code.slug)
"""

MEMORY = 512 * 2**20
"""Bytes of address space, of which Python and its libraries take most."""


def told(path: Path) -> str:
    """How many faults a process with little memory finds, and the code of the first."""
    command = [sys.executable, "-c", VERIFY, str(path), str(MEMORY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_path_of_many_slashes(tmp_path: Path) -> None:
    """[F-18]  All folders of such a path take as many bytes as the square of its length."""
    path = "playbook" + 100_000 * "/"
    forge = Forge(manifest=lambda value: value["files"][0].update(path=path))
    assert told(forge.write(tmp_path / "forged.dpbundle")) == "1 file-path"
