"""Block Storage API: ``/volumes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from bundle_spec.model.base import Ref, Resource, ResourceType
from bundle_spec.model.forms import GiB


@dataclass(frozen=True, kw_only=True)
class Volume(Resource):
    """A volume with its contents, or without."""

    type: ClassVar[ResourceType] = "volume"

    size: GiB
    """Its size, which the target's volume must have exactly."""
    description: str = ""
    """Text of the tenant."""
    volume_type: str | None = None
    """The name of its type at the source, which the target must have; null: the target's default.
    """
    availability_zone: str | None = None
    """Its zone of the block storage service; null: the target's choice."""
    bootable: bool = False
    """Whether a server can boot from it."""
    multiattach: bool = False
    """What the source's volume type allowed; the target's type decides there."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The tenant's keys and values."""
    image_metadata: Mapping[str, str] = field(default_factory=dict)
    """Properties of the image that it was made from, which a server that boots from it obeys."""
    disk_id: str | None = None
    """The disk of this bundle that holds its contents, from its first byte; null: not carried."""
    image_id: str | None = None
    """Where `disk_id` is null: the image that it is made from; null: it is made empty."""

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
    """The contents of a snapshot, carried as a volume.

    No API makes a snapshot with given bytes, so the target gets a volume with the name,
    description and metadata of the snapshot.
    """

    type = "volume_snapshot"

    volume_id: str
    """The volume that it was a snapshot of; it need not be in the bundle."""
    created_at: str | None = None
    """When, as the source's API gave it, in UTC; for people. null: unknown."""
