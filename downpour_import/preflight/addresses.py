"""Whether what stands for an address in the records is one.  Pure.

The records are a stranger's, or edited: whatever computes with addresses comes after this check.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from bundle_spec.errors import MAX_FAULTS, BundleError, BundleFaults
from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Port,
    Reference,
    Resource,
    Router,
    SecurityGroup,
    Server,
    Subnet,
    SubnetReference,
)
from bundle_spec.model.subnet import HostRoute
from bundle_spec.text import quoted

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Text = tuple[str, str | None, Callable[[str], object]]
"""(what it is, its text if there is one, what raises ValueError if it is none)."""

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5,19}")
"""Of six octets, and of up to twenty in InfiniBand."""

_LONGEST = 64
"""Characters of any address."""


def require_addresses(records: Iterable[Resource | Reference]) -> None:
    """Raises BundleFaults with every text in ``records`` that should be an address and is none."""
    faults = list(itertools.islice(_faults(records), MAX_FAULTS))
    if faults:
        raise BundleFaults("the records hold addresses that are none", faults)


def network(text: str) -> Network:
    """A network from its CIDR, whose host bits count for nothing.  Raises ValueError."""
    return ipaddress.ip_network(text, strict=False)


def _faults(records: Iterable[Resource | Reference]) -> Iterator[BundleError]:
    for record in records:
        for what, text, parse in _texts(record):
            if text is not None and not _is(parse, text):
                where = f"{record.type.replace('_', ' ')} {record.name!r}"
                yield BundleError(f"{what} {quoted(text)} is none", where=where)


def _is(parse: Callable[[str], object], text: str) -> bool:
    try:
        if len(text) <= _LONGEST and "%" not in text:
            parse(text)
            return True
    except ValueError:
        pass
    return False


def _mac(text: str) -> str:
    if not _MAC.fullmatch(text):
        raise ValueError(text)
    return text


def _texts(record: Resource | Reference) -> Iterator[Text]:
    match record:
        case Subnet():
            yield from _of_subnet(record)
        case SubnetReference():
            yield "the CIDR", record.cidr, network
        case Port():
            yield from _of_port(record)
        case Router():
            for interface in record.interfaces:
                yield "the address of an interface", interface.ip_address, ipaddress.ip_address
            yield from _of_routes(record.routes)
        case SecurityGroup():
            for rule in record.rules:
                yield "the CIDR of a rule", rule.remote_ip_prefix, network
        case AddressGroup():
            for address in record.addresses:
                yield "the CIDR", address, network
        case FloatingIp():
            yield "the fixed address", record.fixed_ip_address, ipaddress.ip_address
            for forwarding in record.port_forwardings:
                text = forwarding.internal_ip_address
                yield "the address of a forwarding", text, ipaddress.ip_address
        case Server():
            for access in (record.access_ip_v4, record.access_ip_v6):
                yield "the access address", access or None, ipaddress.ip_address


def _of_subnet(record: Subnet) -> Iterator[Text]:
    yield "the CIDR", record.cidr, network
    yield "the gateway", record.gateway_ip, ipaddress.ip_address
    for pool in record.allocation_pools:
        for end in (pool.start, pool.end):
            yield "the end of a pool", end, ipaddress.ip_address
    for server in record.dns_nameservers:
        yield "the name server", server, ipaddress.ip_address
    yield from _of_routes(record.host_routes)


def _of_port(record: Port) -> Iterator[Text]:
    yield "the MAC", record.mac_address, _mac
    for ip in record.fixed_ips:
        yield "the address", ip.ip_address, ipaddress.ip_address
    for pair in record.allowed_address_pairs:
        yield "the address of a pair", pair.ip_address, network
        yield "the MAC of a pair", pair.mac_address, _mac


def _of_routes(routes: Iterable[HostRoute]) -> Iterator[Text]:
    for route in routes:
        yield "the destination of a route", route.destination, network
        yield "the next hop of a route", route.nexthop, ipaddress.ip_address
