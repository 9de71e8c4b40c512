"""What a hostile bundle can make a reader spend [F-18]."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bundle_spec.errors import MAX_FAULTS
from tests.vectors.forge import Forge, Json

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


DISK = {
    "id": "x",
    "disk_format": "raw",
    "size": 0,
    "sha256": "0" * 64,
    "chunk_size": 65536,
    "chunks": 0,
    "list_sha256": "0" * 64,
    "stored": 0,
    "shared": 0,
}

PORT = {
    "id": "p",
    "name": "p",
    "network_id": "n",
    "mac_address": "m",
    "security_group_ids": ["g"] * 500_000,
}


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


HOSTILE: dict[str, tuple[Json, str]] = {
    "records that are none": ({"abandoned": [0] * 500_000}, "form"),
    "disks of one id": ({"disks": [DISK] * 2_000}, "disk-id"),
    "references to nothing": ({"resources": {"ports": [PORT]}}, "reference"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_faults_without_end_in_a_manifest(tmp_path: Path, name: str) -> None:
    """[F-18]"""
    change, code = HOSTILE[name]
    forge = Forge(disks=[], files={}, manifest=lambda value: value.update(change))
    assert told(forge.write(tmp_path / "forged.dpbundle")) == f"{MAX_FAULTS} {code}"
