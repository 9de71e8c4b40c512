"""The limits of rule F-17, each from both sides."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bundle_spec
from bundle_spec import check_structure
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.form.layout import MAX_MANIFEST_SIZE, MIB
from bundle_spec.form.manifest_check import manifest_faults
from bundle_spec.model import Disk, File, Manifest
from bundle_spec.read.parts import find_parts, part_name
from tests.unit.bundle.samples import content
from tests.vectors.forge import CHUNK, Forge, canonical

DIGEST = "0" * 64


def disk(number: int = 1, *, chunks: int = 1, chunk_size: int = CHUNK) -> Disk:
    return Disk(
        id=f"{number:04d}",
        disk_format="raw",
        size=chunks * abs(chunk_size),
        sha256=DIGEST,
        chunk_size=chunk_size,
        chunks=chunks,
        list_sha256=DIGEST,
        stored=0,
        shared=0,
    )


def codes(*, disks: tuple[Disk, ...] = (), files: tuple[File, ...] = ()) -> set[Code | None]:
    """Of the faults of a manifest with these."""
    said = content()
    manifest = Manifest(
        **{each.name: getattr(said, each.name) for each in dataclasses.fields(said)},
        format="dpbundle",
        version=(1, 0),
        uuid="6d3f1c1e-0000-4000-8000-000000000001",
        disks=disks,
        files=files,
        index_sha256=DIGEST,
    )
    return {fault.code for fault in manifest_faults(manifest)}


@pytest.mark.parametrize("size", [2**n for n in range(30)] + [0, -CHUNK, 3 * CHUNK, CHUNK + 1])
def test_the_chunk_size(size: int) -> None:
    """[F-17] [F-20]  Any power of two from 64 KiB to 16 MiB is taken."""
    allowed = size in (2**n for n in range(16, 25))
    assert codes(disks=(disk(chunk_size=size),)) == (set() if allowed else {Code.CHUNK_SIZE})


def test_the_chunks_of_a_disk() -> None:
    """[F-17] [M-9]"""
    assert codes(disks=(disk(chunks=2**20),)) == set()
    assert codes(disks=(disk(chunks=2**20 + 1),)) == {Code.LIMIT}
    assert codes(disks=(dataclasses.replace(disk(), size=CHUNK + 1),)) == {Code.CHUNK_COUNT}


def test_the_chunks_of_a_bundle() -> None:
    """[F-17]"""
    disks = tuple(disk(number, chunks=2**20) for number in range(1, 65))
    assert codes(disks=disks) == set()
    assert codes(disks=(*disks, disk(65))) == {Code.LIMIT}


def test_the_disks_of_a_bundle() -> None:
    """[F-17] [M-8]"""
    disks = tuple(disk(number) for number in range(1, 10_000))
    assert codes(disks=disks) == set()
    assert Code.DISK_ID in codes(disks=(*disks, disk(10_000)))


def test_the_files_of_a_bundle() -> None:
    """[F-17]"""

    def files(count: int, size: int = 0) -> tuple[File, ...]:
        names = (f"playbook/{number:05d}" for number in range(count))
        return tuple(File(path=name, size=size, sha256=DIGEST) for name in names)

    assert codes(files=files(10_000)) == set()
    assert codes(files=files(10_001)) == {Code.LIMIT}
    assert codes(files=files(1, 16 * MIB)) == set()
    assert codes(files=files(1, 16 * MIB + 1)) == {Code.LIMIT}


def told(path: Path) -> set[Code | None]:
    try:
        check_structure(path)
    except BundleFaults as exc:
        return {fault.code for fault in exc.faults if isinstance(fault, BundleError)}
    return set()


def test_the_size_of_the_manifest(tmp_path: Path) -> None:
    """[F-17]  One byte more is the vector ``end-manifest-over-24-mib``."""

    def fill(value: dict[str, Any]) -> None:
        value["later"] = ""
        value["later"] = "x" * (MAX_MANIFEST_SIZE - len(canonical(value)))

    forge = Forge(disks=[], files={}, manifest=fill)
    assert told(forge.write(tmp_path / "large.dpbundle")) == set()


def test_the_size_of_the_signature(tmp_path: Path) -> None:
    """[F-17]"""
    for size, found in ((2**16, set()), (2**16 + 1, {Code.LIMIT})):
        forge = Forge(disks=[], files={}, signature=b"x" * size)
        assert told(forge.write(tmp_path / "signed.dpbundle")) == found


def test_the_number_of_parts(tmp_path: Path) -> None:
    """[F-17] [S-1]"""
    name = "out.dpbundle"

    def list_of(count: int) -> None:
        lines = (f"{DIGEST}  {part_name(name, number)}\n" for number in range(1, count + 1))
        (tmp_path / f"{name}.parts").write_text("".join(lines))

    for number in range(1, 1001):
        with (tmp_path / part_name(name, number)).open("wb") as file:
            file.truncate(2**16)
    list_of(999)
    assert len(find_parts(tmp_path / name)) == 999
    list_of(1000)
    with pytest.raises(BundleError) as caught:
        find_parts(tmp_path / name)
    assert caught.value.code == Code.PART_LIST


def test_the_table_has_these_limits() -> None:
    """[F-17]"""
    spec = (Path(bundle_spec.__file__).parent / "SPEC.md").read_text()
    table = spec.split("**[F-17]")[1].split("**[F-18]")[0]

    def rows() -> Iterator[tuple[str, str]]:
        yield from re.findall(r"^\| (.+) \| (.*\d.*) \|$", table, re.M)

    assert dict(rows()) == {
        "chunk size": "a power of two from 64 KiB to 16 MiB",
        "chunks of a disk": "2^20",
        "chunks of a bundle": "2^26",
        "disks, with the abandoned ones": "9,999",
        "files": "10,000, of 16 MiB each",
        "manifest": "24 MiB, and 524,288 lines",
        "signature": "64 KiB",
        "parts": "999; a writer makes none smaller than 64 KiB but the last",
    }
