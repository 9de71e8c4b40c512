"""Objects at the source with downpour's mark: temporary ones, and servers that it stopped.

The mark of a temporary object is its name; volumes and snapshots have it in their metadata too.
Nothing without that mark is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from downpour_cloud import Service
from downpour_export.capture.cancel import CancelFlag, Polling
from downpour_export.capture.moment import Kind
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks
from downpour_export.discover.marks import Life, Mark

PROPERTY = "downpour_temporary"
"""Metadata key of a temporary volume or snapshot, and property of an image, that holds the mark."""

_PATCH = "application/openstack-images-v2.1-json-patch"

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

    ``created``: UTC, as ISO 8601 without a zone.  ``life``: what the export last said on it.
    ``gibibytes``: its size, 0 if nothing tells.
    """

    kind: Kind
    id: str
    name: str
    bundle: str
    created: str
    life: Life | None = None
    status: str = ""
    gibibytes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StoppedServer:
    """``bundle``, ``life``: as in Leftover."""

    id: str
    name: str
    bundle: str
    life: Life | None = None


def prefix(bundle_uuid: str) -> str:
    """What the names of a bundle's temporary objects begin with."""
    return f"downpour-{short(bundle_uuid)}-"


def short(bundle_uuid: str) -> str:
    """The first twelve digits of a uuid, which a name has room for."""
    return bundle_uuid.replace("-", "")[:12]


def temporaries(cloud: SourceCloud) -> Iterator[Leftover]:
    """Every temporary object of this project, in the order in which they can be deleted."""
    for kind, service, path, key in _LISTS:
        query = {"owner": cloud.project_id} if kind == "image" else {}
        for item in cloud.list(service, path, key, query):
            name = item.get("name") or ""
            # So Nova names the snapshots that it makes for an image of a volume-booted server.
            by_nova = kind == "snapshot" and name.startswith(_BY_NOVA)
            marked = marks.TEMPORARY.match(name.removeprefix(_BY_NOVA) if by_nova else name)
            if not marked:
                continue
            mark = _mark_of(kind, item)
            if kind != "image" and not by_nova and short(mark.bundle) != marked[1]:
                continue
            yield Leftover(
                kind=kind,
                id=item["id"],
                name=name,
                bundle=marked[1],
                created=(item.get("created_at") or "").partition(".")[0].rstrip("Z"),
                life=mark.life,
                status=item.get("status") or "",
                gibibytes=(item.get("size") or 0) / (2**30 if kind == "image" else 1),
            )


def named(cloud: SourceCloud, kind: Kind, name: str) -> str | None:
    """The ID of an object of this project that is called so; None if there is none."""
    for listed, service, path, key in _LISTS:
        if listed != kind:
            continue
        query = {"name": name, **({"owner": cloud.project_id} if kind == "image" else {})}
        for item in cloud.list(service, path, key, query):
            if item.get("name") == name:
                identity: str = item["id"]
                return identity
    return None


def _mark_of(kind: Kind, item: Any) -> Mark:
    text = item.get(PROPERTY) if kind == "image" else (item.get("metadata") or {}).get(PROPERTY)
    return Mark.of(text or "")


def write_mark(cloud: SourceCloud, kind: Kind, identity: str, mark: str) -> None:
    """Replace the mark of an object.  Raises CaptureError."""
    service, path = _PATHS[kind]
    if kind == "image":
        change = [{"op": "add", "path": f"/{PROPERTY}", "value": mark}]
        headers = {"Content-Type": _PATCH}
        cloud.request(service, "PATCH", f"{path}/{identity}", json=change, headers=headers)
    else:
        body = {"metadata": {PROPERTY: mark}}
        cloud.request(service, "POST", f"{path}/{identity}/metadata", json=body)


def stopped_servers(cloud: SourceCloud) -> Iterator[StoppedServer]:
    """Every server of this project that an export stopped and did not start again."""
    for item in cloud.list("compute", "/servers/detail", "servers"):
        text = (item.get("metadata") or {}).get(marks.STOPPED)
        if text:
            mark = Mark.of(text)
            yield StoppedServer(
                id=item["id"], name=item["name"], bundle=short(mark.bundle), life=mark.life
            )


def fetch(cloud: SourceCloud, kind: Kind, identity: str) -> Any | None:
    """The JSON of a temporary object, or None when it is gone."""
    service, path = _PATHS[kind]
    item = cloud.get_or_none(service, f"{path}/{identity}")
    return item if item is None or kind == "image" else item[kind]


def delete(
    cloud: SourceCloud,
    kind: Kind,
    identity: str,
    cancel: CancelFlag,
    gibibytes: float = 0.0,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Delete a temporary object and wait until it is gone.

    ``gibibytes``: its size; some backends write zeros over it.  ``tell``: see Polling.  Raises
    CaptureError.
    """
    service, path = _PATHS[kind]
    polling = Polling(cancel, gibibytes, tell)
    while True:
        accepted = cloud.delete(service, f"{path}/{identity}")
        item = fetch(cloud, kind, identity) if accepted else {}
        if item is None:
            break
        polling.wait(f"the temporary {kind} {identity} to go")
