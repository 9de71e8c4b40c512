"""Everything that a project holds, so that two moments can be compared field by field."""

from __future__ import annotations

from typing import Any

import openstack

# What the passing of time changes by itself.
_RESTLESS = ("updated_at", "revision_number", "location", "updated")

Holdings = dict[str, dict[str, dict[str, Any]]]


def holdings(cloud: openstack.connection.Connection) -> Holdings:
    """Type -> ID -> attributes."""
    project = cloud.current_project_id
    found = {
        "servers": cloud.compute.servers(),
        "keypairs": cloud.compute.keypairs(),
        "volumes": cloud.block_storage.volumes(),
        "snapshots": cloud.block_storage.snapshots(),
        "images": cloud.image.images(owner=project),
        "networks": cloud.network.networks(project_id=project),
        "subnets": cloud.network.subnets(project_id=project),
        "routers": cloud.network.routers(project_id=project),
        "ports": cloud.network.ports(project_id=project),
        "security_groups": cloud.network.security_groups(project_id=project),
        "floating_ips": cloud.network.ips(project_id=project),
    }
    return {
        kind: {
            item.id: {key: value for key, value in item.to_dict().items() if key not in _RESTLESS}
            for item in items
        }
        for kind, items in found.items()
    }
