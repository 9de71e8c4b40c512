"""The networks of the rich tenant, its security groups, and its ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.rich.tenant import MAC, Cloud, Rich, call


def _network_maker(cloud: Cloud, rich: Rich) -> Callable[..., Any]:
    def make(key: str, known_as: str, tags: tuple[str, ...] = (), **body: Any) -> Any:
        path = "/" + key.replace("_", "-") + "s"
        made = call(cloud.network, "POST", path, {key: body})[key]
        rich.made[known_as] = made
        if tags:
            call(cloud.network, "PUT", f"{path}/{made['id']}/tags", {"tags": list(tags)})
        return made

    return make


def networks(cloud: Cloud, rich: Rich, policy: str) -> None:
    make = _network_maker(cloud, rich)
    make(
        "network",
        "lab",
        ("net-a", "net-b"),
        name="lab",
        description="the lab",
        mtu=1400,
        qos_policy_id=policy,
        dns_domain="lab.example.",
    )
    make("network", "bare", name="bare", port_security_enabled=False, admin_state_up=False)
    make("network", "spare", name="spare", description="no server needs it")
    make(
        "subnet",
        "lab-v4",
        ("sub",),
        network_id=rich.id("lab"),
        name="lab-v4",
        ip_version=4,
        cidr="10.50.0.0/24",
        gateway_ip="10.50.0.254",
        description="both pools",
        allocation_pools=[
            {"start": "10.50.0.10", "end": "10.50.0.99"},
            {"start": "10.50.0.120", "end": "10.50.0.199"},
        ],
        host_routes=[{"destination": "172.30.0.0/16", "nexthop": "10.50.0.9"}],
        dns_nameservers=["192.0.2.53", "192.0.2.54"],
    )
    make(
        "subnet",
        "lab-v6",
        network_id=rich.id("lab"),
        name="lab-v6",
        ip_version=6,
        cidr="fd00:50::/64",
        gateway_ip=None,
        ipv6_address_mode="dhcpv6-stateful",
        ipv6_ra_mode="dhcpv6-stateful",
    )
    make(
        "subnet",
        "bare-v4",
        network_id=rich.id("bare"),
        name="",
        ip_version=4,
        cidr="10.51.0.0/24",
        gateway_ip=None,
        enable_dhcp=False,
    )
    make(
        "subnet",
        "bare-agents",
        network_id=rich.id("bare"),
        name="agents",
        ip_version=4,
        cidr="10.52.0.0/24",
        gateway_ip=None,
        enable_dhcp=False,
        service_types=["network:floatingip_agent_gateway"],
    )
    make(
        "subnet",
        "spare-v4",
        network_id=rich.id("spare"),
        name="spare",
        ip_version=4,
        cidr="10.53.0.0/24",
    )
    outside = cloud.network.find_network("public").id
    make(
        "router",
        "edge",
        ("r",),
        name="lab-edge",
        description="the way out",
        external_gateway_info={"network_id": outside},
    )
    port = make(
        "port",
        "edge-port",
        network_id=rich.id("lab"),
        name="",
        fixed_ips=[{"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.1"}],
    )
    path = f"/routers/{rich.id('edge')}"
    call(cloud.network, "PUT", f"{path}/add_router_interface", {"port_id": port["id"]})
    route = {"destination": "172.29.0.0/16", "nexthop": "10.50.0.77"}
    call(cloud.network, "PUT", path, {"router": {"routes": [route]}})


def groups(cloud: Cloud, rich: Rich) -> None:
    make = _network_maker(cloud, rich)
    make(
        "address_group",
        "partners",
        name="partners",
        description="who may come in",
        addresses=["192.0.2.0/24", "198.51.100.7/32"],
    )
    make("address_group", "unused", name="unused", addresses=["203.0.113.0/24"])
    make("security_group", "front", ("sg",), name="front", description="the front")
    make("security_group", "loose", name="loose", stateful=False)
    default = call(
        cloud.network, "GET", f"/security-groups?name=default&project_id={cloud.current_project_id}"
    )
    rich.made["default"] = default["security_groups"][0]

    def rule(group: str, **body: Any) -> None:
        body = {"security_group_id": rich.id(group), "direction": "ingress", **body}
        body.setdefault("ethertype", "IPv4")
        call(cloud.network, "POST", "/security-group-rules", {"security_group_rule": body})

    rule("front", protocol="icmp", port_range_min=0, port_range_max=0, description="pong")
    rule(
        "front",
        protocol="tcp",
        port_range_min=1,
        port_range_max=65535,
        remote_address_group_id=rich.id("partners"),
        description="partners",
    )
    rule("front", protocol="udp", remote_group_id=rich.id("front"))
    rule("front", protocol="132", ethertype="IPv6", remote_ip_prefix="fd00::/8")
    rule("default", protocol="tcp", port_range_min=22, port_range_max=22, description="ssh")


def ports(cloud: Cloud, rich: Rich, policy: str) -> None:
    make = _network_maker(cloud, rich)
    make(
        "port",
        "front-port",
        ("p",),
        name="front-port",
        description="the first NIC",
        network_id=rich.id("lab"),
        mac_address=MAC,
        fixed_ips=[
            {"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.20"},
            {"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.21"},
            {"subnet_id": rich.id("lab-v6"), "ip_address": "fd00:50::20"},
        ],
        security_groups=[rich.id("front"), rich.id("default")],
        allowed_address_pairs=[
            {"ip_address": "10.50.0.200"},
            {"ip_address": "10.50.0.201", "mac_address": "fa:16:3e:00:00:99"},
        ],
        extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        dns_name="front",
        qos_policy_id=policy,
    )
    make("port", "back-port", name="back-port", network_id=rich.id("bare"), admin_state_up=False)
    make(
        "port",
        "vlan-port",
        name="vlan-port",
        network_id=rich.id("lab"),
        fixed_ips=[{"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.150"}],
        security_groups=[rich.id("front")],
    )
    make(
        "trunk",
        "trunk",
        ("t",),
        name="trunk",
        description="two in one",
        port_id=rich.id("front-port"),
        sub_ports=[
            {"port_id": rich.id("vlan-port"), "segmentation_type": "vlan", "segmentation_id": 101}
        ],
    )
    for name in ("spare-port", "spare-parent"):
        make("port", name, name=name, network_id=rich.id("spare"))
    make("trunk", "spare-trunk", name="spare-trunk", port_id=rich.id("spare-parent"))
    outside = cloud.network.find_network("public").id
    make("floatingip", "spare-fip", floating_network_id=outside, description="on no port")
    fip = call(
        cloud.network,
        "POST",
        "/floatingips",
        {"floatingip": {"floating_network_id": outside, "description": "ssh only"}},
    )
    rich.made["fip"] = fip["floatingip"]
    call(cloud.network, "PUT", f"/floatingips/{rich.id('fip')}/tags", {"tags": ["f"]})
    forwarding = {
        "protocol": "tcp",
        "internal_port": 22,
        "external_port": 2222,
        "internal_ip_address": "10.50.0.20",
        "internal_port_id": rich.id("front-port"),
        "description": "ssh",
    }
    call(
        cloud.network,
        "POST",
        f"/floatingips/{rich.id('fip')}/port_forwardings",
        {"port_forwarding": forwarding},
    )
