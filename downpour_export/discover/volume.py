"""Volumes of the project."""

from __future__ import annotations

from bundle_spec.model import Volume
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import losses, marks
from downpour_export.discover.inventory import FoundVolume

# Facts about the image that a volume was made from, which Cinder keeps among its properties.
_IMAGE_FACTS = frozenset(
    "image_id image_name checksum container_format disk_format min_disk min_ram size "
    "signature_verified".split()
)
# Written into volume metadata by Cinder itself.
_SYSTEM_METADATA = frozenset(("readonly", "attached_mode", "policy"))


def discover(cloud: SourceCloud) -> dict[str, FoundVolume]:
    """Cinder lists the volumes of the token's project, since ``all_tenants`` is not given."""
    items = cloud.list("block_storage", "/volumes/detail", "volumes")
    return {volume.record.id: volume for volume in map(found_of, items)}


def default_type(cloud: SourceCloud) -> str | None:
    """The name of the type that a volume gets when none is asked for."""
    answer = cloud.get_or_none("block_storage", "/types/default")
    return answer["volume_type"]["name"] if answer else None


def found_of(item: Json) -> FoundVolume:
    return FoundVolume(
        record=Volume(
            id=item["id"],
            name=item.get("name") or "",
            size=item["size"],
            description=marks.text(item.get("description")),
            volume_type=item.get("volume_type"),
            availability_zone=item.get("availability_zone"),
            bootable=item["bootable"] == "true",
            multiattach=bool(item.get("multiattach")),
            metadata={
                key: value
                for key, value in marks.mapping(item.get("metadata")).items()
                if key not in _SYSTEM_METADATA
            },
            image_metadata={
                key: value
                for key, value in marks.mapping(item.get("volume_image_metadata")).items()
                if key not in _IMAGE_FACTS
            },
        ),
        status=item["status"],
        encrypted=bool(item.get("encrypted")),
        devices={
            attachment["server_id"]: attachment.get("device") or ""
            for attachment in item["attachments"]
            if attachment.get("server_id")
        },
        image_id=(item.get("volume_image_metadata") or {}).get("image_id"),
        losses=tuple(losses.of_volume(item)),
    )
