"""Whether the quotas of the project leave room for what is to be made.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bundle_spec.model import (
    Disk,
    Image,
    Network,
    Port,
    Ref,
    Resource,
    Router,
    SecurityGroup,
    Server,
    ServerGroup,
    Subnet,
    Trunk,
    Volume,
)
from bundle_spec.model.floating_ip import FloatingIp
from downpour_import.errors import TargetError
from downpour_import.preflight.result import Targets
from downpour_import.preflight.survey import Survey

_WORDS = {
    "instances": "servers",
    "cores": "vCPUs",
    "ram": "MiB of RAM",
    "server_groups": "server groups",
    "volumes": "volumes",
    "gigabytes": "GiB of volumes",
    "network": "networks",
    "subnet": "subnets",
    "router": "routers",
    "port": "ports",
    "security_group": "security groups",
    "security_group_rule": "security group rules",
    "floatingip": "floating IPs",
    "trunk": "trunks",
    "image_count_total": "images",
    "image_size_total": "MiB of images",
}
_ONE_EACH: Mapping[type[Resource], str] = {
    Network: "network",
    Subnet: "subnet",
    Router: "router",
    Port: "port",
    SecurityGroup: "security_group",
    FloatingIp: "floatingip",
    Trunk: "trunk",
    ServerGroup: "server_groups",
}
"""Type -> the quota of which each resource of this type takes one."""


def quota_faults(
    wanted: Iterable[Resource], targets: Targets, target: Survey, disks: Mapping[str, Disk]
) -> Iterator[TargetError]:
    """Every quota that has less room than ``wanted`` needs.

    The images that only fill volumes count too.  ``disks``: by ID, for the sizes of images.
    """
    wanted = list(wanted)
    remedy = "ask the operator for more, or leave something out with --skip"
    for name, needed in import_quota(wanted, targets, target, disks).items():
        free = target.room.get(name)
        if free is not None and needed > free:
            message = f"{needed} more needed, and it has room for {free}"
            yield TargetError(message, where=_words(name), remedy=remedy)
    largest = target.room.get("per_volume_gigabytes")
    for record in wanted:
        if isinstance(record, Volume) and largest is not None and record.size > largest:
            message = f"it has {record.size} GiB, and the quota allows {largest} for one volume"
            where = f"{record.type.replace('_', ' ')} {record.name!r}"
            yield TargetError(message, where=where, remedy="ask the operator for more")


def import_quota(
    wanted: Iterable[Resource], targets: Targets, target: Survey, disks: Mapping[str, Disk]
) -> Counter[str]:
    """How much of each quota the resources take, by the names of ``limits``."""
    flavors = {item["id"]: item for item in target.flavors}
    needed: Counter[str] = Counter()
    for record in wanted:
        if name := _ONE_EACH.get(type(record)):
            needed[name] += 1
        match record:
            case SecurityGroup():
                needed["security_group_rule"] += len(record.rules)
            case Router():
                # Each interface is a port of the project (Networking API, routers).
                needed["port"] += len(record.interfaces)
            case Volume():
                kind = _volume_type(record, targets, target)
                for suffix in ("", f"_{kind}") if kind else ("",):
                    needed[f"volumes{suffix}"] += 1
                    needed[f"gigabytes{suffix}"] += record.size
            case Server():
                needed["instances"] += 1
                flavor = flavors.get(targets.get(Ref("flavor", record.flavor)) or "")
                if flavor:
                    needed["cores"] += flavor["vcpus"]
                    needed["ram"] += flavor["ram"]
        disk_id = record.disk_id if isinstance(record, (Image, Volume)) else None
        if disk_id is not None:
            needed["image_count_total"] += 1
            disk = disks.get(disk_id)
            needed["image_size_total"] += -(-disk.size >> 20) if disk else 0
    return needed


def _volume_type(record: Volume, targets: Targets, target: Survey) -> str | None:
    """The type's name on the target."""
    if record.volume_type is None:
        return target.default_volume_type
    return targets.get(Ref("volume_type", record.volume_type)) or target.default_volume_type


def _words(name: str) -> str:
    for kind in ("volumes", "gigabytes"):
        if name.startswith(f"{kind}_"):
            return f"quota of {_WORDS[kind]} of type {name.removeprefix(f'{kind}_')!r}"
    return f"quota of {_WORDS.get(name, name)}"
