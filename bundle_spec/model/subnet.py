"""Network API: ``/subnets``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bundle_spec.model.base import Record, Ref, Tagged
from bundle_spec.model.forms import Address, Cidr


@dataclass(frozen=True, kw_only=True)
class AllocationPool(Record):
    """A range of addresses that Neutron may give away by itself."""

    start: Address
    """The first address."""
    end: Address
    """The last address, which belongs to the range."""


@dataclass(frozen=True, kw_only=True)
class HostRoute(Record):
    """A route given to hosts (subnet) or held by a router."""

    destination: str
    """A network, as a CIDR."""
    nexthop: str
    """The address of the router to it."""


@dataclass(frozen=True, kw_only=True)
class Subnet(Tagged):
    """A subnet with its addresses."""

    type = "subnet"

    network_id: str
    """Its network."""
    ip_version: Literal[4, 6]
    """Of all its addresses."""
    cidr: Cidr
    """Its addresses, as a CIDR."""
    gateway_ip: Address | None
    """The gateway that DHCP tells; null: the subnet has none, and must not get one."""
    enable_dhcp: bool = True
    """Whether DHCP is on in the end; see the SPEC on when to switch it on."""
    allocation_pools: tuple[AllocationPool, ...] = ()
    """The ranges that Neutron chooses addresses from, all of them."""
    host_routes: tuple[HostRoute, ...] = ()
    """Routes that DHCP tells to servers."""
    dns_nameservers: tuple[str, ...] = ()
    """Addresses of name servers, in their order."""
    ipv6_address_mode: str | None = None
    """`slaac`, `dhcpv6-stateful` or `dhcpv6-stateless`; null: not set. Only Neutron's POST takes
    it."""
    ipv6_ra_mode: str | None = None
    """As `ipv6_address_mode`, for router advertisements."""
    service_types: tuple[str, ...] = ()
    """Device owners whose ports get addresses here; empty: all."""

    def references(self) -> tuple[Ref, ...]:
        return (Ref("network", self.network_id),)
