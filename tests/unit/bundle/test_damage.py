"""Damage on the way: no flipped byte and no cut goes unseen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bundle_spec import open_bundle, verify_bundle
from bundle_spec.errors import MAX_FAULTS, BundleError, BundleFaults, LocalError
from tests.soak.damage.corruption import Victim, seeded
from tests.unit.bundle.samples import CHUNK, noise, write_bundle
from tests.vectors import generate
from tests.vectors.forge import Forge


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Forge().write(tmp_path / "small.dpbundle")


def test_flipped_bytes_are_found_and_named(tmp_path: Path) -> None:
    """[F-16]  ``make soak`` does it ten thousand times."""
    victim = Victim(generate.vectors()["valid/everything"], tmp_path / "out.dpbundle")
    with seeded(7) as rng:
        for _ in range(300):
            victim.check_flip(rng.randrange(len(victim.whole)), rng.randrange(1, 256))


def test_every_cut_at_a_block_is_found(tmp_path: Path) -> None:
    """[F-14]  And so at every boundary of a member."""
    victim = Victim(generate.vectors()["valid/one-disk"], tmp_path / "out.dpbundle")
    for size in range(0, len(victim.whole), 512):
        victim.check_cut(size)


@pytest.mark.parametrize("more", [b"\0", bytes(512), bytes(10240), b"junk"])
def test_bytes_after_the_end_are_seen(path: Path, more: bytes) -> None:
    """[F-1]"""
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(BundleError):
        verify_bundle(path)


def test_all_faults_are_told_with_member_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "out.dpbundle"
    write_bundle(path, noise(20 * CHUNK), files={"playbook/site.yml": b"---\n"})
    data = bytearray(path.read_bytes())
    # Members of this bundle: 1,024 bytes of magic, then chunks of 65,549 bytes and a header.
    step = 512 + 129 * 512
    for chunk in (3, 11):
        data[1024 + chunk * step + 512 + 100] ^= 1
    data[1024 + 17 * step + 101] ^= 1
    site = data.index(b"---\n")
    data[site] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleFaults) as caught:
        verify_bundle(path)
    assert [fault.where for fault in caught.value.faults] == [
        f"disks/0001/00000/003.zst at {1024 + 3 * step}",
        f"disks/0001/00000/00b.zst at {1024 + 11 * step}",
        f"header at {1024 + 17 * step}",
        f"disks/0001/00000/012.zst at {1024 + 18 * step}",
        f"playbook/site.yml at {site - 512}",
    ]


def test_faults_without_end_are_told_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "out.dpbundle"
    write_bundle(path, bytes(1000 * CHUNK) + noise(CHUNK) * 1000)
    data = bytearray(path.read_bytes())
    for position in range(1024, len(data) - 10 * CHUNK, 512):
        data[position + 150] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleFaults) as caught:
        verify_bundle(path)
    assert len(caught.value.faults) <= MAX_FAULTS


def test_a_damaged_chunk_stops_a_stream_and_not_the_other_disks(tmp_path: Path) -> None:
    path = tmp_path / "out.dpbundle"
    raws = noise(5 * CHUNK, 1), noise(5 * CHUNK, 2)
    write_bundle(path, *raws)
    data = bytearray(path.read_bytes())
    data[1024 + 2 * (512 + 129 * 512) + 512 + 100] ^= 1
    path.write_bytes(data)
    with open_bundle(path) as bundle:
        with pytest.raises(
            BundleError, match=r"disks/0001/00000/002\.zst at \d+: damaged: it does not"
        ):
            list(bundle.disk("0001").stream())
        assert bundle.disk("0001").read(0, 10) == raws[0][:10]
        assert b"".join(bundle.disk("0002").stream()) == raws[1]


def test_a_file_that_is_no_bundle(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data in (b"", b"PK\3\4" * 1000, bytes(10_000)):
        path.write_bytes(data)
        with pytest.raises(BundleError, match="not a bundle"):
            verify_bundle(path)
    with pytest.raises(LocalError, match="No such file"):
        verify_bundle(tmp_path / "none")
    with pytest.raises(LocalError):
        verify_bundle(tmp_path)


def test_the_command(path: Path) -> None:
    command = [sys.executable, "-m", "bundle_spec", "verify", "--read-data", "-q", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: whole")
    path.write_bytes(path.read_bytes()[:-512])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (BundleError.exit_code, "")
    assert "cut short" in done.stderr
