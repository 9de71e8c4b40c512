"""A disk of the bundle into an image: one stream, once, and compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec import BundleWriter, FinishedBundle, open_bundle
from bundle_spec.errors import BundleError
from bundle_spec.model import Capture, Disk, Image, Ref, Resources, Volume
from bundle_spec.read.files import BundleFiles
from downpour_import.errors import RecreateError, TargetLost
from downpour_import.recreate import (
    RECREATORS,
    Context,
    differences,
    recreate,
    upload_volume_disk,
)
from downpour_import.recreate.image import Images, disk_ref
from downpour_import.recreate.patience import TRIES
from downpour_import.recreate.upload import DiskBody, compare_bytes, open_own_bundle
from tests.split import split
from tests.unit.bundle.samples import content, noise
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.conftest import Clock
from tests.unit.importer.things import Target, context, source_id

RAW = noise(200_000)
IMAGE_ID, VOLUME_ID = source_id(1), source_id(2)


@pytest.fixture
def fake() -> Target:
    return Target()


@pytest.fixture
def bundle(tmp_path: Path) -> FinishedBundle:
    return write(tmp_path / "b.dpbundle", RAW, "raw")


def write(path: Path, data: bytes, disk_format: str) -> FinishedBundle:
    with BundleWriter(path) as writer:
        disk = writer.disk(disk_format)
        disk.write(data)
        found = disk.finish()
        image = Image(
            id=IMAGE_ID,
            name="golden",
            disk_id=found.id,
            disk_format=disk_format,
            container_format="bare",
            tags=("t",),
            properties={"os_distro": "debian"},
        )
        volume = Volume(id=VOLUME_ID, name="data", size=1, disk_id=found.id)
        return writer.finish(content(Resources(images=(image,), volumes=(volume,))))


def at(fake: Target, bundle: FinishedBundle) -> Context:
    """A process that begins now, with the bundle's own uuid."""
    here = context(fake, bundle.path.parent, bundle=bundle.path)
    here.bundle_uuid = bundle.manifest.uuid
    return here


def image_of(bundle: FinishedBundle) -> Image:
    return bundle.manifest.resources.images[0]


def test_the_bytes_arrive_and_the_image_is_as_the_record_says(
    fake: Target, bundle: FinishedBundle
) -> None:
    sent: list[int] = []
    here, record = at(fake, bundle), replace(image_of(bundle), protected=True)
    assert recreate(Images(sent.append), here, record).state == "made"
    (put,) = fake.sent("PUT")
    assert put.body == RAW
    assert sum(sent) == len(RAW)
    (post,) = fake.sent("POST")
    assert post.body["os_distro"] == "debian"
    assert post.body["dpb-marker"] == here.marker(record.ref)
    (patch,) = fake.sent("PATCH")
    assert patch.body == [{"op": "replace", "path": "/protected", "value": True}]
    (item,) = fake.of("/images").values()
    item["protected"] = True
    assert differences(here, record) == []


def test_an_image_whose_hash_is_another_is_deleted(fake: Target, bundle: FinishedBundle) -> None:
    def flip(call: Call) -> None:
        if call.path.endswith("/file"):
            (item,) = fake.of("/images").values()
            item["os_hash_value"] = hashlib.sha512(b"other").hexdigest()

    fake.after.append(flip)
    with pytest.raises(RecreateError, match="does not hold the bytes sent: os_hash_value"):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert fake.of("/images") == {}


def test_a_refused_upload_leaves_no_image_and_the_next_run_makes_one(
    fake: Target, bundle: FinishedBundle
) -> None:
    def refuse(call: Call) -> requests.Response | None:
        return response(413, {}) if call.path.endswith("/file") else None

    fake.before.append(refuse)
    with pytest.raises(RecreateError, match="refused PUT with 413"):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert fake.of("/images") == {}
    fake.before.clear()
    assert recreate(Images(), at(fake, bundle), image_of(bundle)).state == "made"
    assert len(fake.of("/images")) == 1


def test_an_upload_that_breaks_is_sent_again_from_its_start(
    fake: Target, bundle: FinishedBundle
) -> None:
    left: list[Any] = [cut, response(503)]

    def breaks(call: Call) -> requests.Response | None:
        answer = left.pop(0) if left and call.path.endswith("/file") else None
        return answer() if callable(answer) else answer

    fake.before.append(breaks)
    sent: list[int] = []
    here = at(fake, bundle)
    assert recreate(Images(sent.append), here, image_of(bundle)).state == "made"
    assert [put.body for put in fake.sent("PUT")] == [RAW] * 3
    assert sum(sent) == len(RAW)  # what did not count went back
    assert min(sent) == -len(RAW)
    assert list(fake.of("/images")) == [here.journal.target(image_of(bundle).ref)]
    assert differences(here, image_of(bundle)) == []


def cut() -> Any:
    raise ks_exceptions.ConnectFailure("broken pipe")


