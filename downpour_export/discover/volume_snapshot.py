"""Snapshots of the project's volumes; those that an export made are not the tenant's."""

from __future__ import annotations

from collections.abc import Mapping

from bundle_spec.model import VolumeSnapshot
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks
from downpour_export.discover.inventory import FoundSnapshot, FoundVolume


def discover(cloud: SourceCloud, volumes: Mapping[str, FoundVolume]) -> dict[str, FoundSnapshot]:
    """The list is the token's project's: ``all_tenants`` is never asked for."""
    found = cloud.list("block_storage", "/snapshots/detail", "snapshots")
    return {
        item["id"]: found_of(item, volumes.get(item["volume_id"]))
        for item in found
        if not marks.is_temporary(item.get("name") or "")
    }


def found_of(item: Json, volume: FoundVolume | None) -> FoundSnapshot:
    """A snapshot has the type, the zone and the image metadata of its volume."""
    of = volume.record if volume else None
    return FoundSnapshot(
        record=VolumeSnapshot(
            id=item["id"],
            name=item.get("name") or "",
            size=item["size"],
            description=marks.text(item.get("description")),
            volume_type=of.volume_type if of else None,
            availability_zone=of.availability_zone if of else None,
            bootable=of.bootable if of else False,
            metadata=marks.mapping(item.get("metadata")),
            image_metadata=of.image_metadata if of else {},
            volume_id=item["volume_id"],
            created_at=(item.get("created_at") or "").partition(".")[0] or None,
        ),
        status=item["status"],
    )
