"""How many volumes and snapshots the quota of the project still allows."""

from __future__ import annotations

from dataclasses import dataclass

from downpour_cloud import quotas
from downpour_export.cloud import SourceCloud


@dataclass(frozen=True, kw_only=True)
class FreeQuota:
    """How many more, and how many more GiB; None: no limit, or none that a tenant can read."""

    volumes: int | None = None
    snapshots: int | None = None
    gigabytes: int | None = None
    per_volume_gigabytes: int | None = None


def discover(cloud: SourceCloud) -> FreeQuota:
    """One call; all are None where a tenant cannot read the quota."""
    remaining = quotas.block_storage(cloud)
    return FreeQuota(
        volumes=remaining.get("volumes"),
        snapshots=remaining.get("snapshots"),
        gigabytes=remaining.get("gigabytes"),
        per_volume_gigabytes=remaining.get("per_volume_gigabytes"),
    )
