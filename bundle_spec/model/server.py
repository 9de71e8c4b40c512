"""Compute API: ``/servers``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bundle_spec.model.base import Record, Ref, Resource


@dataclass(frozen=True, kw_only=True)
class Nic(Record):
    """A network interface; the order of a server's NICs is the guest's order."""

    port_id: str
    tag: str | None = None


@dataclass(frozen=True, kw_only=True)
class AttachedVolume(Record):
    """A volume of a server; ``boot_index`` 0 is the root disk of a volume-booted server."""

    volume_id: str
    device: str | None = None
    boot_index: int | None = None
    delete_on_termination: bool = False
    tag: str | None = None


@dataclass(frozen=True, kw_only=True)
class Server(Resource):
    """A server.

    ``image_id`` is what it boots from: the carried image of its own disk, a carried image of
    the tenant, or an image that the target must have; None for a volume-booted server.
    ``flavor`` is the flavor's name at the source; its sizes are in the references.
    ``user_data`` is base64, as Nova takes it; no tenant can read it, so it is there only where
    the exporter was given it.  ``disk_config``: ``OS-DCF:diskConfig``.
    """

    type = "server"

    flavor: str
    power_state: Literal["running", "stopped"] = "running"
    description: str | None = None
    image_id: str | None = None
    key_name: str | None = None
    availability_zone: str | None = None
    config_drive: bool = False
    hostname: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    user_data: str | None = None
    disk_config: str | None = None
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    locked: bool = False
    locked_reason: str | None = None
    server_group_id: str | None = None
    nics: tuple[Nic, ...] = ()
    volumes: tuple[AttachedVolume, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        zone = self.availability_zone
        return (
            Ref("flavor", self.flavor),
            *((Ref("image", self.image_id),) if self.image_id else ()),
            *((Ref("keypair", self.key_name),) if self.key_name else ()),
            *((Ref("availability_zone", f"compute/{zone}"),) if zone else ()),
            *((Ref("server_group", self.server_group_id),) if self.server_group_id else ()),
            *(Ref("port", nic.port_id) for nic in self.nics),
            *(Ref("volume", volume.volume_id) for volume in self.volumes),
        )
