"""Block Storage API: ``/volumes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bundle_spec.model.base import Ref, Resource


@dataclass(frozen=True, kw_only=True)
class Volume(Resource):
    """A volume of ``size`` GiB.  ``disk_id`` None: its contents are not carried."""

    type = "volume"

    size: int
    description: str = ""
    volume_type: str | None = None
    availability_zone: str | None = None
    bootable: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    image_metadata: Mapping[str, str] = field(default_factory=dict)
    disk_id: str | None = None

    def references(self) -> tuple[Ref, ...]:
        kind = (Ref("volume_type", self.volume_type),) if self.volume_type else ()
        zone = (
            (Ref("availability_zone", f"volume/{self.availability_zone}"),)
            if self.availability_zone
            else ()
        )
        return (*kind, *zone)
