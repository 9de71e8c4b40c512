"""Which disks are sent to a cloud: those whose bytes are what their record says, and that need no
other file."""

from __future__ import annotations

from collections.abc import Container

from bundle_spec import BundleReader, VerifiedBundle
from bundle_spec.errors import BundleError, TrustError
from bundle_spec.model import Image, Ref, Volume
from bundle_spec.model.playbook import PlaybookData
from downpour_import.recreate.upload import upload_fault
from downpour_import.recreate.volume import disk_image
from downpour_import.source.trust import TrustFaults


def check_disks(bundle: VerifiedBundle, data: PlaybookData, mapped: Container[Ref]) -> None:
    """Raises TrustFaults with all disks of the data that no cloud may be sent.

    ``mapped``: what something of the target stands for.
    """
    resources = data.resources
    records: tuple[Image | Volume, ...] = (
        *resources.images,
        *resources.volumes,
        *resources.volume_snapshots,
    )
    with bundle.open() as reader:
        faults = [
            TrustError(reason, where=f"{record.ref} {record.name!r}")
            for record in records
            if record.ref not in mapped and (reason := _disk_fault(reader, record))
        ]
    if faults:
        raise TrustFaults(
            "there are disks that no cloud is sent; nothing was written",
            faults,
            remedy="leave them out with --skip TYPE/NAME; or convert them at the source to raw, or "
            "to a qcow2 without other files, and export again",
        )


def _disk_fault(reader: BundleReader, record: Image | Volume) -> str | None:
    if record.disk_id is None:
        return None
    disks = {disk.id: disk for disk in reader.manifest.disks}
    if record.disk_id not in disks:
        return f"the bundle has no disk {record.disk_id!r}"
    image = record if isinstance(record, Image) else disk_image(record, disks[record.disk_id])
    try:
        return upload_fault(reader.disk(image.disk_id), image)
    except BundleError:
        return None  # damaged since it was verified: its upload fails, and nothing else
