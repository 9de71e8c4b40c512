"""What the project may still have of volumes and snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.errors import CaptureError
from downpour_export.cloud import Json, SourceCloud


@dataclass(frozen=True, kw_only=True)
class Room:
    """Numbers, and GiB; None: no limit, or none that is told."""

    volumes: int | None = None
    snapshots: int | None = None
    gigabytes: int | None = None
    per_volume_gigabytes: int | None = None


def discover(cloud: SourceCloud) -> Room:
    """One call; a cloud that does not let a tenant read its quota tells no limits."""
    try:
        answer = cloud.get("block_storage", f"/os-quota-sets/{cloud.project_id}", {"usage": "true"})
    except CaptureError:
        return Room()
    found = answer["quota_set"]
    per_volume = (found.get("per_volume_gigabytes") or {}).get("limit", -1)
    return Room(
        volumes=_free(found.get("volumes")),
        snapshots=_free(found.get("snapshots")),
        gigabytes=_free(found.get("gigabytes")),
        per_volume_gigabytes=None if per_volume < 0 else per_volume,
    )


def _free(item: Json) -> int | None:
    if not item or item["limit"] < 0:
        return None
    return int(max(item["limit"] - item["in_use"] - item.get("reserved", 0), 0))
