"""The gates at which a disk that a cloud must not be sent is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, FinishedBundle, VerifiedBundle, verify_bundle
from bundle_spec.form.disk_format import START_SIZE, fault_of_start
from bundle_spec.model import Image, Ref, Resources, Volume
from bundle_spec.model.playbook import PlaybookData
from downpour_import.errors import RecreateError
from downpour_import.recreate import recreate
from downpour_import.recreate.image import Images
from downpour_import.source.disks import check_disks
from downpour_import.source.trust import TrustFaults
from tests.unit.bundle.samples import content
from tests.unit.importer.test_upload import at
from tests.unit.importer.test_whole_import import Far
from tests.unit.importer.test_whole_import import write_bundle as whole_bundle
from tests.unit.importer.things import Target

RAW_WITH_QCOW2 = b"QFI\xfb\0\0\0\3".ljust(100_000, b"\0")


def written(
    path: Path, data: bytes, disk_format: str, volume_format: str = "raw"
) -> FinishedBundle:
    """A bundle with an image and a volume of these bytes."""
    with BundleWriter(path) as writer:
        disks = []
        for each in (disk_format, volume_format):
            disk = writer.disk(each)
            disk.write(data)
            disks.append(disk.finish())
        image = Image(
            id="1" * 32, name="golden", disk_id=disks[0].id,
            disk_format=disk_format, container_format="bare",
        )  # fmt: skip
        volume = Volume(id="2" * 32, name="data", size=1, disk_id=disks[1].id)
        resources = Resources(images=(image,), volumes=(volume,))
        return writer.finish(content(resources))


def test_nothing_of_such_a_disk_is_sent(tmp_path: Path) -> None:
    bundle, target = written(tmp_path / "b.dpbundle", RAW_WITH_QCOW2, "raw"), Target()
    (record,) = bundle.manifest.resources.images
    with pytest.raises(RecreateError, match="not uploaded: it is said to be 'raw' and begins as"):
        recreate(Images(), at(target, bundle), record)
    assert target.sent("PUT") == []
    assert target.of("/images") == {}


def verified_with(tmp_path: Path, data: bytes) -> tuple[VerifiedBundle, PlaybookData]:
    written(tmp_path / "b.dpbundle", data, "raw")
    bundle = verify_bundle(tmp_path / "b.dpbundle")
    return bundle, PlaybookData(bundle=bundle.manifest.uuid, resources=bundle.manifest.resources)


def test_all_such_disks_are_told_before_anything_is_written(tmp_path: Path) -> None:
    bundle, data = verified_with(tmp_path, RAW_WITH_QCOW2)
    with pytest.raises(TrustFaults) as caught:
        check_disks(bundle, data, {})
    assert [each.where for each in caught.value.faults] == [
        f"image {'1' * 32} 'golden'",
        f"volume {'2' * 32} 'data'",
    ]
    assert "--skip" in str(caught.value)
    check_disks(bundle, data, {Ref("image", "1" * 32), Ref("volume", "2" * 32)})


@pytest.mark.parametrize("command", ["run", "plan"])
def test_an_import_refuses_such_a_disk_before_it_makes_anything(
    tmp_path: Path, command: str
) -> None:
    far = Far(tmp_path)
    far.bundle = whole_bundle(tmp_path / "bad.dpbundle", raw=RAW_WITH_QCOW2)
    with pytest.raises(TrustFaults, match="disks that no cloud is sent; nothing was written"):
        getattr(far, command)()
    assert not any(far.made().values())


def test_a_record_that_names_no_disk_of_the_bundle_is_told(tmp_path: Path) -> None:
    bundle, data = verified_with(tmp_path, bytes(1000))
    check_disks(bundle, data, {})
    (volume,) = data.resources.volumes
    edited = dataclasses.replace(volume, disk_id="0999")
    resources = dataclasses.replace(data.resources, volumes=(edited,))
    with pytest.raises(TrustFaults, match="the bundle has no disk '0999'"):
        check_disks(bundle, dataclasses.replace(data, resources=resources), {})


def test_the_start_of_a_disk_tells_the_exporter(tmp_path: Path) -> None:
    start = RAW_WITH_QCOW2[:START_SIZE]
    assert fault_of_start(start, "raw", "bare") == "it is said to be 'raw' and begins as qcow2"
    assert fault_of_start(start, "qcow2", "bare") is None
