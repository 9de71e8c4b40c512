"""How much quota at the source the temporary objects of a capture need, and what is lacking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from downpour_export.discover.quota import FreeQuota
from downpour_export.plan.model import DiskCapture

_GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class CaptureQuota:
    """``snapshots``, ``volumes``: how many exist at once.  ``gigabytes``: GiB of all of them.
    ``largest``: GiB of the largest volume."""

    snapshots: int = 0
    volumes: int = 0
    gigabytes: int = 0
    largest: int = 0


def capture_quota(captures: Iterable[DiskCapture]) -> CaptureQuota:
    """The least that is enough, for one server after another.

    With more, disks of several servers are captured at once.
    """
    groups: dict[object, list[DiskCapture]] = {}
    for disk in captures:
        groups.setdefault(disk.server_id or disk.ref, []).append(disk)
    needs = [_of_group(group) for group in groups.values()]
    return CaptureQuota(
        snapshots=max((need.snapshots for need in needs), default=0),
        volumes=max((need.volumes for need in needs), default=0),
        gigabytes=max((need.gigabytes for need in needs), default=0),
        largest=max((need.largest for need in needs), default=0),
    )


def capture_quota_at_once(groups: Iterable[list[DiskCapture]]) -> CaptureQuota:
    """What is needed while the disks of several servers are captured together."""
    needs = [_of_group(group) for group in groups]
    return CaptureQuota(
        snapshots=sum(need.snapshots for need in needs),
        volumes=sum(need.volumes for need in needs),
        gigabytes=sum(need.gigabytes for need in needs),
        largest=max((need.largest for need in needs), default=0),
    )


def _of_group(group: list[DiskCapture]) -> CaptureQuota:
    """All volumes in use are snapshotted first; then one temporary volume is made at a time."""
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
    """One sentence for each quota that is too small even for one server after another."""
    for what, need, free in (
        ("snapshots", needed.snapshots, room.snapshots),
        ("volumes", needed.volumes, room.volumes),
        ("GiB", needed.gigabytes, room.gigabytes),
        ("GiB in one volume", needed.largest, room.per_volume_gigabytes),
    ):
        if free is not None and need > free:
            yield f"the quota of {what} has room for {free} more, and {need} must be free at once"
