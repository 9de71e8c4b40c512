"""How much of its quotas a project has left, by the names that the services give them.

The services enforce their quotas themselves; these numbers only allow a warning before anything is
created.  A quota that is absent has no limit, or none that a tenant can read.
"""

from __future__ import annotations

from collections.abc import Mapping

from downpour_cloud.cloud import Cloud, Json

Quotas = dict[str, int]
"""Name of a quota -> what is left of it, never less than 0."""

_COMPUTE = {
    "instances": ("maxTotalInstances", "totalInstancesUsed"),
    "cores": ("maxTotalCores", "totalCoresUsed"),
    "ram": ("maxTotalRAMSize", "totalRAMUsed"),
    "server_groups": ("maxServerGroups", "totalServerGroupsUsed"),
}
"""Our name -> the limit and the usage in the Compute API, "Show Rate And Absolute Limits"."""


def compute(cloud: Cloud) -> Quotas:
    """``instances``, ``cores``, ``ram`` (MiB), ``server_groups``; ``metadata_of_server``, how many
    items of metadata one server can have."""
    answer = cloud.get_optional("compute", "/limits") or {}
    absolute = (answer.get("limits") or {}).get("absolute") or {}
    items = absolute.get("maxServerMeta", -1)
    of_each: Quotas = {"metadata_of_server": items} if items >= 0 else {}
    return of_each | {
        name: max(absolute[limit] - absolute[used], 0)
        for name, (limit, used) in _COMPUTE.items()
        if absolute.get(limit, -1) >= 0 and used in absolute
    }


def block_storage(cloud: Cloud) -> Quotas:
    """``volumes``, ``snapshots``, ``gigabytes``, each also for one type as ``volumes_TYPE``;
    ``per_volume_gigabytes``, the size of one volume (Block Storage API, "Show quota usage")."""
    path = f"/os-quota-sets/{cloud.project_id}"
    answer = cloud.get_optional("block_storage", path, {"usage": "true"}) or {}
    quotas = answer.get("quota_set") or {}
    remaining = _remaining(quotas, "in_use")
    remaining.pop("per_volume_gigabytes", None)
    largest = (quotas.get("per_volume_gigabytes") or {}).get("limit", -1)
    return remaining if largest < 0 else {**remaining, "per_volume_gigabytes": largest}


def network(cloud: Cloud) -> Quotas:
    """``network``, ``subnet``, ``router``, ``port``, ``security_group``, ``security_group_rule``,
    ``floatingip``, ``trunk`` (Networking API, "Show quota details")."""
    answer = cloud.get_optional("network", f"/quotas/{cloud.project_id}/details") or {}
    return _remaining(answer.get("quota") or {}, "used")


def image(cloud: Cloud) -> Quotas:
    """``image_count_total``, ``image_size_total`` (MiB): only a cloud with unified limits shows
    them (Image API 2.13, "Quota usage")."""
    answer = cloud.get_optional("image", "/info/usage") or {}
    return _remaining(answer.get("usage") or {}, "usage")


def _remaining(quotas: Mapping[str, Json], used: str) -> Quotas:
    return {
        name: max(item["limit"] - item[used] - (item.get("reserved") or 0), 0)
        for name, item in quotas.items()
        if isinstance(item, dict) and item.get("limit", -1) >= 0 and used in item
    }
