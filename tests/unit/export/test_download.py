"""Bytes that do not come as they should."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import pytest
import requests

from bundle_spec import BundleWriter
from bundle_spec.errors import CaptureError
from tests.unit.bundle.samples import content
from tests.unit.export.capture_source import ALONE, DB, WEB, Source, on_read, run
from tests.unit.fake_cloud import response


@pytest.mark.parametrize(
    ("data", "said"), [(b"short", "5 bytes came of"), (None, "do not have the sha512")]
)
def test_bytes_that_are_not_the_images_are_read_again(
    fake: Source, writer: BundleWriter, data: bytes | None, said: str
) -> None:
    wrong = data if data is not None else bytes(len(fake.bytes_of["golden"]))
    on_read(fake, "golden", lambda n: response(200, content=wrong) if n == 1 else None)
    found, notes = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.sha256 == hashlib.sha256(fake.bytes_of["golden"]).hexdigest()
    assert len(writer.finish(content()).manifest.abandoned) == 1
    (note,) = notes.notes
    assert said in note
    assert "reading it again" in note


@pytest.mark.parametrize("data", [b"short", b""])
def test_bytes_that_stay_wrong_end_the_capture_and_clean_up(
    fake: Source, writer: BundleWriter, data: bytes
) -> None:
    on_read(fake, "v1", lambda n: response(200, content=data))
    with pytest.raises(CaptureError, match=f"{len(data)} bytes came of"):
        run(fake, writer, [*WEB, *DB])
    assert sum(each.path.endswith("/file") for each in fake.calls) >= 3
    assert fake.left() == []


def test_a_download_that_breaks_off_is_begun_anew(fake: Source, writer: BundleWriter) -> None:
    class Broken(requests.Response):
        def iter_content(
            self, chunk_size: int | None = 1, decode_unicode: bool = False
        ) -> Iterator[bytes]:
            yield b"half"
            raise requests.exceptions.ChunkedEncodingError("connection reset")

    def broken(number: int) -> requests.Response | None:
        if number > 1:
            return None
        answer = Broken()
        answer.status_code, answer.raw = 200, io.BytesIO()
        return answer

    on_read(fake, "golden", broken)
    found, notes = run(fake, writer, [ALONE[1]])
    assert len(found.disks) == 1
    assert "the download broke off" in notes.notes[0]


def test_an_image_without_a_hash_is_held_against_its_size(
    fake: Source, writer: BundleWriter
) -> None:
    fake.of("/images")["golden"].update(os_hash_algo=None, os_hash_value=None)
    found, _ = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.capture is not None
    assert disk_found.capture.source_hash is None
