"""Routers, with their interfaces, which are read from their ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from bundle_spec.model import FixedIp, Router, RouterInterface, Subnet
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import losses, marks
from downpour_export.discover.inventory import FoundPort
from downpour_export.discover.losses import Loss
from downpour_export.discover.subnet import routes_of

INTERFACE_OWNERS = (
    "network:router_interface",
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
)


def discover(
    cloud: SourceCloud,
    ports: Iterable[FoundPort],
    subnets: Mapping[str, Subnet],
    lost: dict[str, tuple[Loss, ...]],
) -> dict[str, Router]:
    """``subnets``: by ID.  ``lost`` is filled with what cannot be carried of each, by ID."""
    interfaces: dict[str, list[RouterInterface]] = {}
    for port in ports:
        if port.device_owner in INTERFACE_OWNERS:
            interfaces.setdefault(port.device_id, []).extend(
                RouterInterface(subnet_id=ip.subnet_id, ip_address=ip.ip_address)
                for ip in _chosen(port.record.fixed_ips, subnets)
            )
    items = list(cloud.list("network", "/routers", "routers", {"project_id": cloud.project_id}))
    lost.update((item["id"], tuple(losses.of_router(item))) for item in items)
    return {item["id"]: record_of(item, interfaces.get(item["id"], ())) for item in items}


def _chosen(fixed_ips: Sequence[FixedIp], subnets: Mapping[str, Subnet]) -> Sequence[FixedIp]:
    """Those of a port without what Neutron gave it beside them: on a subnet whose addresses follow
    from MACs each port of the network gets one, and none can be asked for."""
    chosen = [ip for ip in fixed_ips if not _automatic(ip, subnets.get(ip.subnet_id))]
    return chosen or fixed_ips


def _automatic(ip: FixedIp, subnet: Subnet | None) -> bool:
    by_mac = subnet is not None and subnet.ipv6_address_mode in ("slaac", "dhcpv6-stateless")
    return by_mac and subnet is not None and subnet.gateway_ip != ip.ip_address


def record_of(item: Json, interfaces: Iterable[RouterInterface]) -> Router:
    gateway = item.get("external_gateway_info") or {}
    return Router(
        id=item["id"],
        name=item["name"],
        description=marks.text(item.get("description")),
        tags=marks.tags(item.get("tags")),
        admin_state_up=item["admin_state_up"],
        external_network_id=gateway.get("network_id"),
        interfaces=tuple(sorted(interfaces, key=attrgetter("subnet_id", "ip_address"))),
        routes=routes_of(item.get("routes") or ()),
    )
