"""What of a project nothing that is carried needs, and what keeps it from being carried.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.model import Image, Port, Resource, SecurityGroup, VolumeSnapshot
from downpour_export.discover import Inventory
from downpour_export.plan.graph import closure

_ORDER = (
    "networks",
    "routers",
    "security_groups",
    "address_groups",
    "server_groups",
    "floating_ips",
    "trunks",
    "ports",
    "volume_snapshots",
)
"""What brings others comes before them: a network its subnets and routers, a trunk its ports."""

_DEFAULT_RULES = frozenset(
    [
        *(("egress", family, False) for family in ("IPv4", "IPv6")),
        *(("ingress", family, True) for family in ("IPv4", "IPv6")),
    ]
)
"""Direction, address family, and whether the rule names the group itself, of the rules that Neutron
gives each project's own group (Networking API, "Security groups")."""


def loose(
    inventory: Inventory, principal: Iterable[Resource], *, save_state: bool
) -> dict[str, list[Resource]]:
    """What of the project ``principal`` does not need, by its section of a resource file.

    What is in a section does not need to be in a later one.  ``save_state`` False: without
    snapshots, which are nothing without their contents.
    """
    listable = inventory.listable()
    reached = closure(inventory, principal)
    found: dict[str, list[Resource]] = {}
    for section in _ORDER:
        if section == "volume_snapshots" and not save_state:
            continue
        found[section] = [
            record
            for record in listable[section]
            if record.ref not in reached
            and not goes_without_saying(record, inventory)
            and obstacle(record, inventory) is None
        ]
        reached = closure(inventory, found[section], reached)
    return found


def goes_without_saying(record: Resource, inventory: Inventory) -> bool:
    """Whether every project has it, or it is a part of something else: nobody would miss it."""
    match record:
        case SecurityGroup():
            return _is_untouched_default(record)
        case Port():
            device = inventory.ports[record.id].device_id
            return device in inventory.servers or device in inventory.trunks
    return False


def _is_untouched_default(group: SecurityGroup) -> bool:
    """Whether it is the project's own group, as Neutron made it: every target has the same."""
    if group.name != "default":
        return False
    plain = {
        (rule.direction, rule.ether_type, rule.remote_group_id == group.id)
        for rule in group.rules
        if rule.protocol is None
        and rule.remote_ip_prefix is None
        and rule.remote_address_group_id is None
        and rule.remote_group_id in (None, group.id)
    }
    return plain == _DEFAULT_RULES and len(group.rules) == len(_DEFAULT_RULES)


def obstacle(record: Resource, inventory: Inventory) -> str | None:
    """Why ``query --all`` does not take it; None if nothing stands in the way."""
    match record:
        case Image():
            image = inventory.images[record.id]
            if image.volume_backed:
                return "it holds no bytes, but names snapshots of volumes"
            return None if image.status == "active" else f"it is {image.status}, not active"
        case Port():
            owner = inventory.ports[record.id].device_owner
            return f"it is of {owner}, which is not carried" if owner else None
        case VolumeSnapshot():
            snapshot = inventory.volume_snapshots[record.id]
            origin = inventory.volumes.get(record.volume_id)
            if origin and origin.encrypted:
                return "it is of an encrypted volume: its bytes are of no use without the key"
            state = snapshot.status
            return None if state == "available" else f"it is {state}, not available"
    return None
