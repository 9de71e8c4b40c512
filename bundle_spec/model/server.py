"""Compute API: ``/servers``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bundle_spec.model.base import Record, Ref, Resource
from bundle_spec.model.forms import Base64


@dataclass(frozen=True, kw_only=True)
class Nic(Record):
    """A network interface; the order of a server's NICs is the guest's order."""

    port_id: str
    """The port."""
    tag: str | None = None
    """The device tag, by which the guest knows it; null: none. The target takes it from
    microversion 2.42 on."""


@dataclass(frozen=True, kw_only=True)
class AttachedVolume(Record):
    """A volume of a server."""

    volume_id: str
    """The volume."""
    device: str | None = None
    """The device name at the source, for people: the order of the list is the guest's. null:
    unknown."""
    boot_index: int | None = None
    """0: the server boots from it; null: it does not."""
    delete_on_termination: bool = False
    """Whether the volume goes when the server is deleted."""
    tag: str | None = None
    """The device tag, by which the guest knows it; null: none."""


@dataclass(frozen=True, kw_only=True)
class Server(Resource):
    """A server, with what it boots from and what is attached to it."""

    type = "server"

    flavor: str
    """The name of its flavor at the source; the sizes are in the references."""
    power_state: Literal["running", "stopped"] = "running"
    """What it was when the export began; of a server that the export itself stopped, `running`."""
    description: str | None = None
    """Text of the tenant (microversion 2.19); null: none."""
    image_id: str | None = None
    """The image that it boots from: one of its own disk, one of the tenant, or one that the target
    must have. null: it boots from the volume of `boot_index` 0."""
    key_name: str | None = None
    """The name of its keypair; null: none."""
    availability_zone: str | None = None
    """Its zone of the compute service; null: the target's choice."""
    config_drive: bool = False
    """Whether it has a configuration drive."""
    hostname: str | None = None
    """The host name that the guest is told (microversion 2.90); null: made of the name."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The tenant's keys and values."""
    tags: tuple[str, ...] = ()
    """Tags of the tenant, in any order (microversion 2.26)."""
    user_data: Base64 | None = None
    """As Nova takes it: base64 (RFC 4648, section 4) of the bytes. No tenant can read it back, so
    it is here only where a person gave it. null: none."""
    disk_config: str | None = None
    """Nova's `OS-DCF:diskConfig`, `AUTO` or `MANUAL`: whether Nova fits the partition to the
    flavor; null: unknown."""
    access_ip_v4: str | None = None
    """Nova's `accessIPv4`: a note of the tenant; null: none."""
    access_ip_v6: str | None = None
    """Nova's `accessIPv6`, in the same way."""
    locked: bool = False
    """Whether its owner has locked it; to be done last."""
    locked_reason: str | None = None
    """Why (microversion 2.73); null: not said."""
    server_group_id: str | None = None
    """The server group that it is a member of; null: none. It is a hint of the POST."""
    nics: tuple[Nic, ...] = ()
    """Its network interfaces, in the guest's order; none: it must get none."""
    volumes: tuple[AttachedVolume, ...] = ()
    """Its volumes, in the guest's order, the one that it boots from first."""

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
