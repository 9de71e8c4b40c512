"""QoS policies as references by name: a tenant can use one but not create one."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.model import QosPolicyReference
from downpour_export.cloud import SourceCloud


def look_up(cloud: SourceCloud, ids: Iterable[str]) -> dict[str, QosPolicyReference]:
    """One call for each; a policy that the project cannot see gets its ID as its name."""
    policies = {}
    for policy_id in sorted(ids):
        answer = cloud.get_or_none("network", f"/qos/policies/{policy_id}")
        item = answer["policy"] if answer else {"name": policy_id}
        policies[policy_id] = QosPolicyReference(
            id=policy_id, name=item["name"], shared=bool(item.get("shared"))
        )
    return policies
