"""All resources of a bundle, by type, in the order in which the target makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from bundle_spec.model.address_group import AddressGroup
from bundle_spec.model.base import Record, Ref, Resource
from bundle_spec.model.floating_ip import FloatingIp
from bundle_spec.model.image import Image
from bundle_spec.model.keypair import Keypair
from bundle_spec.model.network import Network
from bundle_spec.model.port import Port
from bundle_spec.model.router import Router
from bundle_spec.model.security_group import SecurityGroup
from bundle_spec.model.server import Server
from bundle_spec.model.server_group import ServerGroup
from bundle_spec.model.subnet import Subnet
from bundle_spec.model.trunk import Trunk
from bundle_spec.model.volume import Volume, VolumeSnapshot


@dataclass(frozen=True, kw_only=True)
class Resources(Record):
    """Resources by type.  The order of the sections is the order of creation."""

    keypairs: tuple[Keypair, ...] = ()
    """Of the user who exported; Nova has no private keys."""
    address_groups: tuple[AddressGroup, ...] = ()
    """Named by rules of security groups."""
    security_groups: tuple[SecurityGroup, ...] = ()
    """All groups are made before any rule, as rules of two may name each other."""
    networks: tuple[Network, ...] = ()
    """Networks that the tenant owns."""
    subnets: tuple[Subnet, ...] = ()
    """Made without DHCP first."""
    routers: tuple[Router, ...] = ()
    """Each with its gateway, interfaces and routes."""
    ports: tuple[Port, ...] = ()
    """Ports of servers, and ports that wait for one."""
    trunks: tuple[Trunk, ...] = ()
    """Made before the servers that have their parent ports."""
    images: tuple[Image, ...] = ()
    """With their bytes; kernels and RAM disks are set when all images stand."""
    volumes: tuple[Volume, ...] = ()
    """With their contents, or without."""
    volume_snapshots: tuple[VolumeSnapshot, ...] = ()
    """Made as volumes."""
    server_groups: tuple[ServerGroup, ...] = ()
    """Made before their members."""
    servers: tuple[Server, ...] = ()
    """Made of all that stands before."""
    floating_ips: tuple[FloatingIp, ...] = ()
    """The last, as they open the way in."""

    def __iter__(self) -> Iterator[Resource]:
        for name in SECTIONS:
            yield from getattr(self, name)


def required_refs(resource: Resource) -> Iterator[Ref]:
    """What must be there for ``resource`` to be complete: its ``references()`` and, of a security
    group, the other groups that its rules name."""
    yield from resource.references()
    if isinstance(resource, SecurityGroup):
        yield from resource.remote_groups()


SECTIONS: tuple[str, ...] = tuple(
    field.name for field in dataclasses.fields(Resources) if field.name != "extra"
)
"""``keypairs``, ``security_groups`` …: the keys of the resource graph."""

RESOURCE_TYPES: frozenset[str] = frozenset(name.removesuffix("s") for name in SECTIONS)
"""``keypair``, ``security_group`` …: the type of a record in a section is its singular."""
