"""Bytes that do not come as they should."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bundle_spec import BundleWriter
from downpour_export.capture.download import TRIES
from downpour_export.errors import CaptureError
from tests.unit.bundle.samples import content
from tests.unit.export.capture_source import ALONE, DB, WEB, Source, disk, on_read, run
from tests.unit.fake_cloud import response


def broken_after(data: bytes) -> requests.Response:
    """An answer whose connection breaks behind ``data``."""

    class Broken(requests.Response):
        def iter_content(
            self, chunk_size: int | None = 1, decode_unicode: bool = False
        ) -> Iterator[bytes]:
            yield data
            raise requests.exceptions.ChunkedEncodingError("connection reset")

    answer = Broken()
    answer.status_code, answer.raw = 200, io.BytesIO()
    return answer


def ranges(fake: Source) -> list[str | None]:
    """Which bytes were asked for, read by read."""
    return [each.headers.get("Range") for each in fake.calls if each.path.endswith("/file")]


def sha256(fake: Source, image: str = "golden") -> str:
    return hashlib.sha256(fake.bytes_of[image]).hexdigest()


def test_bytes_that_prove_wrong_are_abandoned_and_read_again(
    fake: Source, writer: BundleWriter
) -> None:
    wrong = bytes(len(fake.bytes_of["golden"]))
    on_read(fake, "golden", lambda n: response(200, content=wrong) if n == 1 else None)
    found, notes = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.sha256 == sha256(fake)
    assert len(writer.finish(content()).manifest.abandoned) == 1
    (note,) = notes.notes
    assert "do not have the sha512" in note
    assert "reading it again" in note


@pytest.mark.parametrize("data", [b"short", b""])
def test_bytes_that_stay_away_end_the_capture_and_clean_up(
    fake: Source, writer: BundleWriter, data: bytes
) -> None:
    def only_these(n: int) -> requests.Response:
        return response(200, content=data)

    on_read(fake, "v1", only_these)
    with pytest.raises(CaptureError, match=f"{len(data)} bytes came of"):
        run(fake, writer, [*WEB, *DB])
    assert len(ranges(fake)) >= TRIES
    assert fake.left() == []


@pytest.mark.parametrize("break_off", [True, False])
def test_a_download_that_breaks_off_goes_on_where_it_broke(
    fake: Source, writer: BundleWriter, break_off: bool
) -> None:
    half = fake.bytes_of["golden"][:7000]
    first = broken_after(half) if break_off else response(200, content=half)
    on_read(fake, "golden", lambda n: first if n == 1 else None)
    found, notes = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.sha256 == sha256(fake)
    assert ranges(fake) == [None, "bytes=7000-"]
    assert "going on at byte 7000" in notes.notes[0]
    assert writer.finish(content()).manifest.abandoned == ()


def test_an_answer_that_starts_from_the_beginning_is_not_taken_for_the_rest(
    fake: Source, writer: BundleWriter
) -> None:
    """A store that knows no ranges answers 200 with all."""
    data = fake.bytes_of["golden"]
    answers = {1: broken_after(data[:7000]), 2: response(200, content=data)}
    on_read(fake, "golden", answers.get)
    found, _ = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.sha256 == sha256(fake)
    assert writer.finish(content()).manifest.abandoned == ()


def test_bytes_from_another_place_than_asked_for_are_refused(
    fake: Source, writer: BundleWriter
) -> None:
    data = fake.bytes_of["golden"]
    other = response(206, content=data[5000:])
    other.headers["Content-Range"] = f"bytes 5000-{len(data) - 1}/{len(data)}"
    on_read(fake, "golden", {1: broken_after(data[:7000]), 2: other}.get)
    found, notes = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.sha256 == sha256(fake)
    assert "other bytes than those from 7000" in notes.notes[1]


def test_a_killed_run_goes_on_within_the_disk(fake: Source, tmp_path: Path) -> None:
    fake.image("big", "big", random.Random(1).randbytes(5_000_000))
    big = disk("image", "big", "idle")
    on_read(
        fake, "big", lambda n: broken_after(fake.bytes_of["big"][:3_000_000]) if n == 1 else died()
    )
    with BundleWriter(tmp_path / "out") as writer, pytest.raises(KeyboardInterrupt):
        run(fake, writer, [big])
    fake.before.clear()
    fake.calls.clear()
    with BundleWriter(tmp_path / "out") as writer:
        found, _ = run(fake, writer, [big])
        manifest = writer.finish(content()).manifest
    (asked,) = ranges(fake)
    assert asked is not None
    assert 0 < int(asked.removeprefix("bytes=").removesuffix("-")) <= 3_000_000
    assert found.disks[big.ref].sha256 == sha256(fake, "big")
    assert found.disks[big.ref].capture is not None
    assert manifest.abandoned == ()


def test_an_image_that_has_changed_since_is_read_from_its_beginning(
    fake: Source, tmp_path: Path
) -> None:
    fake.image("big", "big", random.Random(1).randbytes(5_000_000))
    big = disk("image", "big", "idle")
    on_read(
        fake, "big", lambda n: broken_after(fake.bytes_of["big"][:3_000_000]) if n == 1 else died()
    )
    with BundleWriter(tmp_path / "out") as writer, pytest.raises(KeyboardInterrupt):
        run(fake, writer, [big])
    fake.before.clear()
    fake.calls.clear()
    fake.image("big", "big", random.Random(2).randbytes(5_000_000))
    with BundleWriter(tmp_path / "out") as writer:
        found, _ = run(fake, writer, [big])
        manifest = writer.finish(content()).manifest
    assert ranges(fake) == [None]
    assert found.disks[big.ref].sha256 == sha256(fake, "big")
    assert len(manifest.abandoned) == 1


def died() -> requests.Response:
    raise KeyboardInterrupt


def test_an_image_without_a_hash_is_held_against_its_size(
    fake: Source, writer: BundleWriter
) -> None:
    fake.of("/images")["golden"].update(os_hash_algo=None, os_hash_value=None)
    found, notes = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.capture is not None
    assert disk_found.capture.source_hash is None
    assert "tells no hash" in notes.notes[0]


def test_a_disk_that_no_import_takes_is_told_when_it_is_read(
    fake: Source, writer: BundleWriter
) -> None:
    fake.image("nested", "nested", b"QFI\xfb\0\0\0\3".ljust(5000, b"\0"))
    _, notes = run(fake, writer, [disk("image", "nested", "idle")])
    assert [note for note in notes.notes if "warning" in note] == [
        "image nested: warning: an import will refuse this disk: it is said to be 'raw' and "
        "begins as qcow2"
    ]