def test_an_upload_that_always_breaks_ends_with_an_error_and_leaves_nothing(
    fake: Target, bundle: FinishedBundle
) -> None:
    fake.before.append(lambda call: cut() if call.path.endswith("/file") else None)
    with pytest.raises(RecreateError, match=r"the upload broke: .*broken pipe.*same command again"):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert len(fake.sent("PUT")) == TRIES
    assert fake.of("/images") == {}


def test_an_upload_whose_answer_is_lost_is_not_sent_again_where_the_image_has_its_bytes(
    fake: Target, bundle: FinishedBundle
) -> None:
    """The target stores them for a while yet."""

    def lose(call: Call) -> requests.Response | None:
        if call.path.endswith("/file"):
            (item,) = fake.of("/images").values()
            item["status"], item["looks"] = "saving", 3
            cut()
        for item in fake.of("/images").values():
            if call.method == "GET" and "looks" in item:
                item["looks"] -= 1
                item["status"] = "saving" if item["looks"] else "active"
        return None

    fake.after.append(lose)
    assert recreate(Images(), at(fake, bundle), image_of(bundle)).state == "made"
    assert len(fake.sent("PUT")) == 1
    assert len(fake.sent("POST")) == 1


def test_an_image_that_is_stored_for_ever_is_given_up(
    fake: Target, bundle: FinishedBundle, clock: Clock
) -> None:
    told: list[str] = []

    def never(call: Call) -> None:
        if call.path.endswith("/file"):
            for item in fake.of("/images").values():
                item["status"] = "saving"

    fake.after.append(never)
    here = at(fake, bundle)
    here.tell = told.append
    with pytest.raises(RecreateError, match=r"to store image 'golden' takes too long: \d+ min"):
        recreate(Images(), here, image_of(bundle))
    assert told[0] == "waiting for the target to store image 'golden' for 1 min, it is 'saving'"
    assert sum(clock.slept) < 1000
    assert len(fake.sent("PUT")) == 1


def test_an_upload_to_a_target_that_has_gone_is_not_tried_again(
    fake: Target, bundle: FinishedBundle
) -> None:
    def gone(call: Call) -> None:
        if fake.sent("PUT"):
            cut()

    fake.before.append(gone)
    with pytest.raises(TargetLost):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert [str(call).split("/")[0] for call in fake.calls[-2:]] == ["PUT ", "GET "]


def test_an_interrupt_ends_an_upload_at_once(fake: Target, bundle: FinishedBundle) -> None:
    def interrupted(call: Call) -> None:
        if call.path.endswith("/file"):
            raise KeyboardInterrupt

    fake.before.append(interrupted)
    with pytest.raises(KeyboardInterrupt):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert str(fake.calls[-1]).startswith("PUT")


def test_a_half_filled_image_of_a_killed_run_is_made_anew(
    fake: Target, bundle: FinishedBundle
) -> None:
    class Killed(BaseException):
        pass

    def kill(call: Call) -> requests.Response | None:
        if call.path.endswith("/file"):
            (item,) = fake.of("/images").values()
            item["status"] = "saving"
            raise Killed
        return None

    fake.before.append(kill)
    with pytest.raises(Killed):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    (half,) = fake.of("/images")
    fake.before.clear()
    here = at(fake, bundle)
    assert recreate(Images(), here, image_of(bundle)).state == "made"
    assert half not in fake.of("/images")
    assert differences(here, image_of(bundle)) == []


def test_a_body_refuses_to_be_sent_twice(bundle: FinishedBundle) -> None:
    with open_bundle(bundle.path) as reader:
        body = DiskBody(reader.disk("0001"), bundle.manifest.disks[0], lambda amount: None)
        assert body.len == len(RAW)
        assert body.digest() is None
        assert b"".join(body) == RAW
        assert body.digest() == hashlib.sha512(RAW).hexdigest()
        with pytest.raises(RecreateError, match="asked for the disk twice"):
            next(iter(body))


def test_an_unfinished_body_has_no_digest(bundle: FinishedBundle) -> None:
    with open_bundle(bundle.path) as reader:
        body = DiskBody(reader.disk("0001"), bundle.manifest.disks[0], lambda amount: None)
        next(iter(body))
        assert body.digest() is None


def test_a_qcow2_that_names_another_file_is_not_uploaded(fake: Target, tmp_path: Path) -> None:
    header = b"QFI\xfb" + (3).to_bytes(4, "big") + (104).to_bytes(8, "big")
    header += (11).to_bytes(4, "big") + bytes(80) + b"/etc/passwd"
    bundle = write(tmp_path / "b.dpbundle", header + bytes(1000), "qcow2")
    with pytest.raises(RecreateError, match="a file of the cloud's own hosts"):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert fake.sent("PUT") == []
    assert fake.of("/images") == {}


