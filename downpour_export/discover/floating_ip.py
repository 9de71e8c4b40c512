"""Floating IPs of the project."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.model import FloatingIp, PortForwarding
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks


def discover(cloud: SourceCloud) -> dict[str, FloatingIp]:
    items = cloud.list("network", "/floatingips", "floatingips", {"project_id": cloud.project_id})
    return {record.id: record for record in map(record_of, items)}


def record_of(item: Json) -> FloatingIp:
    return FloatingIp(
        id=item["id"],
        name=item["floating_ip_address"],
        description=marks.text(item.get("description")),
        tags=marks.tags(item.get("tags")),
        floating_network_id=item["floating_network_id"],
        port_id=item.get("port_id"),
        fixed_ip_address=item.get("fixed_ip_address"),
        dns_name=item.get("dns_name") or "",
        dns_domain=item.get("dns_domain") or "",
        qos_policy_id=item.get("qos_policy_id"),
        port_forwardings=forwardings_of(item.get("port_forwardings") or ()),
    )


def forwardings_of(items: Iterable[Json]) -> tuple[PortForwarding, ...]:
    """Within a floating IP (extension ``expose-port-forwarding-in-fip``) they lack descriptions."""
    return tuple(
        PortForwarding(
            protocol=item["protocol"],
            internal_port_id=item["internal_port_id"],
            internal_ip_address=item["internal_ip_address"],
            internal_port=item.get("internal_port"),
            external_port=item.get("external_port"),
            internal_port_range=item.get("internal_port_range"),
            external_port_range=item.get("external_port_range"),
            description=marks.text(item.get("description")),
        )
        for item in sorted(items, key=lambda item: item["id"])
    )
