"""Which resources the named ones depend on, and why.  Pure: no cloud, no files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bundle_spec.model import FloatingIp, Ref, Resource, Router, SecurityGroup, Server
from downpour_export.discover import Inventory


@dataclass(frozen=True)
class Closure:
    """``pulled_in_by``: every reached reference -> what needs it (None: named in the file).

    It includes what this project cannot create again (flavors, networks of others …); the plan
    makes references or omissions of these.
    """

    pulled_in_by: dict[Ref, Ref | None]

    def __contains__(self, ref: Ref) -> bool:
        return ref in self.pulled_in_by


def closure(
    inventory: Inventory, roots: Iterable[Resource], known: Closure | None = None
) -> Closure:
    """Everything that ``roots`` need, breadth first: ``pulled_in_by`` gives shortest chains.

    A root is given as the record that will be carried: a server with another ``key_name``
    than at the source needs that key and not the old one.  ``known``: what is reached already.
    """
    pulled_in_by: dict[Ref, Ref | None] = dict(known.pulled_in_by) if known else {}
    queue: deque[Resource] = deque()
    for root in roots:
        if root.ref not in pulled_in_by:
            pulled_in_by[root.ref] = None
            queue.append(root)
    while queue:
        resource = queue.popleft()
        for ref in dependencies(inventory, resource):
            if ref not in pulled_in_by:
                pulled_in_by[ref] = resource.ref
                record = carried_record(inventory, ref)
                if record is not None:
                    queue.append(record)
    return Closure(pulled_in_by)


def dependencies(inventory: Inventory, resource: Resource) -> Iterator[Ref]:
    """What a resource needs: what it refers to, and what makes it reachable.

    Beyond ``references()``: the groups that a group's rules name, every subnet of a network,
    the routers on a subnet, and the floating IPs of a server's ports.  A router does not pull
    in the other networks that it joins: only its interfaces on carried subnets go.
    """
    if isinstance(resource, Router):
        if resource.external_network_id:
            yield Ref("network", resource.external_network_id)
        return
    if isinstance(resource, FloatingIp):
        # A port that it forwards to is carried with its server, or not at all.
        resource = replace(resource, port_forwardings=())
    yield from resource.references()
    if isinstance(resource, SecurityGroup):
        yield from resource.remote_groups()
    elif resource.type == "network":
        for subnet in inventory.subnets.values():
            if subnet.network_id == resource.id:
                yield subnet.ref
    elif resource.type == "port":
        for trunk in inventory.trunks.values():
            if trunk.port_id == resource.id:
                yield trunk.ref
    elif resource.type == "subnet":
        for router in inventory.routers.values():
            if any(interface.subnet_id == resource.id for interface in router.interfaces):
                yield router.ref
    elif isinstance(resource, Server):
        ports = {nic.port_id for nic in resource.nics}
        for floating_ip in inventory.floating_ips.values():
            inside = {rule.internal_port_id for rule in floating_ip.port_forwardings}
            if floating_ip.port_id in ports or inside & ports:
                yield floating_ip.ref


def carried_record(inventory: Inventory, ref: Ref) -> Resource | None:
    """The record of ``ref`` if a tenant can create it on the target, else None."""
    match ref.type:
        case "network":
            network = inventory.networks.get(ref.id)
            return network.record if network and network.owned else None
        case "subnet":
            subnet = inventory.subnets.get(ref.id)
            owned = subnet and carried_record(inventory, Ref("network", subnet.network_id))
            return subnet if owned else None
        case "port":
            port = inventory.ports.get(ref.id)
            return port.record if port else None
        case "image":
            image = inventory.images.get(ref.id)
            return image.record if image and image.owned else None
        case "volume":
            volume = inventory.volumes.get(ref.id)
            return volume.record if volume else None
        case "server":
            server = inventory.servers.get(ref.id)
            return server.record if server else None
        case "address_group":
            return inventory.address_groups.get(ref.id)
        case "trunk":
            return inventory.trunks.get(ref.id)
        case "volume_snapshot":
            snapshot = inventory.volume_snapshots.get(ref.id)
            return snapshot.record if snapshot else None
        case "server_group":
            return inventory.server_groups.get(ref.id)
        case "keypair":
            return inventory.keypairs.get(ref.id)
        case "security_group":
            return inventory.security_groups.get(ref.id)
        case "router":
            return inventory.routers.get(ref.id)
        case "floating_ip":
            return inventory.floating_ips.get(ref.id)
    return None
