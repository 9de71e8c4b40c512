"""Subnets of the project, and of the networks that others share with it."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.model import AllocationPool, HostRoute, Subnet
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import losses, marks
from downpour_export.discover.losses import Loss


def discover(
    cloud: SourceCloud, shared_networks: Iterable[str], lost: dict[str, tuple[Loss, ...]]
) -> dict[str, Subnet]:
    """Those of the project, and those of ``shared_networks`` (IDs), whoever owns them.

    ``lost`` is filled with what cannot be carried of each, by ID.
    """
    queries = [{"project_id": cloud.project_id}]
    queries += [{"network_id": network} for network in shared_networks]
    items = [
        item for query in queries for item in cloud.list("network", "/subnets", "subnets", query)
    ]
    lost.update((item["id"], tuple(losses.of_subnet(item))) for item in items)
    return {record.id: record for record in map(record_of, items)}


def record_of(item: Json) -> Subnet:
    return Subnet(
        id=item["id"],
        name=item["name"],
        description=marks.text(item.get("description")),
        tags=marks.tags(item.get("tags")),
        network_id=item["network_id"],
        ip_version=item["ip_version"],
        cidr=item["cidr"],
        gateway_ip=item["gateway_ip"],
        enable_dhcp=item["enable_dhcp"],
        allocation_pools=tuple(
            AllocationPool(start=pool["start"], end=pool["end"])
            for pool in item["allocation_pools"]
        ),
        host_routes=routes_of(item["host_routes"]),
        dns_nameservers=tuple(item["dns_nameservers"]),
        ipv6_address_mode=item.get("ipv6_address_mode"),
        ipv6_ra_mode=item.get("ipv6_ra_mode"),
        service_types=tuple(item.get("service_types") or ()),
    )


def routes_of(items: Json) -> tuple[HostRoute, ...]:
    return tuple(
        HostRoute(destination=route["destination"], nexthop=route["nexthop"]) for route in items
    )
