"""Whether what is to be made fits what stands on the target already.  Pure.

Flavors must have room for their images, addresses must be free and inside their subnets, and
Neutron must know the extensions.  What a cloud would refuse in the middle of a run is told here.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from bundle_spec.model import (
    AddressGroup,
    Disk,
    FloatingIp,
    Port,
    Ref,
    Resource,
    Resources,
    Router,
    Server,
    Trunk,
)
from bundle_spec.model.playbook import MappingRules
from downpour_import.errors import TargetError
from downpour_import.preflight.result import Preflight
from downpour_import.preflight.survey import Survey

Json = Any
GIB = 1 << 30

_FREE_TO_CHOOSE = "fixed_ips: drop in the mapping lets the target choose"


@dataclass(frozen=True)
class Fit:
    """``wanted``: what is to be made, out of ``resources``.  ``occupied``: ID of a network of the
    target on which something is to be made -> addresses in use there.  ``disks``: by ID."""

    wanted: tuple[Resource, ...]
    resources: Resources
    rules: MappingRules
    target: Survey
    occupied: Mapping[str, frozenset[str]]
    disks: Mapping[str, Disk]


def fit(work: Fit, result: Preflight) -> None:
    """Add to ``result`` what does not fit, and what the target will choose by itself.

    Where the mapping lets it, an address that cannot be kept becomes ``None`` among the targets
    (``port_address_ref``).
    """
    for record in work.wanted:
        match record:
            case Server():
                result.faults += _flavor_faults(work, result, record)
            case Port():
                _port(work, result, record)
            case Router():
                result.faults += _overlaps(work, result, record)
    _tell_lost(work, result)
    result.faults += _extension_faults(work.wanted, work.target)


def port_address_ref(port_id: str, address: str) -> Ref:
    """What the targets call one address of a port; None there: the target chooses."""
    return Ref("port_address", f"{port_id}/{address}")


# --- flavors ---


def _flavor_faults(work: Fit, result: Preflight, server: Server) -> Iterator[TargetError]:
    """Nova refuses an image that the flavor is too small for (Compute API, "Create Server")."""
    flavor = _by_id(work.target.flavors, result.targets.get(Ref("flavor", server.flavor)))
    if flavor is None or server.image_id is None:
        return
    disk, ram = _image_needs(work, result, server.image_id)
    where = f"server {server.name!r}"
    remedy = f"map flavor {server.flavor!r} to a larger one"
    if flavor["ram"] < ram:
        message = f"its image needs {ram} MiB of RAM, and flavor {flavor['name']!r} has less"
        yield TargetError(message, where=where, remedy=remedy)
    if 0 < flavor["disk"] < disk:
        message = f"its image needs {disk} GiB of disk, and flavor {flavor['name']!r} has less"
        yield TargetError(message, where=where, remedy=remedy)


def _image_needs(work: Fit, result: Preflight, image_id: str) -> tuple[int, int]:
    """GiB of disk and MiB of RAM."""
    mapped = _by_id(work.target.images, result.targets.get(Ref("image", image_id)))
    if mapped is not None:
        size = mapped.get("virtual_size") or 0
        return max(mapped.get("min_disk") or 0, -(-size // GIB)), mapped.get("min_ram") or 0
    for image in work.resources.images:
        if image.id == image_id:
            disk = work.disks.get(image.disk_id)
            return max(image.min_disk, -(-_guest_size(disk) // GIB)), image.min_ram
    return 0, 0


def _guest_size(disk: Disk | None) -> int:
    """Bytes that a guest sees, 0 where that is not known."""
    if disk is None:
        return 0
    return disk.virtual_size or (disk.size if disk.disk_format == "raw" else 0)


# --- addresses ---


def _port(work: Fit, result: Preflight, port: Port) -> None:
    network = _by_id(work.target.networks, result.targets.get(Ref("network", port.network_id)))
    if network is None:  # one that is made, as it was
        return
    problems = []
    if network.get("project_id") != work.target.project_id:
        if port.network_id in {each.id for each in work.resources.networks}:
            problems.append(f"{_own(port)} cannot be kept on a network of another project")
    else:
        for ip in port.fixed_ips:
            problem = _address_problem(work, result, network, ip.subnet_id, ip.ip_address)
            if problem:
                problems.append(problem)
                result.targets[port_address_ref(port.id, ip.ip_address)] = None
    for problem in problems:
        where = f"port {port.name or port.id!r}"
        if work.rules.fixed_ips == "drop":
            result.taken.append(f"{where}: {problem}")
        else:
            result.faults.append(TargetError(problem, where=where, remedy=_FREE_TO_CHOOSE))


def _address_problem(
    work: Fit, result: Preflight, network: Json, subnet_id: str, address: str
) -> str | None:
    subnet = _by_id(work.target.subnets, result.targets.get(Ref("subnet", subnet_id)))
    if subnet is None or subnet.get("ipv6_address_mode") in ("slaac", "dhcpv6-stateless"):
        return None
    if ipaddress.ip_address(address) not in ipaddress.ip_network(subnet["cidr"]):
        return f"{address} is outside of {subnet['cidr']}"
    if address in work.occupied.get(network["id"], ()):
        return f"{address} is in use on network {network['name']!r}"
    return None


def _own(port: Port) -> str:
    """What of a port only the owner of its network may ask for."""
    what = [each.ip_address for each in port.fixed_ips]
    what.append(f"MAC {port.mac_address}")
    if not port.port_security_enabled:
        what.append("port security off")
    if port.allowed_address_pairs:
        what.append("address pairs")
    return ", ".join(what)


def _tell_lost(work: Fit, result: Preflight) -> None:
    """On networks that were not the project's own at the source, the cloud chose there too."""
    carried = {each.id for each in work.resources.networks}
    counts = Counter(
        result.targets.get(Ref("network", port.network_id))
        for port in work.wanted
        if isinstance(port, Port) and port.network_id not in carried
    )
    for identity, number in counts.items():
        network = _by_id(work.target.networks, identity)
        if network is not None and network.get("project_id") != work.target.project_id:
            ports = "a port" if number == 1 else f"{number} ports"
            result.taken.append(
                f"addresses and MACs of {ports} on network {network['name']!r}: the target's choice"
            )


