"""Security groups with their rules."""

from __future__ import annotations

from bundle_spec.model import SecurityGroup, SecurityGroupRule
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks


def discover(cloud: SourceCloud) -> dict[str, SecurityGroup]:
    items = cloud.list(
        "network", "/security-groups", "security_groups", {"project_id": cloud.project_id}
    )
    return {record.id: record for record in map(record_of, items)}


def record_of(item: Json) -> SecurityGroup:
    return SecurityGroup(
        id=item["id"],
        name=item["name"],
        description=marks.text(item.get("description")),
        tags=marks.tags(item.get("tags")),
        stateful=item.get("stateful", True),
        rules=tuple(sorted(map(rule_of, item["security_group_rules"]), key=lambda rule: rule.id)),
    )


def rule_of(item: Json) -> SecurityGroupRule:
    return SecurityGroupRule(
        id=item["id"],
        direction=item["direction"],
        ether_type=item["ethertype"],
        protocol=item.get("protocol"),
        port_range_min=item.get("port_range_min"),
        port_range_max=item.get("port_range_max"),
        remote_ip_prefix=item.get("remote_ip_prefix"),
        remote_group_id=item.get("remote_group_id"),
        remote_address_group_id=item.get("remote_address_group_id"),
        description=marks.text(item.get("description")),
    )
