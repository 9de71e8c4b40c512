"""What a step of a resource needs of other resources of the bundle.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bundle_spec.model import FloatingIp, Ref, Resource, Resources, Server
from bundle_spec.model.resources import required_refs

UPLOAD = "upload"
"""The step that sends a disk's bytes, of an image or for a volume."""

_NOTHING = frozenset({UPLOAD, "subnet_dhcp"})
_MADE_BEFORE_WHAT_IT_NAMES = frozenset({"security_group", "image"})
"""Types whose resources name each other: they are made first, and refer to each other in a later
step."""

Group = tuple[Ref, ...]
"""References of which one must stand."""


def needed(resources: Resources, step: str, record: Resource) -> Iterator[Group]:
    """What must stand before this ``step`` (the name of its action) of ``record`` is tried."""
    if step in _NOTHING:
        return
    if step in _MADE_BEFORE_WHAT_IT_NAMES:
        refs = [ref for ref in record.references() if ref.type != record.type]
    else:
        refs = list(required_refs(record))
    yield from ((ref,) for ref in refs)
    match record:
        case Server():
            yield from _trunks(resources, record)
        case FloatingIp():
            yield from _routers(resources, record)


def _trunks(resources: Resources, server: Server) -> Iterator[Group]:
    """Those of its ports: Neutron makes no trunk on a port that a server has ("Trunk networking",
    parent port in use), so it would never get them."""
    ports = {nic.port_id for nic in server.nics}
    yield from ((trunk.ref,) for trunk in resources.trunks if trunk.port_id in ports)


def _routers(resources: Resources, floating_ip: FloatingIp) -> Iterator[Group]:
    """For each of its ports, any router of the bundle that leads from there to its network: Neutron
    binds it to no port that its network cannot reach."""
    ports = {forwarding.internal_port_id for forwarding in floating_ip.port_forwardings}
    for port in resources.ports:
        if port.id == floating_ip.port_id or port.id in ports:
            subnets = {ip.subnet_id for ip in port.fixed_ips}
            routers = tuple(
                router.ref
                for router in resources.routers
                if router.external_network_id == floating_ip.floating_network_id
                and any(interface.subnet_id in subnets for interface in router.interfaces)
            )
            if routers:
                yield routers