def _overlaps(work: Fit, result: Preflight, router: Router) -> Iterator[TargetError]:
    """Neutron refuses two subnets of one router that overlap."""
    own = {subnet.id: subnet.cidr for subnet in work.resources.subnets}
    cidrs = []
    for subnet_id in dict.fromkeys(interface.subnet_id for interface in router.interfaces):
        mapped = result.targets.get(Ref("subnet", subnet_id))
        subnet = _by_id(work.target.subnets, mapped)
        if found := subnet["cidr"] if subnet else own.get(subnet_id):
            cidrs.append(ipaddress.ip_network(found))
    for one, other in combinations(cidrs, 2):
        if one.overlaps(other):
            message = f"its subnets {one} and {other} overlap"
            where = f"router {router.name!r}"
            yield TargetError(message, where=where, remedy="map one of them to another subnet")


# --- extensions ---


def _extension_faults(wanted: Iterable[Resource], target: Survey) -> Iterator[TargetError]:
    """What no Neutron can make without an extension (Networking API, "Extensions")."""
    if target.extensions is None:
        return
    needed: dict[str, Counter[str]] = {}
    for record in wanted:
        kind = record.type.replace("_", " ")
        for alias in _extensions(record):
            needed.setdefault(alias, Counter())[kind] += 1
    for alias, counts in needed.items():
        if alias not in target.extensions:
            what = ", ".join(
                f"{number} {kind if number == 1 else kind + 's'}" for kind, number in counts.items()
            )
            yield TargetError(
                f"the target's Neutron does not have it, and {what} cannot be made without",
                where=f"extension {alias!r}",
                remedy="leave them out with --skip",
            )


def _extensions(record: Resource) -> Iterator[str]:
    match record:
        case Trunk():
            yield "trunk"
        case AddressGroup():
            yield "address-group"
        case Router():
            yield "router"
            if record.routes:
                yield "extraroute"
        case FloatingIp():
            yield "router"
            if record.port_forwardings:
                yield "floating-ip-port-forwarding"


def _by_id(items: Iterable[Json], identity: str | None) -> Json | None:
    return next((item for item in items if item["id"] == identity), None) if identity else None
