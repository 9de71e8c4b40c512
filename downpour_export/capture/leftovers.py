"""What carries downpour's mark at the source: temporary objects, and servers that were stopped.

The mark of a temporary object is its name; a volume or a snapshot of ours says so in its metadata
too.  Nothing else is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from downpour_cloud import Service
from downpour_export.capture.cancel import CancelFlag, Patience
from downpour_export.capture.moment import Kind
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks

PROPERTY = "downpour_temporary"
"""Metadata key of a temporary volume or snapshot that holds the bundle's uuid."""

_BY_NOVA = "snapshot for "
_PATHS: dict[Kind, tuple[Service, str]] = {
    "image": ("image", "/images"),
    "volume": ("block_storage", "/volumes"),
    "snapshot": ("block_storage", "/snapshots"),
}
# An image needs no volume any more, a volume no snapshot: this order always works.
_LISTS: tuple[tuple[Kind, Service, str, str], ...] = (
    ("image", "image", "/images", "images"),
    ("volume", "block_storage", "/volumes/detail", "volumes"),
    ("snapshot", "block_storage", "/snapshots/detail", "snapshots"),
)


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """``bundle``: the first twelve digits of the uuid of the bundle that it was made for.

    ``created``: as the source tells it, UTC.
    """

    kind: Kind
    id: str
    name: str
    bundle: str
    created: str


@dataclass(frozen=True, kw_only=True)
class StoppedServer:
    id: str
    name: str
    bundle: str


def prefix(bundle_uuid: str) -> str:
    """What the names of a bundle's temporary objects begin with."""
    return f"downpour-{short(bundle_uuid)}-"


def short(bundle_uuid: str) -> str:
    """The digits of a uuid that a mark has room for."""
    return bundle_uuid.replace("-", "")[:12]


def temporaries(cloud: SourceCloud) -> Iterator[Leftover]:
    """Every temporary object of this project, in the order in which they can be deleted."""
    for kind, service, path, key in _LISTS:
        query = {"owner": cloud.project_id} if kind == "image" else {}
        for item in cloud.list(service, path, key, query):
            name = item.get("name") or ""
            # Nova's own name for the snapshots that it makes with an image of volumes.
            by_nova = kind == "snapshot" and name.startswith(_BY_NOVA)
            marked = marks.TEMPORARY.match(name.removeprefix(_BY_NOVA) if by_nova else name)
            if not marked:
                continue
            if (
                kind != "image"
                and not by_nova
                and short((item.get("metadata") or {}).get(PROPERTY, "")) != marked[1]
            ):
                continue
            yield Leftover(
                kind=kind,
                id=item["id"],
                name=name,
                bundle=marked[1],
                created=(item.get("created_at") or "").partition(".")[0].rstrip("Z"),
            )


def stopped_servers(cloud: SourceCloud) -> Iterator[StoppedServer]:
    """Every server of this project that an export stopped and did not start again."""
    for item in cloud.list("compute", "/servers/detail", "servers"):
        mark = (item.get("metadata") or {}).get(marks.STOPPED)
        if mark:
            yield StoppedServer(id=item["id"], name=item["name"], bundle=short(mark))


def fetch(cloud: SourceCloud, kind: Kind, identity: str) -> Any | None:
    """Its JSON, or None when it is gone."""
    service, path = _PATHS[kind]
    item = cloud.get_or_none(service, f"{path}/{identity}")
    return item if item is None or kind == "image" else item[kind]


def delete(cloud: SourceCloud, kind: Kind, identity: str, cancel: CancelFlag) -> None:
    """Delete it and wait until it is gone, with patience for a busy backend.

    Raises CaptureError.
    """
    service, path = _PATHS[kind]
    patience = Patience(cancel)
    while True:
        accepted = cloud.delete(service, f"{path}/{identity}")
        if accepted and fetch(cloud, kind, identity) is None:
            break
        patience.wait(f"deleting temporary {kind} {identity}")
