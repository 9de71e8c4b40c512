"""The plan of an export, its types, and the server states that it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bundle_spec.model import Omission, Ref, References, Resources
from downpour_export.plan.graph import Closure
from downpour_export.plan.left_behind import LeftBehind
from downpour_export.resource_file import Boot

Consistency = Literal["idle", "stopped", "paused", "live"]
"""The state of the server that uses a disk when it is captured; ``idle``: no server does."""

StopMode = Literal["during", "keep"]
"""A server is stopped while its disks are snapshotted, or for good."""

# Nova takes an image of a server in these states only (Compute API, "createImage").
CAPTURABLE: Mapping[str, Consistency] = {
    "ACTIVE": "live",
    "SHUTOFF": "stopped",
    "PAUSED": "paused",
    "SUSPENDED": "paused",
}
# In these states Nova has taken one already (Compute API, "shelve").
SHELVED = ("SHELVED", "SHELVED_OFFLOADED")


@dataclass(frozen=True, kw_only=True)
class DiskCapture:
    """One disk to read.  ``server_id``: snapshotted together with that server's other disks;
    ``server_name``: what that is called.

    ``size``: bytes to read at most; exact for images.  ``image_id``: an image that holds the
    disk already and is read as it is; of a shelved server Nova has made one.  ``taken``: UTC, ISO
    8601, when the tenant's own snapshot was; None where the capture takes one, or nobody knows.
    """

    type: Literal["image", "server", "volume", "volume_snapshot"]
    id: str
    name: str
    size: int
    consistency: Consistency
    server_id: str | None = None
    image_id: str | None = None
    taken: str | None = None
    server_name: str | None = None

    @property
    def shown(self) -> str:
        """What messages call it: volume 'data' of server 'db'."""
        text = f"{self.type.replace('_', ' ')} {(self.name or self.id)!r}"
        volume_of = self.server_name is not None and self.type != "server"
        return f"{text} of server {self.server_name!r}" if volume_of else text

    @property
    def ref(self) -> Ref:
        return Ref(self.type, self.id)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``resources``: as the manifest will have them, but without IDs of disks.

    ``stops``: the servers to stop, by ID.  ``stopped_by``: the ID of each server that is off
    because an export stopped it -> the uuid of that bundle.  ``boots``: the ID of each
    server that will boot from something else than at the source -> from what.
    """

    resources: Resources
    references: References
    captures: tuple[DiskCapture, ...]
    stops: Mapping[str, StopMode]
    stopped_by: Mapping[str, str]
    boots: Mapping[str, Boot]
    omissions: tuple[Omission, ...]
    warnings: tuple[str, ...]
    reached: Closure
    left_behind: LeftBehind = field(default_factory=LeftBehind)
