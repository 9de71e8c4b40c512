"""QoS policies, by name: a tenant can use one and cannot make one."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.model import QosPolicyReference
from downpour_export.cloud import SourceCloud


def look_up(cloud: SourceCloud, ids: Iterable[str]) -> dict[str, QosPolicyReference]:
    """One call for each; one that the project cannot see is known by its ID alone."""
    found = {}
    for policy_id in sorted(ids):
        answer = cloud.get_or_none("network", f"/qos/policies/{policy_id}")
        item = answer["policy"] if answer else {"name": policy_id}
        found[policy_id] = QosPolicyReference(
            id=policy_id, name=item["name"], shared=bool(item.get("shared"))
        )
    return found
