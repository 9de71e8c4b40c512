"""Network API: ``/subnets``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class AllocationPool(Record):
    start: str
    end: str


@dataclass(frozen=True, kw_only=True)
class HostRoute(Record):
    """A route given to hosts (subnet) or held by a router."""

    destination: str
    nexthop: str


@dataclass(frozen=True, kw_only=True)
class Subnet(Tagged):
    """A subnet.  ``gateway_ip`` None: the subnet has no gateway."""

    type = "subnet"

    network_id: str
    ip_version: Literal[4, 6]
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool = True
    allocation_pools: tuple[AllocationPool, ...] = ()
    host_routes: tuple[HostRoute, ...] = ()
    dns_nameservers: tuple[str, ...] = ()
    ipv6_address_mode: str | None = None
    ipv6_ra_mode: str | None = None
    service_types: tuple[str, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        return (Ref("network", self.network_id),)
