"""Whether what is to be made fits what stands on the target already.  Pure.

Flavors must have room for their images, addresses must be free and inside their subnets, and
Neutron must have the extensions.  The cloud would refuse the rest in the middle of a run.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

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
from downpour_cloud import Json
from downpour_import.errors import TargetError
from downpour_import.preflight import addresses
from downpour_import.preflight.result import Targets
from downpour_import.preflight.survey import Survey

GIB = 1 << 30

_FREE_TO_CHOOSE = "fixed_ips: drop in the mapping lets the target choose"


@dataclass(frozen=True, kw_only=True)
class FitInput:
    """``wanted``: those of ``resources`` that are to be made.  ``target``: what stands there.
    ``targets``: reference of the source -> ID on the target.  ``occupied``: ID of a network of
    the target that is to get ports -> addresses in use there.  ``disks``: by ID."""

    wanted: tuple[Resource, ...]
    resources: Resources
    rules: MappingRules
    target: Survey
    targets: Targets
    occupied: Mapping[str, frozenset[str]]
    disks: Mapping[str, Disk]


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """``faults``: what does not fit.  ``taken``: what the target will choose by itself, in words.

    ``dropped``: the addresses among that (``port_address_ref``), each with None: to be added to
    the targets.
    """

    faults: tuple[TargetError, ...]
    taken: tuple[str, ...]
    dropped: Mapping[Ref, None]


def fit(work: FitInput) -> FitResult:
    """Compare what is to be made with what stands on the target."""
    faults: list[TargetError] = []
    taken: list[str] = []
    dropped: dict[Ref, None] = {}
    for record in work.wanted:
        match record:
            case Server():
                faults += _flavor_faults(work, record)
            case Port():
                problems = _port_problems(work, record)
                dropped |= dict.fromkeys(ref for ref, _ in problems if ref is not None)
                where = f"port {record.name or record.id!r}"
                if work.rules.fixed_ips == "drop":
                    taken += [f"{where}: {problem}" for _, problem in problems]
                else:
                    faults += [
                        TargetError(problem, where=where, remedy=_FREE_TO_CHOOSE)
                        for _, problem in problems
                    ]
            case Router():
                faults += _overlaps(work, record)
    taken += _chosen_by_target(work)
    faults += _extension_faults(work.wanted, work.target)
    return FitResult(faults=tuple(faults), taken=tuple(taken), dropped=dropped)


def port_address_ref(port_id: str, address: str) -> Ref:
    """The key of one address of a port among the targets; None there: the target chooses it."""
    return Ref("port_address", f"{port_id}/{address}")


# --- flavors ---


def _flavor_faults(work: FitInput, server: Server) -> Iterator[TargetError]:
    """Nova refuses an image that the flavor is too small for (Compute API, "Create Server")."""
    flavor = _by_id(work.target.flavors, work.targets.get(Ref("flavor", server.flavor)))
    if flavor is None or server.image_id is None:
        return
    disk, ram = _image_minimum(work, server.image_id)
    where = f"server {server.name!r}"
    remedy = f"map flavor {server.flavor!r} to a larger one"
    if flavor["ram"] < ram:
        message = f"its image needs {ram} MiB of RAM, and flavor {flavor['name']!r} has less"
        yield TargetError(message, where=where, remedy=remedy)
    if 0 < flavor["disk"] < disk:
        message = f"its image needs {disk} GiB of disk, and flavor {flavor['name']!r} has less"
        yield TargetError(message, where=where, remedy=remedy)


def _image_minimum(work: FitInput, image_id: str) -> tuple[int, int]:
    """The least GiB of disk and MiB of RAM that a flavor must have for the image."""
    mapped = _by_id(work.target.images, work.targets.get(Ref("image", image_id)))
    if mapped is not None:
        size = mapped.get("virtual_size") or 0
        return max(mapped.get("min_disk") or 0, -(-size // GIB)), mapped.get("min_ram") or 0
    for image in work.resources.images:
        if image.id == image_id:
            disk = work.disks.get(image.disk_id)
            return max(image.min_disk, -(-_guest_size(disk) // GIB)), image.min_ram
    return 0, 0


def _guest_size(disk: Disk | None) -> int:
    """The bytes that a guest sees; 0 where the bundle does not tell."""
    if disk is None:
        return 0
    return disk.virtual_size or (disk.size if disk.disk_format == "raw" else 0)


# --- addresses ---


def _port_problems(work: FitInput, port: Port) -> list[tuple[Ref | None, str]]:
    """(``port_address_ref`` where it is about one address, what of the port cannot be kept)."""
    network = _by_id(work.target.networks, work.targets.get(Ref("network", port.network_id)))
    if network is None:  # it is made too, and no address on it is taken
        return []
    if network.get("project_id") != work.target.project_id:
        if port.network_id not in {record.id for record in work.resources.networks}:
            return []
        return [(None, f"{_owner_only(port)} cannot be kept on a network of another project")]
    return [
        (port_address_ref(port.id, ip.ip_address), problem)
        for ip in port.fixed_ips
        if (problem := _address_problem(work, network, ip.subnet_id, ip.ip_address))
    ]


def _address_problem(work: FitInput, network: Json, subnet_id: str, address: str) -> str | None:
    subnet = _by_id(work.target.subnets, work.targets.get(Ref("subnet", subnet_id)))
    if subnet is None or subnet.get("ipv6_address_mode") in ("slaac", "dhcpv6-stateless"):
        return None
    if ipaddress.ip_address(address) not in addresses.network(subnet["cidr"]):
        return f"{address} is outside of {subnet['cidr']}"
    if address in work.occupied.get(network["id"], ()):
        return f"{address} is in use on network {network['name']!r}"
    return None


def _owner_only(port: Port) -> str:
    """What of a port only the owner of its network may ask for."""
    what = [ip.ip_address for ip in port.fixed_ips]
    what.append(f"MAC {port.mac_address}")
    if not port.port_security_enabled:
        what.append("port security off")
    if port.allowed_address_pairs:
        what.append("address pairs")
    return ", ".join(what)


def _chosen_by_target(work: FitInput) -> Iterator[str]:
    """Ports on networks of others: their addresses and MACs were a cloud's choice at the source."""
    carried = {record.id for record in work.resources.networks}
    counts = Counter(
        work.targets.get(Ref("network", port.network_id))
        for port in work.wanted
        if isinstance(port, Port) and port.network_id not in carried
    )
    for identity, number in counts.items():
        network = _by_id(work.target.networks, identity)
        if network is not None and network.get("project_id") != work.target.project_id:
            ports = "a port" if number == 1 else f"{number} ports"
            yield (
                f"addresses and MACs of {ports} on network {network['name']!r}: the target's choice"
            )


