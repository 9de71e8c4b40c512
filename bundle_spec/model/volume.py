"""Block Storage API: ``/volumes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from bundle_spec.model.base import Ref, Resource, ResourceType
from bundle_spec.model.forms import GiB


@dataclass(frozen=True, kw_only=True)
class Volume(Resource):
    """A volume of ``size`` GiB.  ``disk_id`` None: its contents are not carried.

    ``image_id``: it is made from this image instead, as it was at the source.
    ``multiattach``: what the source's volume type allowed; the target's type decides there.
    """

    type: ClassVar[ResourceType] = "volume"

    size: GiB
    description: str = ""
    volume_type: str | None = None
    availability_zone: str | None = None
    bootable: bool = False
    multiattach: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    image_metadata: Mapping[str, str] = field(default_factory=dict)
    disk_id: str | None = None
    image_id: str | None = None

    def references(self) -> tuple[Ref, ...]:
        kind = (Ref("volume_type", self.volume_type),) if self.volume_type else ()
        zone = (
            (Ref("availability_zone", f"volume/{self.availability_zone}"),)
            if self.availability_zone
            else ()
        )
        image = (Ref("image", self.image_id),) if self.image_id else ()
        return (*kind, *zone, *image)


@dataclass(frozen=True, kw_only=True)
class VolumeSnapshot(Volume):
    """The contents of a snapshot of the volume ``volume_id``, carried as a volume.

    No API makes a snapshot with given bytes, so the target gets a volume with the name,
    description and metadata of the snapshot.  ``created_at``: as the source gave it, UTC.
    """

    type = "volume_snapshot"

    volume_id: str
    created_at: str | None = None
