"""From records to resources of the target: one module per type, the mirror of discovery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from bundle_spec.model import Image, Resource, Volume
from downpour_import.recreate.address_group import AddressGroups
from downpour_import.recreate.base import NetworkRecreator, Outcome, Recreator
from downpour_import.recreate.context import Context
from downpour_import.recreate.floating_ip import FloatingIps
from downpour_import.recreate.image import Images, VolumeDisk, recreate_kernel
from downpour_import.recreate.isolation import ending_the_run, isolated
from downpour_import.recreate.keypair import Keypairs
from downpour_import.recreate.needs import UPLOAD
from downpour_import.recreate.network import Networks
from downpour_import.recreate.once import recreate
from downpour_import.recreate.port import Ports
from downpour_import.recreate.router import Routers
from downpour_import.recreate.security_group import SecurityGroups
from downpour_import.recreate.security_group_rule import AddedRules, recreate_rules
from downpour_import.recreate.server import Servers
from downpour_import.recreate.server_group import ServerGroups
from downpour_import.recreate.subnet import Subnets, recreate_dhcp
from downpour_import.recreate.trunk import Trunks
from downpour_import.recreate.upload import OnBytes
from downpour_import.recreate.volume import Volumes, upload_volume_disk

__all__ = [
    "RECREATORS",
    "STEPS",
    "Context",
    "Outcome",
    "ending_the_run",
    "isolated",
    "recreate",
    "recreator_of",
    "take_step",
    "upload_disk",
    "upload_volume_disk",
]

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


def recreator_of(record: Resource) -> Recreator[Any]:
    """Also of the image that only fills a volume."""
    return RECREATORS["image" if isinstance(record, VolumeDisk) else record.type]


STEPS: Mapping[str, Callable[..., Outcome]] = {
    "security_group_rules": recreate_rules,
    "subnet_dhcp": recreate_dhcp,
    "image_kernel": recreate_kernel,
}
"""Action name -> what is done to a resource after others were made, of (context, record)."""


def take_step(context: Context, action: str, record: Resource, *, check: bool = False) -> Outcome:
    """Make ``record``, or do the later step of it that ``action`` names; see ``isolated``."""

    def act() -> Outcome:
        if action in STEPS:
            return STEPS[action](context, record, check=check)
        return recreate(RECREATORS[action], context, record, check=check)

    return isolated(context, action, record, act)


def upload_disk(
    context: Context, record: Image | Volume, on_bytes: OnBytes, *, check: bool = False
) -> Outcome:
    """Send the bytes of an image, or those that are to fill a volume; see ``isolated``."""

    def act() -> Outcome:
        if isinstance(record, Image):
            return recreate(Images(on_bytes), context, record, check=check)
        return upload_volume_disk(context, record, on_bytes, check=check)

    return isolated(context, UPLOAD, record, act)


MANY = 5
"""From this number of records on, a type is read back with one list call."""

Listed = Mapping[str, Mapping[str, Any]]
"""Type -> ID -> the object as the target has it."""


def list_many(context: Context, records: Iterable[Resource]) -> Listed:
    """The target's objects of each Neutron type with many ``records``, by one list call each."""
    counts = Counter(record.type for record in records)
    recreators = {kind: RECREATORS[kind] for kind, number in counts.items() if number >= MANY}
    return {
        kind: {item["id"]: item for item in recreator.all(context)}
        for kind, recreator in recreators.items()
        if isinstance(recreator, NetworkRecreator)
    }


def differences(
    context: Context, record: Resource, listed: Listed = MappingProxyType({})
) -> list[str]:
    """Where the target's resource is not what ``record`` says; an empty list is the proof.

    ``listed``: objects that were read already; the others are fetched.
    """
    recreator = RECREATORS[record.type]
    target = context.optional_target(record.ref)
    if target is None:
        return ["it was not made"]
    item = listed.get(record.type, {}).get(target) or recreator.fetch(context, target)
    return ["it is gone"] if item is None else recreator.differences(context, record, item)