def _overlaps(work: FitInput, router: Router) -> Iterator[TargetError]:
    """Neutron refuses two subnets of one router that overlap."""
    source_cidrs = {subnet.id: subnet.cidr for subnet in work.resources.subnets}
    cidrs = []
    for subnet_id in dict.fromkeys(interface.subnet_id for interface in router.interfaces):
        mapped = work.targets.get(Ref("subnet", subnet_id))
        subnet = _by_id(work.target.subnets, mapped)
        if cidr := subnet["cidr"] if subnet else source_cidrs.get(subnet_id):
            cidrs.append(addresses.network(cidr))
    for one, other in combinations(cidrs, 2):
        if one.overlaps(other):
            message = f"its subnets {one} and {other} overlap"
            where = f"router {router.name!r}"
            yield TargetError(message, where=where, remedy="map one of them to another subnet")


# --- extensions ---


def _extension_faults(wanted: Iterable[Resource], target: Survey) -> Iterator[TargetError]:
    """Resources whose Neutron extension the target lacks (Networking API, "Extensions")."""
    if target.extensions is None:
        return
    needed: dict[str, Counter[str]] = {}
    for record in wanted:
        kind = record.type.replace("_", " ")
        for alias in _required_extensions(record):
            needed.setdefault(alias, Counter())[kind] += 1
    for alias, counts in needed.items():
        if alias not in target.extensions:
            what = ", ".join(
                f"{number} {kind if number == 1 else kind + 's'}" for kind, number in counts.items()
            )
            need = "needs" if counts.total() == 1 else "need"
            yield TargetError(
                f"missing on the target; {what} {need} it",
                where=f"extension {alias!r}",
                remedy="leave them out with --skip",
            )


def _required_extensions(record: Resource) -> Iterator[str]:
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
