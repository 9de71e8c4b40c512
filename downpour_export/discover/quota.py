"""What the project may still have of volumes and snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from downpour_cloud import quotas
from downpour_export.cloud import SourceCloud


@dataclass(frozen=True, kw_only=True)
class Room:
    """Numbers, and GiB; None: no limit, or none that is told."""

    volumes: int | None = None
    snapshots: int | None = None
    gigabytes: int | None = None
    per_volume_gigabytes: int | None = None


def discover(cloud: SourceCloud) -> Room:
    """One call; a cloud that does not let a tenant read its quota tells no limits."""
    left = quotas.block_storage(cloud)
    return Room(
        volumes=left.get("volumes"),
        snapshots=left.get("snapshots"),
        gigabytes=left.get("gigabytes"),
        per_volume_gigabytes=left.get("per_volume_gigabytes"),
    )
