"""Groups, subnets, routers and ports: what is special about each."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from bundle_spec.model import (
    AddressPair,
    FixedIp,
    FloatingIp,
    HostRoute,
    Port,
    Ref,
    Router,
    RouterInterface,
    SecurityGroup,
    SecurityGroupRule,
)
from downpour_import.recreate import RECREATORS, STEPS, differences, recreate
from downpour_import.recreate.base import compare
from tests.unit.fake_cloud import PROJECT, Call, response
from tests.unit.importer.things import NET, NET_REF, SUBNET, Target, context, source_id

HTTPS = SecurityGroupRule(
    id="r1",
    direction="ingress",
    ether_type="IPv4",
    protocol="tcp",
    port_range_min=443,
    port_range_max=443,
)
EGRESS = SecurityGroupRule(id="r2", direction="egress", ether_type="IPv4")
GROUP = SecurityGroup(id=source_id(3), name="web", rules=(HTTPS, EGRESS))
rules_step, dhcp_step = STEPS["security_group_rules"], STEPS["subnet_dhcp"]


@pytest.fixture
def fake() -> Target:
    return Target()


def add_rule(fake: Target, group: str, **values: Any) -> None:
    empty = dict.fromkeys(
        "protocol port_range_min port_range_max remote_ip_prefix remote_group_id".split()
    )
    fake.add("/security-group-rules", security_group_id=group, **{**empty, **values})


def rules(fake: Target) -> set[str]:
    return {
        f"{each['direction']} {each['ethertype']} {each['port_range_min']}"
        for each in fake.of("/security-group-rules").values()
    }


def test_a_group_gets_exactly_its_rules_and_neutrons_own_go_again(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    group = str(recreate(RECREATORS["security_group"], here, GROUP).target)
    for family in ("IPv4", "IPv6"):
        add_rule(fake, group, direction="egress", ethertype=family)
    add_rule(fake, "another group", direction="egress", ethertype="IPv6")
    fake.calls.clear()
    assert rules_step(here, GROUP).state == "made"
    assert len(fake.sent("DELETE")) == len(fake.sent("POST")) == 1
    own = {
        (each["direction"], each["ethertype"])
        for each in fake.of("/security-group-rules").values()
        if each["security_group_id"] == group
    }
    assert own == {("egress", "IPv4"), ("ingress", "IPv4")}
    assert rules_step(here, GROUP).state == "unchanged"


SSH = replace(HTTPS, id="ssh", port_range_min=22, port_range_max=22)


def test_several_rules_are_one_request(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    group = replace(GROUP, rules=(HTTPS, SSH))
    recreate(RECREATORS["security_group"], here, group)
    rules_step(here, group)
    (post,) = fake.sent("POST", "/security-group-rules")
    assert len(post.body["security_group_rules"]) == 2
    assert rules(fake) == {"ingress IPv4 443", "ingress IPv4 22"}


@pytest.mark.parametrize("carried_out", [False, True])
def test_when_that_request_fails_each_rule_is_asked_for_that_is_not_there(
    fake: Target, tmp_path: Path, carried_out: bool
) -> None:
    def fail(call: Call) -> requests.Response | None:
        return response(400, {}) if "security_group_rules" in (call.body or {}) else None

    (fake.after if carried_out else fake.before).append(fail)
    here = context(fake, tmp_path)
    group = replace(GROUP, rules=(HTTPS, SSH))
    recreate(RECREATORS["security_group"], here, group)
    rules_step(here, group)
    assert len(fake.of("/security-group-rules")) == 2
    posts = fake.sent("POST", "/security-group-rules")
    assert len(posts) == (1 if carried_out else 3)


def test_to_a_reused_group_rules_are_only_added(fake: Target, tmp_path: Path) -> None:
    own = fake.add("/security-groups", name="default", project_id=PROJECT)
    add_rule(fake, own["id"], direction="ingress", ethertype="IPv6", port_range_min=22)
    here, default = context(fake, tmp_path), replace(GROUP, name="default")
    recreate(RECREATORS["security_group"], here, default)
    rules_step(here, default)
    assert fake.sent("DELETE") == []
    assert rules(fake) == {"ingress IPv6 22", "ingress IPv4 443", "egress IPv4 None"}
    own["security_group_rules"] = list(fake.of("/security-group-rules").values())
    assert differences(here, default) == []


def test_rules_of_a_group_that_was_made_are_compared_both_ways(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    group = str(recreate(RECREATORS["security_group"], here, GROUP).target)
    rules_step(here, replace(GROUP, rules=(HTTPS,)))
    add_rule(fake, group, direction="ingress", ethertype="IPv6")
    item = fake.of("/security-groups")[group]
    item["security_group_rules"] = list(fake.of("/security-group-rules").values())
    assert differences(here, GROUP) == [
        "the rule egress IPv4 is missing",
        "the rule ingress IPv6 is too much",
    ]


def test_a_rule_names_the_group_of_the_target(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    itself = replace(HTTPS, remote_group_id=GROUP.id, description="among us")
    record = replace(GROUP, rules=(itself,))
    group = recreate(RECREATORS["security_group"], here, record).target
    rules_step(here, record)
    (rule,) = fake.of("/security-group-rules").values()
    assert (rule["remote_group_id"], rule["description"]) == (group, "among us")


def test_rules_are_not_touched_in_check_mode_or_of_a_mapped_group(
    fake: Target, tmp_path: Path
) -> None:
    assert rules_step(context(fake, tmp_path), GROUP, check=True).state == "planned"
    assert rules_step(context(fake, tmp_path, {GROUP.ref: "x"}), GROUP).state == "unchanged"
    assert fake.calls == []
    assert list(tmp_path.iterdir()) == []


def test_dhcp_comes_on_when_addresses_are_taken(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path, {NET_REF: "net"})
    target = str(recreate(RECREATORS["subnet"], here, SUBNET).target)
    item = fake.of("/subnets")[target]
    assert item["enable_dhcp"] is False
    assert differences(here, SUBNET) == ["enable_dhcp is False, not True"]
    assert dhcp_step(here, SUBNET, check=True).state == "planned"
    assert item["enable_dhcp"] is False
    assert dhcp_step(here, SUBNET).state == "made"
    assert item["enable_dhcp"] is True
    assert differences(here, SUBNET) == []
    fake.calls.clear()
    assert dhcp_step(here, SUBNET).state == "unchanged"
    assert fake.writes == []


def test_a_subnet_with_an_ipv6_mode_has_dhcp_from_the_start(fake: Target, tmp_path: Path) -> None:
    slaac = replace(SUBNET, ip_version=6, cidr="fd00::/64", ipv6_address_mode="slaac")
    here = context(fake, tmp_path, {NET_REF: "net"})
    recreate(RECREATORS["subnet"], here, slaac)
    (post,) = fake.sent("POST")
    assert post.body["subnet"]["enable_dhcp"] is True
    assert post.body["subnet"]["ipv6_address_mode"] == "slaac"


SUB_REF, EXT = SUBNET.ref, Ref("network", "ext")


def router(address: str) -> Router:
    return Router(
        id=source_id(4),
        name="edge",
        external_network_id="ext",
        interfaces=(RouterInterface(subnet_id=SUBNET.id, ip_address=address),),
        routes=(HostRoute(destination="172.16.0.0/12", nexthop="10.0.0.9"),),
    )


def at_subnet(fake: Target, tmp_path: Path) -> Any:
    fake.add("/subnets", id="sub", gateway_ip="10.0.0.1", network_id="net")
    return context(fake, tmp_path, {SUB_REF: "sub", EXT: "outside"})


def test_an_interface_with_the_gateways_address_is_made_by_its_subnet(
    fake: Target, tmp_path: Path
) -> None:
    here = at_subnet(fake, tmp_path)
    recreate(RECREATORS["router"], here, router("10.0.0.1"))
    (put,) = [each for each in fake.sent("PUT") if each.path.endswith("add_router_interface")]
    assert put.body == {"subnet_id": "sub"}
    assert len(fake.sent("POST")) == 1
    assert differences(here, router("10.0.0.1")) == []
    assert differences(here, router("10.0.0.2"))[:2] == [
        "the interface 10.0.0.2 is missing",
        "the interface 10.0.0.1 is too much",
    ]


def test_an_interface_with_another_address_needs_a_port(fake: Target, tmp_path: Path) -> None:
    here = at_subnet(fake, tmp_path)
    recreate(RECREATORS["router"], here, router("10.0.0.254"))
    (port,) = fake.of("/ports").values()
    assert port["fixed_ips"] == [{"subnet_id": "sub", "ip_address": "10.0.0.254"}]
    assert port["device_owner"] == "network:router_interface"
    assert differences(here, router("10.0.0.254")) == []


def test_interfaces_and_their_ports_are_not_made_twice(fake: Target, tmp_path: Path) -> None:
    here, record = at_subnet(fake, tmp_path), router("10.0.0.254")
    fake.add(
        "/ports",
        network_id="net",
        device_owner="",
        device_id="",
        description=here.marker(record.ref),
        fixed_ips=[{"subnet_id": "sub", "ip_address": "10.0.0.254"}],
    )
    target = str(recreate(RECREATORS["router"], here, record).target)
    RECREATORS["router"].complete(here, record, target)
    assert len(fake.of("/ports")) == 1
    puts = [each for each in fake.sent("PUT") if each.path.endswith("add_router_interface")]
    assert len(puts) == 1


def test_routes_come_after_their_interfaces(fake: Target, tmp_path: Path) -> None:
    recreate(RECREATORS["router"], at_subnet(fake, tmp_path), router("10.0.0.1"))
    assert "routes" not in fake.sent("POST")[0].body["router"]
    *_, interface, routes = fake.sent("PUT")
    assert interface.path.endswith("add_router_interface")
    assert routes.body["router"]["routes"] == [
        {"destination": "172.16.0.0/12", "nexthop": "10.0.0.9"}
    ]
    (gateway,) = fake.sent("POST")
    assert gateway.body["router"]["external_gateway_info"] == {"network_id": "outside"}


V6 = replace(SUBNET, id=source_id(6), ip_version=6, cidr="fd00::/64", gateway_ip="fd00::1")
V6 = replace(V6, ipv6_address_mode="slaac")


def at_slaac(fake: Target, tmp_path: Path) -> Any:
    """A network with a subnet of which addresses follow from MACs, as Neutron serves it."""

    def make(call: Call, match: Any) -> requests.Response | None:
        given = call.body["port"]["fixed_ips"]
        if any(ip["subnet_id"] == "v6" and "ip_address" in ip for ip in given):
            message = "IPv6 address fd00::9 cannot be directly assigned to a port on subnet v6"
            return response(400, {"NeutronError": {"message": message}})
        given[:] = [ip for ip in given if ip["subnet_id"] != "v6"]
        given.append({"subnet_id": "v6", "ip_address": f"fd00::f816:{len(fake.of('/ports'))}"})
        return None

    def attach(call: Call, match: Any) -> requests.Response | None:
        ports = [port for port in fake.of("/ports").values() if port["device_id"] == match[1]]
        taken = {ip["subnet_id"] for port in ports for ip in port["fixed_ips"]}
        port = fake.of("/ports").get(call.body.get("port_id"), {"fixed_ips": []})
        if taken & {ip["subnet_id"] for ip in port["fixed_ips"]}:
            return response(400, {"NeutronError": {"message": "Router already has a port on it"}})
        return None

    answers = {("POST", "/ports"): make, ("PUT", "/routers/(.*)/add_router_interface"): attach}

    def hook(call: Call) -> requests.Response | None:
        for (method, path), answer in answers.items():
            match = re.fullmatch(path, call.path)
            if method == call.method and match:
                return answer(call, match)
        return None

    fake.before.append(hook)
    fake.add("/subnets", id="sub", gateway_ip="10.0.0.1", network_id="net", cidr=SUBNET.cidr)
    v6 = {"gateway_ip": "fd00::1", "ipv6_address_mode": "slaac", "cidr": "fd00::/64"}
    fake.add("/subnets", id="v6", network_id="net", **v6)
    fake.add("/networks", id="net", project_id=PROJECT)
    return context(fake, tmp_path, {SUB_REF: "sub", V6.ref: "v6", EXT: "outside", NET_REF: "net"})


def interfaces(*addresses: tuple[str, str]) -> Router:
    return Router(
        id=source_id(4),
        name="edge",
        interfaces=tuple(RouterInterface(subnet_id=s, ip_address=a) for s, a in addresses),
    )


AUTOMATIC = (V6.id, "fd00::f816:3eff:fe00:1")


@pytest.mark.parametrize(
    "addresses",
    [
        [(SUBNET.id, "10.0.0.254")],
        [(SUBNET.id, "10.0.0.254"), AUTOMATIC],
        [AUTOMATIC, (SUBNET.id, "10.0.0.254")],
        [AUTOMATIC],
        [AUTOMATIC, (V6.id, "fd00::f816:3eff:fe00:2")],
        [(V6.id, "fd00::1")],
        [(SUBNET.id, "10.0.0.1"), (V6.id, "fd00::1")],
        [(SUBNET.id, "10.0.0.1"), AUTOMATIC],
    ],
)
def test_an_interface_beside_a_subnet_that_gives_addresses_by_itself_is_made(
    fake: Target, tmp_path: Path, addresses: list[tuple[str, str]]
) -> None:
    """Also of a bundle that names what Neutron had given at the source."""
    here, record = at_slaac(fake, tmp_path), interfaces(*addresses)
    target = str(recreate(RECREATORS["router"], here, record).target)
    assert differences(here, record) == []
    RECREATORS["router"].complete(here, record, target)
    assert len(fake.sent("PUT", f"/routers/{target}/add")) <= len(addresses)


def test_an_automatic_address_that_is_missing_is_a_difference(fake: Target, tmp_path: Path) -> None:
    here = at_slaac(fake, tmp_path)
    recreate(RECREATORS["router"], here, interfaces((SUBNET.id, "10.0.0.1")))
    more = interfaces((SUBNET.id, "10.0.0.1"), AUTOMATIC)
    assert differences(here, more) == ["the interface on subnet v6 is missing"]


def test_an_address_that_a_port_has_beside_those_it_asked_for_is_no_difference(
    fake: Target, tmp_path: Path
) -> None:
    here = at_slaac(fake, tmp_path)
    record = replace(PORT, security_group_ids=(), allowed_address_pairs=())
    recreate(RECREATORS["port"], here, record)
    (item,) = fake.of("/ports").values()
    assert len(item["fixed_ips"]) == 2
    assert differences(here, record) == []


PORT = Port(
    id=source_id(5),
    name="eth0",
    network_id=NET.id,
    mac_address="fa:16:3e:00:00:01",
    fixed_ips=(FixedIp(subnet_id=SUBNET.id, ip_address="10.0.0.5"),),
    security_group_ids=(GROUP.id,),
    allowed_address_pairs=(AddressPair(ip_address="10.0.0.6"),),
)
PORT_TARGETS = {NET_REF: "net", SUB_REF: "sub", GROUP.ref: "grp"}


def port_body(
    fake: Target,
    tmp_path: Path,
    record: Port,
    owner: str,
    mode: str | None,
    cidr: str = "10.0.0.0/24",
) -> Any:
    fake.add("/networks", id="net", project_id=owner)
    fake.add("/subnets", id="sub", ipv6_address_mode=mode, cidr=cidr)
    recreate(RECREATORS["port"], context(fake, tmp_path, PORT_TARGETS), record)
    (post,) = fake.sent("POST")
    return post.body["port"]


def test_a_port_on_our_own_network_keeps_address_and_mac(fake: Target, tmp_path: Path) -> None:
    body = port_body(fake, tmp_path, PORT, PROJECT, None)
    assert body["mac_address"] == PORT.mac_address
    assert body["fixed_ips"] == [{"subnet_id": "sub", "ip_address": "10.0.0.5"}]
    assert body["security_groups"] == ["grp"]
    assert body["allowed_address_pairs"] == [{"ip_address": "10.0.0.6"}]


def test_a_port_on_a_foreign_network_drops_address_and_mac(fake: Target, tmp_path: Path) -> None:
    body = port_body(fake, tmp_path, PORT, "somebody else", None)
    assert body["network_id"] == "net"
    assert body["security_groups"] == ["grp"]
    assert not body.keys() & {
        "mac_address",
        "fixed_ips",
        "allowed_address_pairs",
        "port_security_enabled",
    }


def test_an_address_outside_a_mapped_subnet_is_left_to_the_target(tmp_path: Path) -> None:
    body = port_body(Target(), tmp_path, PORT, PROJECT, None, cidr="192.168.0.0/24")
    assert body["fixed_ips"] == [{"subnet_id": "sub"}]
    assert body["mac_address"] == PORT.mac_address


def test_an_address_that_follows_from_the_mac_is_not_asked_for(
    fake: Target, tmp_path: Path
) -> None:
    body = port_body(fake, tmp_path, PORT, PROJECT, "slaac")
    assert body["fixed_ips"] == [{"subnet_id": "sub"}]


def test_a_port_without_port_security_has_neither_groups_nor_pairs(
    fake: Target, tmp_path: Path
) -> None:
    body = port_body(fake, tmp_path, replace(PORT, port_security_enabled=False), PROJECT, None)
    assert body["port_security_enabled"] is False
    assert not body.keys() & {"security_groups", "allowed_address_pairs"}


def test_what_neutron_fills_in_is_no_difference(fake: Target, tmp_path: Path) -> None:
    port_body(fake, tmp_path, PORT, PROJECT, None)
    here = context(fake, tmp_path, PORT_TARGETS)
    (item,) = fake.of("/ports").values()
    item["allowed_address_pairs"] = [{"ip_address": "10.0.0.6", "mac_address": PORT.mac_address}]
    assert differences(here, PORT) == []
    item["mac_address"] = "fa:16:3e:00:00:02"
    assert any(each.startswith("mac_address is") for each in differences(here, PORT))


def test_a_floating_ip_is_on_the_port_of_the_target(fake: Target, tmp_path: Path) -> None:
    record = FloatingIp(
        id=source_id(8),
        name="192.0.2.1",
        floating_network_id="ext",
        port_id=PORT.id,
        fixed_ip_address="10.0.0.5",
    )
    targets = {EXT: "outside", PORT.ref: "port"}
    recreate(RECREATORS["floating_ip"], context(fake, tmp_path, targets), record)
    body = fake.sent("POST")[0].body["floatingip"]
    assert (body["floating_network_id"], body["port_id"]) == ("outside", "port")
    assert body["fixed_ip_address"] == "10.0.0.5"
    assert "floating_ip_address" not in body


def test_lists_are_compared_without_their_order() -> None:
    assert compare({"a": [{"x": 1}, {"y": 2}]}, {"a": [{"y": 2}, {"x": 1}]}) == []
    assert compare({"a": [1]}, {"a": [1, 1]}) == ["a is [1, 1], not [1]"]
