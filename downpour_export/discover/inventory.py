"""What discovery found: records as a bundle has them, with the facts that only planning needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bundle_spec.model import (
    AddressGroup,
    FlavorReference,
    FloatingIp,
    Image,
    Keypair,
    Network,
    Port,
    QosPolicyReference,
    Resource,
    Router,
    SecurityGroup,
    Server,
    ServerGroup,
    Subnet,
    Trunk,
    Volume,
    VolumeSnapshot,
)
from downpour_export.discover.losses import Loss
from downpour_export.discover.quota import FreeQuota


@dataclass(frozen=True, kw_only=True)
class FoundNetwork:
    """``owned``: by this project, so that it is carried; others become references."""

    record: Network
    owned: bool
    external: bool
    shared: bool
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FoundPort:
    """``device_owner``: empty for a port that nothing uses."""

    record: Port
    device_id: str
    device_owner: str
    losses: tuple[Loss, ...] = ()

    @property
    def of_the_cloud(self) -> bool:
        """Whether it belongs to a router, to DHCP or the like, and is not carried as a port."""
        return self.device_owner.startswith("network:")


@dataclass(frozen=True, kw_only=True)
class FoundImage:
    """``size``: bytes of the image file.  The hash: None where Glance has none.

    ``virtual_size``: bytes of the disk in it, where Glance knows them.  ``instance_id``: the
    server that Nova made it from.  ``members``: IDs of the projects that it is shared with.
    ``volume_backed``: it holds no bytes, but names snapshots of volumes (Compute API,
    "createImage" of a server that boots from a volume).
    """

    record: Image
    owned: bool
    status: str
    size: int | None
    hash_algo: str | None
    hash_value: str | None
    virtual_size: int | None = None
    instance_id: str | None = None
    created_at: str = ""
    members: tuple[str, ...] = ()
    volume_backed: bool = False


@dataclass(frozen=True, kw_only=True)
class FoundVolume:
    """``devices``: the ID of each server it is attached to -> its device name there.

    ``image_id``: the image that it was made from.
    """

    record: Volume
    status: str
    encrypted: bool
    devices: Mapping[str, str]
    image_id: str | None = None
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FoundSnapshot:
    record: VolumeSnapshot
    status: str

    @property
    def taken(self) -> str | None:
        """When it was taken, UTC, in the form of a manifest's other times; Cinder gives no zone."""
        created = self.record.created_at
        return f"{created.removesuffix('Z')}+00:00" if created else None


@dataclass(frozen=True, kw_only=True)
class FoundServer:
    """``status``: Nova's.  ``record.image_id``: the image that it once booted from.

    ``stopped_by``: the uuid of the bundle whose export stopped it and has not started it again.
    """

    record: Server
    status: str
    flavor: FlavorReference
    losses: tuple[Loss, ...] = ()
    stopped_by: str | None = None


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
    volume_snapshots: dict[str, FoundSnapshot] = field(default_factory=dict)
    server_groups: dict[str, ServerGroup] = field(default_factory=dict)
    servers: dict[str, FoundServer] = field(default_factory=dict)
    address_groups: dict[str, AddressGroup] = field(default_factory=dict)
    trunks: dict[str, Trunk] = field(default_factory=dict)
    qos_policies: dict[str, QosPolicyReference] = field(default_factory=dict)
    losses: dict[str, tuple[Loss, ...]] = field(default_factory=dict)
    """Of routers and subnets, by ID."""
    default_volume_type: str | None = None
    room: FreeQuota = field(default_factory=FreeQuota)
    extensions: frozenset[str] = frozenset()
    """Of Neutron, by alias."""

    def listable(self) -> dict[str, list[Resource]]:
        """What a resource file may name, by its section: all that the project owns and that a
        bundle can carry, but for subnets, which go with their network."""
        return {
            "keypairs": [*self.keypairs.values()],
            "images": [image.record for image in self.images.values() if image.owned],
            "volumes": [volume.record for volume in self.volumes.values()],
            "servers": [server.record for server in self.servers.values()],
            "networks": [network.record for network in self.networks.values() if network.owned],
            "routers": [*self.routers.values()],
            "security_groups": [*self.security_groups.values()],
            "floating_ips": [*self.floating_ips.values()],
            "server_groups": [*self.server_groups.values()],
            "address_groups": [*self.address_groups.values()],
            # The port of a trunk may be another project's.
            "trunks": [trunk for trunk in self.trunks.values() if trunk.port_id in self.ports],
            "ports": [port.record for port in self.ports.values() if not port.of_the_cloud],
            "volume_snapshots": [snapshot.record for snapshot in self.volume_snapshots.values()],
        }
