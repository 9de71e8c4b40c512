"""The plan of an export, and the words that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bundle_spec.model import Omission, Ref, References, Resources
from downpour_export.plan.graph import Closure
from downpour_export.resource_file import Boot

Consistency = Literal["idle", "stopped", "paused", "live"]

# Nova takes an image of a server in these states only (Compute API, "createImage").
CAPTURABLE: Mapping[str, Consistency] = {
    "ACTIVE": "live",
    "SHUTOFF": "stopped",
    "PAUSED": "paused",
    "SUSPENDED": "paused",
}
# Of these it has made one (Compute API, "shelve").
SHELVED = ("SHELVED", "SHELVED_OFFLOADED")


@dataclass(frozen=True, kw_only=True)
class DiskCapture:
    """One disk to read.  ``server_id``: snapshotted together with that server's other disks.

    ``size``: bytes to read at most; exact for images.  ``image_id``: an image that holds the
    disk already and is read as it is; of a shelved server Nova has made one.
    """

    type: Literal["image", "server", "volume", "volume_snapshot"]
    id: str
    name: str
    size: int
    consistency: Consistency
    server_id: str | None = None
    image_id: str | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.type, self.id)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``resources`` are as they will stand in the manifest, but for the disks' ids.

    ``stops``: the ID of each server that is stopped -> while it is snapshotted, or for good.
    ``stopped_by``: the ID of each server that is off because an export stopped it -> the uuid of
    that one's bundle.  ``boots``: the ID of each server that shall boot from something else than
    at the source -> from what.
    """

    resources: Resources
    references: References
    captures: tuple[DiskCapture, ...]
    stops: Mapping[str, Literal["during", "keep"]]
    stopped_by: Mapping[str, str]
    boots: Mapping[str, Boot]
    omissions: tuple[Omission, ...]
    warnings: tuple[str, ...]
    reached: Closure
