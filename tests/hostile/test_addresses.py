"""Addresses that are none, in a manifest that is whole otherwise."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Port,
    PortForwarding,
    Reference,
    Resource,
    Router,
    SecurityGroup,
    Server,
    SubnetReference,
)
from bundle_spec.model.port import AddressPair, FixedIp
from bundle_spec.model.router import RouterInterface
from bundle_spec.model.security_group import SecurityGroupRule
from bundle_spec.model.subnet import AllocationPool, HostRoute
from bundle_spec.progress import NULL
from downpour_import.preflight.addresses import require_addresses
from downpour_import.source.opening import admit, open_source
from downpour_import.source.unpack import unpack
from tests.unit.importer.test_whole_import import Far
from tests.unit.importer.things import NET, SUBNET, source_id

BAD = "10.0.0.x"
ROUTE = HostRoute(destination="10.8.0.0/16", nexthop="10.0.0.9")
PORT = Port(id=source_id(51), name="p", network_id=NET.id, mac_address="fa:16:3e:00:00:01")
RULE = SecurityGroupRule(
    id="r", direction="ingress", ether_type="IPv4", remote_ip_prefix="10.0.0.5/8"
)
GROUP = SecurityGroup(id=source_id(52), name="g", rules=(RULE,))
FORWARDING = PortForwarding(
    protocol="tcp", internal_port_id=PORT.id, internal_ip_address="10.0.0.9", external_port=80
)
FLOATING = FloatingIp(id=source_id(53), name="f", floating_network_id="ext")
ROUTER = Router(id=source_id(54), name="r")
SERVER = Server(id=source_id(55), name="s", flavor="m1")


def pair(ip_address: str = "10.0.0.0/24", mac_address: str | None = None) -> Port:
    pairs = (AddressPair(ip_address=ip_address, mac_address=mac_address),)
    return replace(PORT, allowed_address_pairs=pairs)


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (replace(SUBNET, cidr=BAD), "the CIDR"),
        (replace(SUBNET, gateway_ip=""), "the gateway"),
        (replace(SUBNET, allocation_pools=(AllocationPool(start=BAD, end="10.0.0.9"),)), "pool"),
        (replace(SUBNET, dns_nameservers=("ns.example.org",)), "the name server"),
        (replace(SUBNET, host_routes=(replace(ROUTE, destination=BAD),)), "the destination"),
        (replace(SUBNET, host_routes=(replace(ROUTE, nexthop=BAD),)), "the next hop"),
        (SubnetReference(id="s", name="s", network_id="n", cidr="10.0.0.0/33"), "the CIDR"),
        (replace(PORT, mac_address="fa:16"), "the MAC"),
        (replace(PORT, fixed_ips=(FixedIp(subnet_id="s", ip_address=BAD),)), "the address"),
        (replace(PORT, fixed_ips=(FixedIp(subnet_id="s", ip_address="fe80::1%0"),)), "the address"),
        (pair(ip_address=BAD), "the address of a pair"),
        (pair(mac_address="x"), "the MAC of a pair"),
        (
            replace(ROUTER, interfaces=(RouterInterface(subnet_id="s", ip_address=BAD),)),
            "the address of an interface",
        ),
        (replace(ROUTER, routes=(replace(ROUTE, nexthop="9" * 10**6),)), "the next hop"),
        (replace(GROUP, rules=(replace(RULE, remote_ip_prefix=BAD),)), "the CIDR of a rule"),
        (AddressGroup(id="a", name="a", addresses=("10.0.0.0/8", BAD)), "the CIDR"),
        (replace(FLOATING, fixed_ip_address=BAD), "the fixed address"),
        (
            replace(FLOATING, port_forwardings=(replace(FORWARDING, internal_ip_address=BAD),)),
            "the address of a forwarding",
        ),
        (replace(SERVER, access_ip_v6=BAD), "the access address"),
    ],
)
def test_each_is_a_fault_of_its_record(record: Resource | Reference, what: str) -> None:
    with pytest.raises(BundleFaults) as caught:
        require_addresses([record])
    (fault,) = caught.value.faults
    assert what in fault.message
    assert fault.message.endswith("is none")
    assert str(fault.where).endswith(repr(record.name))
    assert len(str(fault)) < 300


@pytest.mark.parametrize(
    "record",
    [
        replace(SUBNET, host_routes=(ROUTE,), dns_nameservers=("192.0.2.1", "fd00::1")),
        replace(SUBNET, gateway_ip=None),
        replace(PORT, mac_address="FA-16-3E-00-00-01"),
        replace(PORT, mac_address=":".join(["00"] * 20)),
        pair(mac_address="fa:16:3e:00:00:02"),
        GROUP,
        replace(FLOATING, port_forwardings=(FORWARDING,)),
        replace(SERVER, access_ip_v4="", access_ip_v6="fd00::1"),
    ],
)
def test_what_clouds_hold_is_none_of_them(record: Resource) -> None:
    require_addresses([record])


def test_of_a_million_no_more_are_told_than_help_anybody() -> None:
    many: Any = (replace(SUBNET, cidr=BAD) for _ in range(5000))
    with pytest.raises(BundleFaults) as caught:
        require_addresses(many)
    assert len(caught.value.faults) == 1000


def test_an_import_of_such_records_ends_with_a_sentence(tmp_path: Path) -> None:
    far, folder = Far(tmp_path), tmp_path / "unpacked"
    unpack(open_source(admit(far.options().candidate, NULL), NULL), folder)
    path = folder / "playbook" / "resources.yml"
    path.write_text(path.read_text().replace(SUBNET.cidr, BAD))
    with pytest.raises(BundleError, match=re.escape(BAD)):
        far.plan(source=folder, edited=True)
    assert far.cloud.writes == []
