"""Routers, with their interfaces, which are read from their ports."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from bundle_spec.model import Router, RouterInterface
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
    cloud: SourceCloud, ports: Iterable[FoundPort], lost: dict[str, tuple[Loss, ...]]
) -> dict[str, Router]:
    """``lost`` is filled with what cannot be carried of each, by ID."""
    interfaces: dict[str, list[RouterInterface]] = {}
    for port in ports:
        if port.device_owner in INTERFACE_OWNERS:
            interfaces.setdefault(port.device_id, []).extend(
                RouterInterface(subnet_id=ip.subnet_id, ip_address=ip.ip_address)
                for ip in port.record.fixed_ips
            )
    items = list(cloud.list("network", "/routers", "routers", {"project_id": cloud.project_id}))
    lost.update((item["id"], tuple(losses.of_router(item))) for item in items)
    return {item["id"]: record_of(item, interfaces.get(item["id"], ())) for item in items}


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
