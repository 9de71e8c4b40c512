"""Address groups of the project (extension ``address-group``)."""

from __future__ import annotations

from bundle_spec.model import AddressGroup
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks


def discover(cloud: SourceCloud) -> dict[str, AddressGroup]:
    query = {"project_id": cloud.project_id}
    items = cloud.list("network", "/address-groups", "address_groups", query)
    return {record.id: record for record in map(record_of, items)}


def record_of(item: Json) -> AddressGroup:
    return AddressGroup(
        id=item["id"],
        name=item["name"],
        description=marks.text(item.get("description")),
        addresses=tuple(sorted(item["addresses"])),
    )