def test_another_bundle_at_the_path_is_refused(fake: Target, bundle: FinishedBundle) -> None:
    here = at(fake, bundle)
    here.bundle_uuid = "f" * 36
    with pytest.raises(BundleError, match="another bundle than the one"):
        recreate(Images(), here, image_of(bundle))
    assert fake.sent("PUT") == []


def test_a_bundle_that_came_into_the_place_of_the_verified_one_is_refused(
    fake: Target, bundle: FinishedBundle
) -> None:
    """[F-18]  Also one that says the same uuid."""
    here = at(fake, bundle)
    here.manifest_sha256 = bundle.manifest_sha256
    with open_own_bundle(here) as opened:
        assert opened.manifest_sha256 == bundle.manifest_sha256
    here.manifest_sha256 = "0" * 64
    with pytest.raises(BundleError, match="not the bundle that was verified"):
        recreate(Images(), here, image_of(bundle))
    assert fake.sent("PUT") == []


def test_a_disk_streams_out_of_the_parts_of_a_bundle(fake: Target, bundle: FinishedBundle) -> None:
    folders = [bundle.path.parent, bundle.path.parent / "two"]
    split(bundle.path, folders, 1 << 16)
    with pytest.raises(BundleError, match=r"b\.dpbundle\.002: this part is missing"):
        recreate(Images(), at(fake, bundle), image_of(bundle))
    assert fake.sent("PUT") == []
    here = at(fake, bundle)
    here.bundle = BundleFiles(here.bundle.path, (folders[1],))
    assert recreate(Images(), here, image_of(bundle)).state == "made"
    assert [put.body for put in fake.sent("PUT")] == [RAW]
    assert differences(here, image_of(bundle)) == []


def test_a_volume_is_filled_from_an_image_that_then_goes(
    fake: Target, bundle: FinishedBundle
) -> None:
    here, record = at(fake, bundle), bundle.manifest.resources.volumes[0]
    outcome = upload_volume_disk(here, record, lambda amount: None)
    assert outcome.state == "made"
    assert fake.of("/images")[str(outcome.target)]["name"] == "data (contents)"
    here = at(fake, bundle)
    recreate(RECREATORS["volume"], here, record)
    (post,) = fake.sent("POST", "/volumes")[:1]
    assert post.body["volume"]["imageRef"] == outcome.target
    assert fake.of("/images") == {}
    entry = here.journal.entry(disk_ref(record))
    assert entry is not None
    assert entry.event == "gone"
    assert upload_volume_disk(at(fake, bundle), record, lambda amount: None).state == "unchanged"
    assert len(fake.sent("PUT", "/images/")) == 1


def test_a_volume_without_contents_needs_no_image(fake: Target, bundle: FinishedBundle) -> None:
    empty = replace(bundle.manifest.resources.volumes[0], disk_id=None)
    assert upload_volume_disk(at(fake, bundle), empty, lambda amount: None).state == "unchanged"
    recreate(RECREATORS["volume"], at(fake, bundle), empty)
    assert "imageRef" not in fake.sent("POST", "/volumes")[0].body["volume"]


def disk(source_hash: str | None) -> Disk:
    return Disk(
        id="0001",
        disk_format="raw",
        size=5,
        sha256="aa",
        chunk_size=1,
        chunks=1,
        list_sha256="",
        stored=0,
        shared=0,
        capture=Capture(type="image", id="i", at="", consistency="idle", source_hash=source_hash),
    )


GLANCE = {"disk_format": "raw", "size": 5, "os_hash_algo": "sha512", "os_hash_value": "bb"}


@pytest.mark.parametrize(
    ("source_hash", "digest", "item", "faults"),
    [
        ("sha512:bb", None, {}, 0),
        ("sha512:cc", None, {}, 1),
        ("sha512:cc", None, {"size": 6}, 2),
        (None, "bb", {}, 0),
        (None, "cc", {}, 1),
        (None, None, {}, 0),
        ("md5:xx", None, {}, 0),
        (None, None, {"os_hash_algo": "sha256", "os_hash_value": "aa"}, 0),
        (None, None, {"os_hash_algo": "sha256", "os_hash_value": "ab"}, 1),
        ("sha512:cc", None, {"os_hash_algo": None, "os_hash_value": None}, 0),
        ("sha512:cc", None, {"disk_format": "qcow2", "size": 7}, 0),
    ],
)
def test_size_and_whatever_hash_both_sides_know_are_compared(
    source_hash: str | None, digest: str | None, item: dict[str, object], faults: int
) -> None:
    assert len(compare_bytes(disk(source_hash), {**GLANCE, **item}, digest)) == faults


def test_the_image_that_fills_a_volume_bears_the_volumes_mark(
    fake: Target, bundle: FinishedBundle
) -> None:
    here, record = at(fake, bundle), bundle.manifest.resources.volumes[0]
    upload_volume_disk(here, record, lambda amount: None)
    assert here.marker(Ref("volume", VOLUME_ID)) == fake.sent("POST")[0].body["dpb-marker"]
