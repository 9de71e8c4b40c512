"""From records to resources of the target: one module per type, the mirror of discovery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from bundle_spec.model import Resource
from downpour_import.recreate.address_group import AddressGroups
from downpour_import.recreate.base import NetworkRecreator, Outcome, Recreator, recreate
from downpour_import.recreate.context import Context
from downpour_import.recreate.floating_ip import FloatingIps
from downpour_import.recreate.image import Images, recreate_kernel
from downpour_import.recreate.keypair import Keypairs
from downpour_import.recreate.network import Networks
from downpour_import.recreate.port import Ports
from downpour_import.recreate.router import Routers
from downpour_import.recreate.security_group import SecurityGroups
from downpour_import.recreate.security_group_rule import AddedRules, recreate_rules
from downpour_import.recreate.server import Servers
from downpour_import.recreate.server_group import ServerGroups
from downpour_import.recreate.subnet import Subnets, recreate_dhcp
from downpour_import.recreate.trunk import Trunks
from downpour_import.recreate.volume import Volumes, upload_volume_disk

__all__ = ["RECREATORS", "STEPS", "Context", "Outcome", "recreate", "upload_volume_disk"]

RECREATORS: Mapping[str, Recreator[Any]] = {
    "keypair": Keypairs(),
    "address_group": AddressGroups(),
    "security_group": SecurityGroups(),
    "security_group_rule": AddedRules(),
    "network": Networks(),
    "subnet": Subnets(),
    "router": Routers(),
    "port": Ports(),
    "trunk": Trunks(),
    "image": Images(),
    "volume": Volumes(),
    "volume_snapshot": Volumes(),
    "server_group": ServerGroups(),
    "server": Servers(),
    "floating_ip": FloatingIps(),
}

STEPS: Mapping[str, Callable[..., Outcome]] = {
    "security_group_rules": recreate_rules,
    "subnet_dhcp": recreate_dhcp,
    "image_kernel": recreate_kernel,
}
"""What is done to a resource later, when others stand: action name -> (context, record)."""


MANY = 5
"""Records of a type from which on one list call reads all of them back."""

Listed = Mapping[str, Mapping[str, Any]]
"""Type -> ID -> what the target has."""


def listed(context: Context, records: Iterable[Resource]) -> Listed:
    """What there is of the types that have many of ``records``, where a list call tells all."""
    counts = Counter(record.type for record in records)
    kinds = {each: RECREATORS[each] for each, number in counts.items() if number >= MANY}
    return {
        each: {item["id"]: item for item in kind.all(context)}
        for each, kind in kinds.items()
        if isinstance(kind, NetworkRecreator)
    }


def differences(
    context: Context, record: Resource, known: Listed = MappingProxyType({})
) -> list[str]:
    """Where the target's resource is not what ``record`` says; an empty list is the proof.

    ``known``: what need not be asked for any more.
    """
    kind = RECREATORS[record.type]
    target = context.optional_target(record.ref)
    if target is None:
        return ["it was not made"]
    item = known.get(record.type, {}).get(target) or kind.fetch(context, target)
    return ["it is gone"] if item is None else kind.differences(context, record, item)
