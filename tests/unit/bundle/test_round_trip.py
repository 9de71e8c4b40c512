"""What goes into a bundle comes out of it."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, DiskWriter, open_bundle, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form.layout import GIB, MAX_LINKS, MIB, TRAILER, chunk_size_for
from bundle_spec.model import Capture, Disk, Resources
from bundle_spec.progress import NullProgress, NullTask, Task, Unit
from tests.unit.bundle.samples import CHUNK, content, image, noise, write_bundle
from tests.vectors.forge import Forge

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 20 * CHUNK + 7]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.dpbundle"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [1000, CHUNK, MIB])
def test_a_disk_of_any_size(path: Path, size: int, piece: int) -> None:
    raw = noise(size)
    write_bundle(path, raw)
    with verify_bundle(path, read_data=True).open() as bundle:
        pieces = list(bundle.disk("0001").stream(piece))
    assert b"".join(pieces) == raw
    assert all(0 < len(each) <= piece for each in pieces)


def test_the_bytes_may_come_in_any_pieces(path: Path) -> None:
    raw = noise(5 * CHUNK + 11)
    with BundleWriter(path) as writer:
        disk = writer.disk("qcow2", size_hint=len(raw))
        for start in range(0, len(raw), 4099):
            disk.write(memoryview(raw)[start : start + 4099])
        assert disk.size == len(raw)
        disk.finish()
        writer.finish(content())
    with open_bundle(path) as bundle:
        assert b"".join(bundle.disk("0001").stream()) == raw


def test_any_range_can_be_read(path: Path) -> None:
    raw = noise(3 * CHUNK + 100)
    write_bundle(path, raw)
    with open_bundle(path) as bundle:
        disk = bundle.disk("0001")
        assert disk.size == len(raw)
        for offset in (0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 99, len(raw), len(raw) + 5):
            for length in (0, 1, 2, CHUNK, 2 * CHUNK + 3):
                assert disk.read(offset, length) == raw[offset : offset + length]
        with pytest.raises(ValueError, match="before its first"):
            disk.read(-1, 1)


def test_files_and_the_manifest(path: Path) -> None:
    finished = write_bundle(
        path, b"disk", files={"playbook/site.yml": b"---\n", "playbook/a/b": b""}
    )
    assert finished.size == path.stat().st_size
    with open_bundle(path) as bundle:
        assert bundle.manifest == finished.manifest
        assert bundle.manifest_sha256 == finished.manifest_sha256
        assert bundle.read_file("playbook/site.yml") == b"---\n"
        assert bundle.read_file("playbook/a/b") == b""
        with pytest.raises(KeyError):
            bundle.read_file("playbook/none")
        with pytest.raises(KeyError):
            bundle.disk("0002")


def test_an_empty_bundle(path: Path) -> None:
    with BundleWriter(path) as writer:
        writer.finish(content())
    assert verify_bundle(path, read_data=True).manifest.disks == ()


def test_several_disks_from_several_threads(path: Path) -> None:
    raws = [noise(40 * CHUNK + number, seed=number % 3) for number in range(6)]
    raws[5] = bytes(50 * CHUNK)
    with BundleWriter(path, threads=4) as writer:
        disks = [writer.disk("qcow2", size_hint=len(raw)) for raw in raws]
        records: dict[int, Disk] = {}

        def fill(number: int, disk: DiskWriter, raw: bytes) -> None:
            for start in range(0, len(raw), 100_000):
                disk.write(raw[start : start + 100_000])
            records[number] = disk.finish()

        threads = [
            threading.Thread(target=fill, args=(number, disk, raw))
            for number, (disk, raw) in enumerate(zip(disks, raws, strict=True))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        finished = writer.finish(content())
    # Three different disks of noise; what repeats is stored once, whoever came first.
    assert finished.stored < 3 * 42 * CHUNK
    with verify_bundle(path, read_data=True).open() as bundle:
        for number, raw in enumerate(raws):
            assert b"".join(bundle.disk(records[number].id).stream()) == raw


def test_repeated_chunks_are_stored_once_across_disks(path: Path) -> None:
    raw = noise(8 * CHUNK)
    once = write_bundle(path, raw).stored
    again = write_bundle(path.with_name("two"), raw, raw[CHUNK:] + raw[:CHUNK], raw * 3).stored
    assert again == once


def test_a_short_last_chunk_is_not_confused_with_a_whole_one(path: Path) -> None:
    raws = [bytes(CHUNK), bytes(CHUNK + 5), bytes(5)]
    write_bundle(path, *raws)
    with verify_bundle(path, read_data=True).open() as bundle:
        for number, raw in enumerate(raws, 1):
            assert b"".join(bundle.disk(f"000{number}").stream()) == raw


def test_a_member_has_no_more_links_than_file_systems_allow(path: Path) -> None:
    """[F-8]"""
    chunks = 2 * (MAX_LINKS + 1) + 3
    finished = write_bundle(path, bytes(chunks * CHUNK))
    frame = write_bundle(path.with_name("one"), bytes(CHUNK)).stored
    assert finished.stored == 3 * frame
    with verify_bundle(path, read_data=True).open() as bundle:
        assert sum(map(len, bundle.disk("0001").stream())) == chunks * CHUNK


def test_a_capture_and_its_image(path: Path) -> None:
    capture = Capture(type="volume", id="v1", at="2026-01-02T03:04:05Z", consistency="stopped")
    with BundleWriter(path) as writer:
        disk = writer.disk("raw")
        disk.write(b"x")
        record = disk.finish(capture)
        writer.finish(content(Resources(images=(image(record.id),))))
    assert verify_bundle(path).manifest.disk("0001").capture == capture


def test_an_abandoned_disk_stays_as_a_source_of_links(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bundle_spec.write.stage.IN_FLIGHT", 0)
    raw = noise(40 * CHUNK + 9)
    with BundleWriter(path) as writer:
        broken = writer.disk("qcow2", size_hint=len(raw))
        broken.write(raw)
        broken.abandon()
        broken.abandon()
        again = writer.disk("qcow2", size_hint=len(raw))
        again.write(raw)
        record = again.finish()
        again.abandon()
        finished = writer.finish(content(Resources(images=(image(record.id),))))
    (abandoned,) = finished.manifest.abandoned
    assert abandoned.chunks >= 16
    assert finished.stored < 42 * CHUNK
    with verify_bundle(path, read_data=True).open() as bundle:
        assert b"".join(bundle.disk(record.id).stream()) == raw
        with pytest.raises(KeyError):
            bundle.disk(abandoned.id)


@pytest.mark.parametrize(
    ("disk_format", "hint", "size"),
    [
        ("qcow2", 1, 64 * 1024),
        ("qcow2", 64 * GIB, 64 * 1024),
        ("qcow2", 64 * GIB + 1, 128 * 1024),
        ("qcow2", None, MIB),
        ("raw", 1, MIB),
        ("raw", 256 * GIB, MIB),
        ("raw", None, MIB),
        ("raw", 1024 * GIB, MIB),
        ("raw", 1024 * GIB + 1, 2 * MIB),
        ("raw", 10**15, 16 * MIB),
    ],
)
def test_the_chunk_size_follows_the_rule(disk_format: str, hint: int | None, size: int) -> None:
    """[F-20]"""
    assert chunk_size_for(disk_format, hint) == size


def test_a_disk_that_outgrows_its_chunks_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bundle_spec.form.layout.MAX_CHUNKS", 2)
    with BundleWriter(path) as writer:
        disk = writer.disk("qcow2", size_hint=5)
        disk.write(noise(2 * CHUNK))
        with pytest.raises(LocalError, match="announce the disk's size"):
            disk.write(noise(CHUNK + 1))
        disk.abandon()
        writer.finish(content())
    assert verify_bundle(path).manifest.abandoned[0].id == disk.id


def test_two_chunks_of_a_repeated_frame_are_read_from_a_bundle_by_a_stranger(path: Path) -> None:
    """SPEC.md is enough to write a bundle."""
    forge = Forge()
    forge.write(path)
    with verify_bundle(path, read_data=True).open() as bundle:
        assert b"".join(bundle.disk("0001").stream()) == forge.raw
        assert bundle.read_file("playbook/site.yml") == b"---\n"


def test_a_verified_bundle_opens_no_other(path: Path) -> None:
    write_bundle(path, b"one")
    verified = verify_bundle(path)
    path.unlink()
    write_bundle(path, b"two")
    with pytest.raises(BundleError, match="not the bundle that was verified"):
        verified.open()


def test_the_tail_of_a_tar(path: Path) -> None:
    """[F-1]"""
    write_bundle(path)
    assert path.read_bytes().endswith(TRAILER)


def test_faults_of_the_content_are_told_before_the_bundle_is_sealed(path: Path) -> None:
    wrong = content(Resources(images=(image("0001"),)))
    untyped = dataclasses.replace(content(), created=None)  # type: ignore[arg-type]
    not_text = dataclasses.replace(content(), tool="\udc80")
    with BundleWriter(path) as writer:
        for bad, message in (
            (wrong, "refers to disk '0001'"),
            (untyped, r"manifest\.json\.created: expected a string"),
            (not_text, "cannot be written"),
        ):
            with pytest.raises(BundleError, match=message):
                writer.finish(bad)
        writer.finish(content())
    verify_bundle(path)


def test_a_check_of_all_data_stops_at_once(path: Path) -> None:
    write_bundle(path, *(noise(40 * CHUNK, seed) for seed in range(6)))
    told: list[int] = []

    class Impatient(NullProgress):
        def task(self, label: str, total: int | None, unit: Unit) -> Task:
            return _Counting() if label == "read" else super().task(label, total, unit)

    class _Counting(NullTask):
        def advance(self, amount: int) -> None:
            told.append(amount)
            if len(told) == 3:
                os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        verify_bundle(path, read_data=True, progress=Impatient())
    assert len(told) < 100 < 6 * 40


def test_a_disk_as_a_file_with_holes(path: Path, tmp_path: Path) -> None:
    raw = noise(3 * CHUNK) + bytes(300 * CHUNK) + noise(5) + bytes(100)
    write_bundle(path, raw, bytes(50 * CHUNK))
    with open_bundle(path) as bundle:
        for disk, expected in (("0001", raw), ("0002", bytes(50 * CHUNK))):
            target = tmp_path / disk
            bundle.disk(disk).save(target)
            assert target.read_bytes() == expected
            assert target.stat().st_blocks * 512 < 6 * CHUNK
            with pytest.raises(LocalError, match="File exists"):
                bundle.disk(disk).save(target)
            assert target.read_bytes() == expected


def test_a_damaged_disk_leaves_no_file(path: Path, tmp_path: Path) -> None:
    """[F-18]"""
    forge = Forge(manifest=lambda value: value["disks"][0].update(sha256="0" * 64))
    with (
        open_bundle(forge.write(path)) as bundle,
        pytest.raises(BundleError, match="do not have the digest"),
    ):
        bundle.disk("0001").save(tmp_path / "disk")
    assert not (tmp_path / "disk").exists()
