"""Ten thousand damaged bundles: every fault is found, and named where it is.

SOAK_SEED sets the seed, SOAK_FLIPS another number of flips.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundle_spec import verify_bundle
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults, DownpourError
from tests.soak.damage.corruption import Victim, seeded
from tests.unit.bundle.test_signature import member, verified
from tests.vectors import generate
from tests.vectors.vector import BUNDLE

FLIPS = int(os.environ.get("SOAK_FLIPS") or 10_000)
CUTS = 500


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim(generate.vectors()["valid/everything"], tmp_path / "out.dpbundle")


def test_flipped_bytes(victim: Victim) -> None:
    """[F-16]"""
    with seeded() as rng:
        for _ in range(FLIPS):
            victim.check_flip(rng.randrange(len(victim.whole)), rng.randrange(1, 256))


def test_every_byte_of_a_small_bundle(tmp_path: Path) -> None:
    """[F-16]"""
    victim = Victim(generate.vectors()["valid/short-last-chunk"], tmp_path / "small.dpbundle")
    with seeded() as rng:
        for position in range(len(victim.whole)):
            victim.check_flip(position, rng.randrange(1, 256))


def test_cuts(victim: Victim) -> None:
    """[F-14]  At every boundary of a member, of its header and of its data, and anywhere."""
    sizes = {place for region in victim.regions for place in region[1:]}
    assert len(victim.whole) not in sizes
    with seeded() as rng:
        sizes |= {rng.randrange(len(victim.whole)) for _ in range(CUTS)}
        for size in sorted(sizes):
            victim.check_cut(size)


def test_flipped_bytes_of_the_signature(victim: Victim, tmp_path: Path) -> None:
    """[F-13]  No check of the file finds them, but OpenSSH does: all but those of line ends, which
    it overlooks in the armor."""
    manifest = member(victim.whole, "manifest.json")
    signature = member(victim.whole, "manifest.json.sig")
    taken = []
    with seeded() as rng:
        for position in range(len(signature)):
            damaged = bytearray(signature)
            damaged[position] ^= rng.randrange(1, 256)
            if verified(tmp_path, manifest, bytes(damaged)):
                taken.append(position)
    assert {signature[position : position + 1] for position in taken} <= {b"\n"}


def test_flipped_bytes_of_parts(tmp_path: Path) -> None:
    """[S-4]  The part that the byte lies in is named, and no other."""
    files = generate.vectors()["valid/split"].files
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    parts = [name for name in files if not name.endswith(".parts")]
    with seeded() as rng:
        for _ in range(CUTS):
            name = rng.choice(parts)
            damaged = bytearray(files[name])
            damaged[rng.randrange(len(damaged))] ^= rng.randrange(1, 256)
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(BundleFaults) as caught:
                verify_bundle(tmp_path / BUNDLE)
            told = {fault.where for fault in caught.value.faults if is_blame(fault)}
            assert told == {name}
            (tmp_path / name).write_bytes(files[name])


def is_blame(fault: DownpourError) -> bool:
    return isinstance(fault, BundleError) and fault.code is Code.PART_DIGEST
