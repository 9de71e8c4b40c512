"""Floating IPs of the project."""

from __future__ import annotations

from bundle_spec.model import FloatingIp
from downpour_export.cloud import Json, SourceCloud
from downpour_export.discover import marks


def discover(cloud: SourceCloud) -> dict[str, FloatingIp]:
    found = cloud.list("network", "/floatingips", "floatingips", {"project_id": cloud.project_id})
    return {record.id: record for record in map(record_of, found)}


def record_of(item: Json) -> FloatingIp:
    return FloatingIp(
        id=item["id"],
        name=item["floating_ip_address"],
        description=marks.text(item.get("description")),
        tags=marks.tags(item.get("tags")),
        floating_network_id=item["floating_network_id"],
        port_id=item.get("port_id"),
        fixed_ip_address=item.get("fixed_ip_address"),
    )
