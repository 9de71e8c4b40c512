"""Networks: the project's own, the external ones, and those that others share with it."""

from __future__ import annotations

from bundle_spec.model import Network
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import losses, marks
from downpour_export.discover.inventory import FoundNetwork

# Three filtered lists: without a filter an admin's token would list the whole cloud.
_FILTERS = ({"router:external": "true"}, {"shared": "true"})


def discover(cloud: SourceCloud) -> dict[str, FoundNetwork]:
    networks: dict[str, FoundNetwork] = {}
    for query in ({"project_id": cloud.project_id}, *_FILTERS):
        for item in cloud.list("network", "/networks", "networks", query):
            networks[item["id"]] = found_of(item, cloud.project_id)
    return networks


def look_up(cloud: SourceCloud, network_id: str) -> FoundNetwork | None:
    """One network, which an RBAC policy may share with this project; None if it is not visible."""
    answer = cloud.get_or_none("network", f"/networks/{network_id}")
    return found_of(answer["network"], cloud.project_id) if answer else None


def found_of(item: Json, project_id: str) -> FoundNetwork:
    external = bool(item.get("router:external"))
    return FoundNetwork(
        record=Network(
            id=item["id"],
            name=item["name"],
            description=marks.text(item.get("description")),
            tags=marks.tags(item.get("tags")),
            admin_state_up=item["admin_state_up"],
            mtu=item.get("mtu"),
            port_security_enabled=item.get("port_security_enabled", True),
            dns_domain=item.get("dns_domain") or "",
            qos_policy_id=item.get("qos_policy_id"),
        ),
        # A tenant cannot make an external network, even if it owns this one.
        owned=item["project_id"] == project_id and not external,
        external=external,
        shared=bool(item.get("shared")),
        losses=tuple(losses.of_network(item)),
    )
