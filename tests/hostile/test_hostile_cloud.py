"""A cloud that wants our memory: answers of any length and form, disks without end."""

from __future__ import annotations

import gzip
import resource
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import BundleWriter
from bundle_spec.model import Capture
from bundle_spec.progress import NULL
from downpour_cloud import CloudOptions, cloud
from downpour_cloud.errors import CloudError
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.download import Names, download
from downpour_export.cloud import SourceCloud
from downpour_export.cloud import connect as to_source
from downpour_export.errors import CaptureError, TooMuch
from tests.hostile.servers import (
    ERRORS,
    FILE,
    MIB,
    Connect,
    Handler,
    Server,
    chunks_for_ever,
    endless,
    halves,
)


def test_the_body_of_a_redirect_is_not_read_to_its_end(home: Server, options: CloudOptions) -> None:
    def endless_redirect(call: Handler) -> None:
        call.send_response(302)
        call.send_header("Location", "/elsewhere")
        chunks_for_ever(call)

    home.of["/network/v2.0/networks"] = endless_redirect
    with pytest.raises(CaptureError, match="longer than 64 MiB"):
        to_source(options).get("network", "/networks")


@halves
@pytest.mark.parametrize("status", [200, 403])
def test_an_answer_without_end_is_not_read_for_ever(
    connect: Connect, home: Server, options: CloudOptions, status: int
) -> None:
    home.of["/network/v2.0/networks"] = lambda call: endless(call, status)
    here = connect(options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ERRORS, match="longer than 64 MiB"):
        here.get("network", "/networks")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024


def test_a_token_without_end_is_not_read_for_ever(home: Server, options: CloudOptions) -> None:
    home.of["/v3/auth/tokens"] = lambda call: endless(call, 201, X_Subject_Token="x")
    with pytest.raises(CloudError, match="longer than 64 MiB"):
        to_source(options)


def test_the_refusal_of_a_download_is_not_read_for_ever(
    home: Server, options: CloudOptions
) -> None:
    home.of["/image/v2/images/i/file"] = lambda call: endless(call, 403)
    here = to_source(options)
    with pytest.raises(CaptureError, match="longer than"), here.stream("image", FILE, {}):
        pass


@pytest.mark.parametrize("encoding", ["gzip", "GZIP, gzip", "deflate", "br", "x" * 5000])
def test_a_compressed_answer_is_refused(home: Server, options: CloudOptions, encoding: str) -> None:
    bomb = gzip.compress(bytes(100 * MIB))
    home.json("/network/v2.0/networks", bomb, Content_Encoding=encoding)
    home.json("/image/v2/images/i/file", bomb, Content_Encoding=encoding)
    here = to_source(options)
    with pytest.raises(CaptureError, match="answers compressed"):
        here.get("network", "/networks")
    with pytest.raises(CaptureError, match="compressed"), here.stream("image", FILE, {}):
        pass
    assert all("gzip" not in each for each in home.came)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"networks": ' + b"[" * 200_000,
        b'{"networks": ' + b"1" * 10_000 + b"}",
        b"[]",
        b"7",
        b"null",
        b'{"networks": 7}',
        b'{"networks": {"a": 1}}',
        b"{}",
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_of_another_form_is_an_error_of_ours(
    home: Server, options: CloudOptions, body: bytes
) -> None:
    home.of["/network/v2.0/networks"] = lambda call: call.send(200, body)
    with pytest.raises(CaptureError, match="is no JSON"):
        list(to_source(options).list("network", "/networks", "networks"))


@pytest.mark.parametrize("body", [b"[" * 200_000, b"1" * 10_000, b"\xff" * (20 * MIB), b"[7]"])
def test_a_refusal_of_another_form_is_told_briefly(
    home: Server, options: CloudOptions, body: bytes
) -> None:
    home.of["/network/v2.0/networks"] = lambda call: call.send(403, body)
    with pytest.raises(CaptureError, match="refused GET with 403") as caught:
        to_source(options).get("network", "/networks")
    assert len(str(caught.value)) < 1000


# Pages without end


@pytest.mark.parametrize("markers", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
def test_pages_that_come_again_end_the_list(
    home: Server, options: CloudOptions, markers: list[str]
) -> None:
    asked = iter(range(10**6))

    def page(call: Handler) -> None:
        marker = markers[next(asked) % len(markers)]
        links = [{"rel": "next", "href": f"{home.url}/x?marker={marker}"}]
        call.send(200, {"networks": [{"id": "n"}], "networks_links": links})

    home.of["/network/v2.0/networks"] = page
    with pytest.raises(CaptureError, match="list does not end"):
        list(to_source(options).list("network", "/networks", "networks"))
    assert next(asked) <= len(markers) + 1


def test_pages_without_end_are_bounded(
    home: Server, options: CloudOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "MAX_LIST", MIB)
    asked = iter(range(10**6))

    def page(call: Handler) -> None:
        links = [{"rel": "next", "href": f"/x?marker={next(asked)}"}]
        call.send(200, {"networks": [{"id": "n" * 100_000}], "networks_links": links})

    home.of["/network/v2.0/networks"] = page
    with pytest.raises(CaptureError, match="list does not end: 11 pages"):
        list(to_source(options).list("network", "/networks", "networks"))


@pytest.mark.parametrize(
    "links", [7, "x", [7], [{"rel": "next"}], [{"rel": "next", "href": 7}], {}]
)
def test_links_of_another_form_are_no_pages(
    home: Server, options: CloudOptions, links: object
) -> None:
    home.json("/network/v2.0/networks", {"networks": [{}], "networks_links": links, "next": links})
    assert list(to_source(options).list("network", "/networks", "networks")) == [{}]


# Disks without end


def image(size: int | None) -> dict[str, Any]:
    return {"id": "i", "size": size, "disk_format": "raw", "container_format": "bare"}


def read(source: SourceCloud, writer: BundleWriter, size: int | None, **more: int) -> object:
    taken = Capture(type="image", id="i", at="", consistency="idle")
    names = Names("image i", "image i")
    return download(source, writer, image(size), taken, names, CancelFlag(), NULL, **more)


@pytest.mark.parametrize("announced", [True, False])
def test_more_bytes_than_an_image_has_end_its_download(
    home: Server, options: CloudOptions, tmp_path: Path, announced: bool
) -> None:
    def too_much(call: Handler) -> None:
        if announced:
            call.send(200, bytes(50 * MIB))
        else:
            endless(call)

    home.of["/image/v2/images/i/file"] = too_much
    source = to_source(options)
    with (
        BundleWriter(tmp_path / "b.dpbundle") as writer,
        pytest.raises(TooMuch, match=rf"image i: more than {3 * MIB} bytes came"),
    ):
        read(source, writer, 3 * MIB)
    assert (tmp_path / "b.dpbundle.partial").stat().st_size < 4 * MIB
    assert sum("/file" in each for each in home.came) == 1


def test_an_image_whose_size_is_not_told_is_bounded_too(
    home: Server, options: CloudOptions, tmp_path: Path
) -> None:
    home.of["/image/v2/images/i/file"] = endless
    source = to_source(options)
    with (
        BundleWriter(tmp_path / "b.dpbundle") as writer,
        pytest.raises(TooMuch, match=f"more than {5 * MIB} bytes"),
    ):
        read(source, writer, None, most=5 * MIB)
