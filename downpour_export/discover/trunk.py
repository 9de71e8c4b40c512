"""Trunks of the project (extension ``trunk``)."""

from __future__ import annotations

from operator import itemgetter

from bundle_spec.model import SubPort, Trunk
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks


def discover(cloud: SourceCloud) -> dict[str, Trunk]:
    items = cloud.list("network", "/trunks", "trunks", {"project_id": cloud.project_id})
    return {record.id: record for record in map(record_of, items)}


def record_of(item: Json) -> Trunk:
    return Trunk(
        id=item["id"],
        name=item["name"],
        description=marks.text(item.get("description")),
        tags=marks.tags(item.get("tags")),
        port_id=item["port_id"],
        admin_state_up=item["admin_state_up"],
        sub_ports=tuple(
            SubPort(
                port_id=sub_port["port_id"],
                segmentation_type=sub_port["segmentation_type"],
                segmentation_id=sub_port["segmentation_id"],
            )
            for sub_port in sorted(item["sub_ports"], key=itemgetter("segmentation_id"))
        ),
    )
