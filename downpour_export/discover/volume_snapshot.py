"""Snapshots of the project's volumes, except temporary ones that an export made."""

from __future__ import annotations

from collections.abc import Mapping

from bundle_spec.model import VolumeSnapshot
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks
from downpour_export.discover.inventory import FoundSnapshot, FoundVolume


def discover(cloud: SourceCloud, volumes: Mapping[str, FoundVolume]) -> dict[str, FoundSnapshot]:
    """Cinder lists the snapshots of the token's project, since ``all_tenants`` is not given."""
    items = cloud.list("block_storage", "/snapshots/detail", "snapshots")
    return {
        item["id"]: found_of(item, volumes.get(item["volume_id"]))
        for item in items
        if not marks.is_temporary(item.get("name") or "")
    }


def found_of(item: Json, volume: FoundVolume | None) -> FoundSnapshot:
    """A snapshot has the type, the zone and the image metadata of its volume."""
    origin = volume.record if volume else None
    return FoundSnapshot(
        record=VolumeSnapshot(
            id=item["id"],
            name=item.get("name") or "",
            size=item["size"],
            description=marks.text(item.get("description")),
            volume_type=origin.volume_type if origin else None,
            availability_zone=origin.availability_zone if origin else None,
            bootable=origin.bootable if origin else False,
            metadata=marks.mapping(item.get("metadata")),
            image_metadata=origin.image_metadata if origin else {},
            volume_id=item["volume_id"],
            created_at=(item.get("created_at") or "").partition(".")[0] or None,
        ),
        status=item["status"],
    )
