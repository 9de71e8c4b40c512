"""From records to resources of the target: one module per type, the mirror of discovery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bundle_spec.model import Resource
from downpour_import.recreate.address_group import AddressGroups
from downpour_import.recreate.base import Outcome, Recreator, recreate
from downpour_import.recreate.context import Context
from downpour_import.recreate.floating_ip import FloatingIps
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
from downpour_import.recreate.upload import Images, recreate_kernel
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


def differences(context: Context, record: Resource) -> list[str]:
    """Where the target's resource is not what ``record`` says; an empty list is the proof."""
    kind = RECREATORS[record.type]
    target = context.optional_target(record.ref)
    if target is None:
        return ["it was not made"]
    item = kind.look(context, target)
    return ["it is gone"] if item is None else kind.differences(context, record, item)
