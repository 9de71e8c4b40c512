"""From one answer of the Network API to one record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bundle_spec.model import (
    AddressPair,
    AllocationPool,
    DhcpOption,
    FixedIp,
    FloatingIp,
    HostRoute,
    Network,
    Port,
    Router,
    RouterInterface,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from downpour_export.discover import (
    floating_ip,
    network,
    port,
    router,
    security_group,
    subnet,
)

PROJECT = "p1"
MARK = "dpb-0123456789ab-" + "0" * 32
NEUTRON = {"project_id": PROJECT, "tenant_id": PROJECT, "revision_number": 4}


def test_a_network() -> None:
    item = {
        **NEUTRON,
        "id": "n",
        "name": "net",
        "description": "d",
        "tags": ["b", MARK, "a"],
        "admin_state_up": False,
        "mtu": 1400,
        "port_security_enabled": False,
        "dns_domain": "x.",
        "router:external": False,
        "shared": True,
        "provider:segmentation_id": 7,
    }
    found = network.found_of(item, PROJECT)
    assert found.record == Network(
        id="n",
        name="net",
        description="d",
        tags=("a", "b"),
        admin_state_up=False,
        mtu=1400,
        port_security_enabled=False,
        dns_domain="x.",
    )
    assert (found.owned, found.external, found.shared) == (True, False, True)
    assert not network.found_of(item, "other").owned
    outside = network.found_of({**item, "router:external": True}, PROJECT)
    assert (outside.owned, outside.external) == (False, True)


def test_a_description_that_is_a_mark_is_none_and_prose_is_kept() -> None:
    item = {**NEUTRON, "id": "n", "name": "", "admin_state_up": True}
    assert network.found_of({**item, "description": MARK}, PROJECT).record.description == ""
    prose = "dpb- is our prefix"
    assert network.found_of({**item, "description": prose}, PROJECT).record.description == prose


def test_a_subnet() -> None:
    item = {
        **NEUTRON,
        "id": "s",
        "name": "sub",
        "description": "d",
        "tags": [],
        "network_id": "n",
        "ip_version": 6,
        "cidr": "fd00::/64",
        "gateway_ip": None,
        "enable_dhcp": False,
        "allocation_pools": [{"start": "fd00::2", "end": "fd00::9"}],
        "host_routes": [{"destination": "::/0", "nexthop": "fd00::3"}],
        "dns_nameservers": ["fd00::5", "fd00::4"],
        "ipv6_address_mode": "slaac",
        "ipv6_ra_mode": "dhcpv6-stateless",
    }
    assert subnet.record_of(item) == Subnet(
        id="s",
        name="sub",
        description="d",
        network_id="n",
        ip_version=6,
        cidr="fd00::/64",
        gateway_ip=None,
        enable_dhcp=False,
        allocation_pools=(AllocationPool(start="fd00::2", end="fd00::9"),),
        host_routes=(HostRoute(destination="::/0", nexthop="fd00::3"),),
        dns_nameservers=("fd00::5", "fd00::4"),
        ipv6_address_mode="slaac",
        ipv6_ra_mode="dhcpv6-stateless",
    )


def test_a_router_has_its_interfaces_in_one_order() -> None:
    item = {
        **NEUTRON,
        "id": "r",
        "name": "edge",
        "description": "",
        "tags": ["t"],
        "admin_state_up": True,
        "external_gateway_info": {"network_id": "ext", "external_fixed_ips": [], "enable_snat": 1},
        "routes": [{"destination": "10.0.0.0/8", "nexthop": "10.1.0.2"}],
    }
    interfaces = [
        RouterInterface(subnet_id="s2", ip_address="10.2.0.1"),
        RouterInterface(subnet_id="s1", ip_address="10.1.0.1"),
    ]
    assert router.record_of(item, interfaces) == Router(
        id="r",
        name="edge",
        tags=("t",),
        external_network_id="ext",
        interfaces=(interfaces[1], interfaces[0]),
        routes=(HostRoute(destination="10.0.0.0/8", nexthop="10.1.0.2"),),
    )
    inner = router.record_of({**item, "external_gateway_info": None, "routes": []}, [])
    assert (inner.external_network_id, inner.interfaces) == (None, ())


def test_what_neutron_gives_an_interface_by_itself_is_not_carried() -> None:
    v4 = Subnet(id="v4", name="", network_id="n", ip_version=4, cidr="10.0.0.0/24", gateway_ip=None)
    v6 = Subnet(id="v6", name="", network_id="n", ip_version=6, cidr="fd00::/64", gateway_ip=None)
    v6 = replace(v6, gateway_ip="fd00::1", ipv6_address_mode="slaac")
    subnets = {"v4": v4, "v6": v6}
    a4, a6 = (
        FixedIp(subnet_id="v4", ip_address="10.0.0.254"),
        FixedIp(subnet_id="v6", ip_address="fd00::f816:3eff:fe00:1"),
    )
    gateway = FixedIp(subnet_id="v6", ip_address="fd00::1")

    def found(*fixed_ips: FixedIp) -> list[FixedIp]:
        return list(router._chosen(fixed_ips, subnets))

    assert found(a4, a6) == [a4]
    assert found(a4, gateway) == [a4, gateway]
    assert found(a6) == [a6]  # an interface of its own
    assert found(FixedIp(subnet_id="unknown", ip_address="fd00::2"), a6)[0].subnet_id == "unknown"


def test_a_group_with_rules_keeps_zero_apart_from_none() -> None:
    rule: dict[str, Any] = {
        "id": "r2",
        "direction": "ingress",
        "ethertype": "IPv6",
        "protocol": "icmp",
        "port_range_min": 0,
        "port_range_max": 0,
        "remote_ip_prefix": "::/0",
        "remote_group_id": None,
        "description": None,
    }
    egress = {"id": "r1", "direction": "egress", "ethertype": "IPv4", "remote_group_id": "g2"}
    item = {
        **NEUTRON,
        "id": "g",
        "name": "web",
        "description": "d",
        "tags": [],
        "stateful": False,
        "security_group_rules": [rule, egress],
    }
    assert security_group.record_of(item) == SecurityGroup(
        id="g",
        name="web",
        description="d",
        stateful=False,
        rules=(
            SecurityGroupRule(id="r1", direction="egress", ether_type="IPv4", remote_group_id="g2"),
            SecurityGroupRule(
                id="r2",
                direction="ingress",
                ether_type="IPv6",
                protocol="icmp",
                port_range_min=0,
                port_range_max=0,
                remote_ip_prefix="::/0",
            ),
        ),
    )


def test_a_port() -> None:
    item = {
        **NEUTRON,
        "id": "p",
        "name": "eth0",
        "description": "d",
        "tags": [MARK],
        "network_id": "n",
        "mac_address": "fa:16:3e:00:00:01",
        "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.5"}],
        "security_groups": ["g2", "g1"],
        "admin_state_up": False,
        "port_security_enabled": True,
        "allowed_address_pairs": [
            {"ip_address": "10.0.0.6", "mac_address": "fa:16:3e:00:00:01"},
            {"ip_address": "10.0.0.7", "mac_address": "fa:16:3e:00:00:99"},
        ],
        "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1400", "ip_version": "6"}],
        "dns_name": "web",
        "binding:vnic_type": "direct",
        "device_id": "srv",
        "device_owner": "compute:nova",
    }
    found = port.found_of(item)
    assert (found.device_id, found.device_owner) == ("srv", "compute:nova")
    assert found.record == Port(
        id="p",
        name="eth0",
        description="d",
        network_id="n",
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(FixedIp(subnet_id="s", ip_address="10.0.0.5"),),
        security_group_ids=("g2", "g1"),
        admin_state_up=False,
        allowed_address_pairs=(
            AddressPair(ip_address="10.0.0.6"),
            AddressPair(ip_address="10.0.0.7", mac_address="fa:16:3e:00:00:99"),
        ),
        extra_dhcp_opts=(DhcpOption(opt_name="mtu", opt_value="1400", ip_version=6),),
        dns_name="web",
        vnic_type="direct",
    )


def test_a_floating_ip_is_named_by_its_address() -> None:
    item = {
        **NEUTRON,
        "id": "f",
        "floating_ip_address": "192.0.2.7",
        "description": "web",
        "tags": [],
        "floating_network_id": "ext",
        "port_id": "p",
        "fixed_ip_address": "10.0.0.5",
    }
    assert floating_ip.record_of(item) == FloatingIp(
        id="f",
        name="192.0.2.7",
        description="web",
        floating_network_id="ext",
        port_id="p",
        fixed_ip_address="10.0.0.5",
    )


def test_a_mark_in_the_description_of_a_forwarding_is_not_carried() -> None:
    item = {
        "id": "pf",
        "protocol": "tcp",
        "internal_port_id": "p",
        "internal_ip_address": "10.0.0.5",
        "description": MARK,
    }
    (forwarding,) = floating_ip.forwardings_of([item])
    assert forwarding.description == ""
