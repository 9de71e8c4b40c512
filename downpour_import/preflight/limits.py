"""What the project may still make on the target, by the names that the services give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundle_spec.errors import RecreateError
from bundle_spec.model import AddressGroup, Resources
from bundle_spec.model.base import Tagged
from downpour_import.cloud import Service, TargetCloud

Json = Any
Room = Mapping[str, int]
"""Name of a quota -> what is left of it.  None of its names: no limit, or none that is told.

Names: ``instances``, ``cores``, ``ram`` (MiB), ``server_groups``; ``volumes``, ``gigabytes``,
``volumes_TYPE``, ``gigabytes_TYPE``, and ``per_volume_gigabytes``, which is of each; of Neutron
``network``, ``subnet``, ``router``, ``port``, ``security_group``, ``security_group_rule``,
``floatingip``, ``trunk``; of Glance ``image_count_total`` and ``image_size_total`` (MiB).
"""

_COMPUTE = {
    "instances": ("maxTotalInstances", "totalInstancesUsed"),
    "cores": ("maxTotalCores", "totalCoresUsed"),
    "ram": ("maxTotalRAMSize", "totalRAMUsed"),
    "server_groups": ("maxServerGroups", "totalServerGroupsUsed"),
}
"""Compute API, "Show Rate And Absolute Limits"."""


def read(cloud: TargetCloud, resources: Resources) -> dict[str, int]:
    """One call to each service that is to make something; what it does not tell has no limit here.

    Every service refuses what is too much by itself: this is only to know it before.
    """
    project, found = cloud.project_id, dict[str, int]()
    if resources.servers or resources.server_groups:
        absolute = _answer(cloud, "compute", "/limits", "limits").get("absolute") or {}
        found |= {
            name: absolute[limit] - absolute[used]
            for name, (limit, used) in _COMPUTE.items()
            if absolute.get(limit, -1) >= 0 and used in absolute
        }
    volumes = (*resources.volumes, *resources.volume_snapshots)
    if volumes:
        path = f"/os-quota-sets/{project}"
        quotas = _answer(cloud, "block_storage", path, "quota_set", {"usage": "true"})
        found |= _free(quotas, "in_use")
        of_one = (quotas.get("per_volume_gigabytes") or {}).get("limit", -1)
        if of_one >= 0:
            found["per_volume_gigabytes"] = of_one
    if has_network(resources):
        found |= _free(_answer(cloud, "network", f"/quotas/{project}/details", "quota"), "used")
    if resources.images or volumes:
        # Image API 2.13; only a cloud with unified limits tells any.
        found |= _free(_answer(cloud, "image", "/info/usage", "usage"), "usage")
    return {name: max(free, 0) for name, free in found.items()}


def has_network(resources: Resources) -> bool:
    """Whether Neutron has something to make."""
    return any(isinstance(record, (Tagged, AddressGroup)) for record in resources)


def _answer(
    cloud: TargetCloud,
    service: Service,
    path: str,
    key: str,
    params: Mapping[str, str] | None = None,
) -> dict[str, Json]:
    try:
        found = cloud.get(service, path, params).get(key)
    except RecreateError:
        return {}
    return found if isinstance(found, dict) else {}


def _free(quotas: Mapping[str, Json], used: str) -> dict[str, int]:
    return {
        name: item["limit"] - item[used] - (item.get("reserved") or 0)
        for name, item in quotas.items()
        if isinstance(item, dict) and item.get("limit", -1) >= 0 and used in item
    }
