"""The temporary objects that a capture needs at the source, held against the quota."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from downpour_export.discover.quota import FreeQuota
from downpour_export.plan.model import DiskCapture

_GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class CaptureQuota:
    """What must have room at the same time, one server after another; GiB of both together."""

    snapshots: int = 0
    volumes: int = 0
    gigabytes: int = 0
    largest: int = 0


def capture_quota(captures: Iterable[DiskCapture]) -> CaptureQuota:
    """The least that is enough: more at once is faster, and waits where there is no room."""
    groups: dict[object, list[DiskCapture]] = {}
    for disk in captures:
        groups.setdefault(disk.server_id or disk.ref, []).append(disk)
    found = [_of(group) for group in groups.values()]
    return CaptureQuota(
        snapshots=max((each.snapshots for each in found), default=0),
        volumes=max((each.volumes for each in found), default=0),
        gigabytes=max((each.gigabytes for each in found), default=0),
        largest=max((each.largest for each in found), default=0),
    )


def capture_quota_at_once(groups: Iterable[list[DiskCapture]]) -> CaptureQuota:
    """What must have room while the disks of several servers are captured together."""
    found = [_of(group) for group in groups]
    return CaptureQuota(
        snapshots=sum(each.snapshots for each in found),
        volumes=sum(each.volumes for each in found),
        gigabytes=sum(each.gigabytes for each in found),
        largest=max((each.largest for each in found), default=0),
    )


def _of(group: list[DiskCapture]) -> CaptureQuota:
    """A volume in use is snapshotted, and a volume made of the snapshot, one after another."""
    in_use = [
        disk.size // _GIB for disk in group if disk.type == "volume" and disk.consistency != "idle"
    ]
    copied = in_use + [disk.size // _GIB for disk in group if disk.type == "volume_snapshot"]
    return CaptureQuota(
        snapshots=len(in_use),
        volumes=1 if copied else 0,
        gigabytes=sum(in_use) + max(copied, default=0),
        largest=max(copied, default=0),
    )


def lacks(needed: CaptureQuota, room: FreeQuota) -> Iterator[str]:
    """Where the quota has no room even for one server after another, in words."""
    for what, need, free in (
        ("snapshots", needed.snapshots, room.snapshots),
        ("volumes", needed.volumes, room.volumes),
        ("GiB", needed.gigabytes, room.gigabytes),
        ("GiB in one volume", needed.largest, room.per_volume_gigabytes),
    ):
        if free is not None and need > free:
            yield f"the quota of {what} has room for {free} more, and {need} must be free at once"
