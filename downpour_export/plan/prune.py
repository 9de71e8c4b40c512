"""Remove from records what refers to something that is not carried; each removal is an omission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bundle_spec.model import (
    FloatingIp,
    Image,
    Omission,
    Port,
    Ref,
    Resource,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Trunk,
)
from bundle_spec.model.image import KERNELS
from downpour_export.discover import Inventory
from downpour_export.plan.graph import Closure

Omit = Callable[[str, str], None]
"""Called with the attribute that is left out and the reason."""


def hidden(ref: Ref, inventory: Inventory) -> bool:
    """Whether the project cannot see what ``ref`` names: then it is not even a reference."""
    match ref.type:
        case "subnet":
            return ref.id not in inventory.subnets
        case "image":
            return ref.id not in inventory.images
        case "security_group" | "address_group" | "port":
            return True
    return False


def prune(
    record: Resource, reached: Closure, inventory: Inventory, omissions: list[Omission]
) -> Resource:
    """``record`` without what refers to something that is not carried; ``omissions`` grows."""

    def omit(attribute: str, reason: str) -> None:
        omissions.append(
            Omission(
                type=record.type,
                id=record.id,
                name=record.name,
                attribute=attribute,
                reason=reason,
            )
        )

    match record:
        case Router():
            return _router(record, reached, omit)
        case SecurityGroup():
            return _security_group(record, inventory, omit)
        case Port():
            return _port(record, inventory, omit)
        case Trunk():
            return _trunk(record, inventory, omit)
        case FloatingIp():
            return _floating_ip(record, reached, inventory, omit)
        case Image():
            return _image(record, inventory, omit)
    return record


def _router(record: Router, reached: Closure, omit: Omit) -> Router:
    kept = tuple(each for each in record.interfaces if Ref("subnet", each.subnet_id) in reached)
    for each in record.interfaces:
        if each not in kept:
            omit("interfaces", f"{each.ip_address}: subnet {each.subnet_id} is not carried")
    return replace(record, interfaces=kept)


def _security_group(record: SecurityGroup, inventory: Inventory, omit: Omit) -> SecurityGroup:
    def known(rule: SecurityGroupRule) -> bool:
        return rule.remote_group_id in (
            None,
            *inventory.security_groups,
        ) and rule.remote_address_group_id in (None, *inventory.address_groups)

    for rule in record.rules:
        if not known(rule):
            omit("rules", f"rule {rule.id} names a group of another project")
    return replace(record, rules=tuple(filter(known, record.rules)))


def _port(record: Port, inventory: Inventory, omit: Omit) -> Port:
    known = inventory.security_groups
    groups = tuple(group for group in record.security_group_ids if group in known)
    for group in record.security_group_ids:
        if group not in known:
            omit("security_group_ids", f"group {group} belongs to another project")
    addresses = tuple(ip for ip in record.fixed_ips if ip.subnet_id in inventory.subnets)
    for ip in record.fixed_ips:
        if ip not in addresses:
            omit("fixed_ips", f"{ip.ip_address}: subnet {ip.subnet_id} is not to be seen")
    return replace(record, security_group_ids=groups, fixed_ips=addresses)


def _trunk(record: Trunk, inventory: Inventory, omit: Omit) -> Trunk:
    kept = tuple(sub_port for sub_port in record.sub_ports if sub_port.port_id in inventory.ports)
    for sub_port in record.sub_ports:
        if sub_port not in kept:
            omit("sub_ports", f"port {sub_port.port_id} belongs to another project")
    return replace(record, sub_ports=kept)


def _floating_ip(
    record: FloatingIp, reached: Closure, inventory: Inventory, omit: Omit
) -> FloatingIp:
    if record.port_id is not None and record.port_id not in inventory.ports:
        omit("port_id", f"port {record.port_id} belongs to another project")
        record = replace(record, port_id=None, fixed_ip_address=None)
    kept = tuple(
        rule for rule in record.port_forwardings if Ref("port", rule.internal_port_id) in reached
    )
    for rule in record.port_forwardings:
        if rule not in kept:
            outside = f"{rule.protocol} {rule.external_port or rule.external_port_range}"
            inside = rule.internal_port_id
            omit("port_forwardings", f"{outside} leads to port {inside}, which is not carried")
    return replace(record, port_forwardings=kept)


def _image(record: Image, inventory: Inventory, omit: Omit) -> Image:
    kept = dict(record.properties)
    for key in KERNELS:
        if key in kept and kept[key] not in inventory.images:
            omit(key, f"image {kept.pop(key)} is not to be seen")
    return replace(record, properties=kept)
