"""What an older target, or one with less, cannot take: told, and no reason to stop."""

from __future__ import annotations

from typing import Any

import pytest

from bundle_spec.model import (
    FloatingIp,
    Network,
    Port,
    Resource,
    SecurityGroup,
    Server,
    Subnet,
)
from bundle_spec.model.port import AddressPair, DhcpOption
from bundle_spec.model.server import Nic
from downpour_import.preflight import lost_attributes
from downpour_import.preflight.survey import Survey


def server(**more: Any) -> Server:
    return Server(id="s", name="s", flavor="m1", **more)


def port(**more: Any) -> Port:
    return Port(id="p", name="p", network_id="n", mac_address="m", **more)


def subnet(**more: Any) -> Subnet:
    return Subnet(
        id="s", name="s", network_id="n", ip_version=4, cidr="10.0.0.0/24", gateway_ip=None, **more
    )


@pytest.mark.parametrize(
    ("record", "microversion", "what"),
    [
        (server(description="d"), "2.19", "description"),
        (server(tags=("t",)), "2.26", "tags"),
        (server(nics=(Nic(port_id="p", tag="t"),)), "2.42", "NIC and disk tags"),
        (server(locked_reason="r"), "2.73", "reason of the lock"),
        (server(hostname="h"), "2.90", "hostname"),
    ],
)
def test_an_older_nova(record: Server, microversion: str, what: str) -> None:
    line = f"{what} of 2 servers cannot be set: it needs Nova's microversion {microversion}"
    major, minor = map(int, microversion.split("."))
    assert list(lost_attributes([record, record], Survey(compute=f"{major}.{minor - 1}"))) == [line]
    assert list(lost_attributes([record], Survey(compute=microversion))) == []
    assert list(lost_attributes([server()], Survey(compute="2.1"))) == []


@pytest.mark.parametrize(
    ("record", "extension", "what"),
    [
        (Network(id="n", name="n", dns_domain="x."), "dns-integration", "DNS domain"),
        (Network(id="n", name="n", mtu=1400), "net-mtu-writable", "MTU"),
        (
            Network(id="n", name="n", port_security_enabled=False),
            "port-security",
            "port security off",
        ),
        (subnet(service_types=("x",)), "subnet-service-types", "service types"),
        (port(dns_name="x"), "dns-integration", "DNS name"),
        (port(dns_domain="x."), "dns-domain-ports", "DNS domain"),
        (port(port_security_enabled=False), "port-security", "port security off"),
        (
            port(allowed_address_pairs=(AddressPair(ip_address="1.1.1.1"),)),
            "allowed-address-pairs",
            "address pairs",
        ),
        (
            port(extra_dhcp_opts=(DhcpOption(opt_name="a", opt_value="b"),)),
            "extra_dhcp_opt",
            "extra DHCP options",
        ),
        (SecurityGroup(id="g", name="g", stateful=False), "stateful-security-group", "stateless"),
        (
            FloatingIp(id="f", name="f", floating_network_id="n", dns_name="x"),
            "dns-integration",
            "DNS name",
        ),
    ],
)
def test_a_neutron_without_an_extension(record: Resource, extension: str, what: str) -> None:
    kind = record.type.replace("_", " ")
    line = f"{what} of a {kind} cannot be set: it needs Neutron's extension {extension}"
    assert list(lost_attributes([record], Survey(extensions=frozenset()))) == [line]
    assert list(lost_attributes([record], Survey(extensions=frozenset({extension})))) == []
    assert list(lost_attributes([record], Survey())) == []
