"""What discovery found: records, each with the facts that only planning needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bundle_spec.model import (
    FlavorReference,
    FloatingIp,
    Image,
    Keypair,
    Network,
    Port,
    Router,
    SecurityGroup,
    Server,
    Subnet,
    Volume,
)


@dataclass(frozen=True, kw_only=True)
class FoundNetwork:
    """``owned``: by this project, so it can be made again; others are referred to."""

    record: Network
    owned: bool
    external: bool
    shared: bool


@dataclass(frozen=True, kw_only=True)
class FoundPort:
    record: Port
    device_id: str
    device_owner: str


@dataclass(frozen=True, kw_only=True)
class FoundImage:
    """``size`` in bytes; the hash is what Glance says of the bytes, where it says anything."""

    record: Image
    owned: bool
    status: str
    size: int | None
    hash_algo: str | None
    hash_value: str | None


@dataclass(frozen=True, kw_only=True)
class FoundVolume:
    """``devices``: the ID of each server it is attached to -> its device name there."""

    record: Volume
    status: str
    encrypted: bool
    devices: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FoundServer:
    """``status`` as Nova says it; ``record.image_id`` is what it once booted from."""

    record: Server
    status: str
    flavor: FlavorReference


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Everything of one project, by ID.  The order is that of the cloud's answers."""

    keypairs: dict[str, Keypair] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    networks: dict[str, FoundNetwork] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    routers: dict[str, Router] = field(default_factory=dict)
    ports: dict[str, FoundPort] = field(default_factory=dict)
    floating_ips: dict[str, FloatingIp] = field(default_factory=dict)
    images: dict[str, FoundImage] = field(default_factory=dict)
    volumes: dict[str, FoundVolume] = field(default_factory=dict)
    servers: dict[str, FoundServer] = field(default_factory=dict)
    default_volume_type: str | None = None
