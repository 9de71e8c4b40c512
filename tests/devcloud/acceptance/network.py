from __future__ import annotations

from .bench import PREFIX, Bench


def checks(bench: Bench) -> None:
    network, things, spec = bench.demo.network, bench.things, bench.cloud.spec

    with bench.check("a security group: two default egress rules, and rules of all kinds"):
        group = network.create_security_group(name=PREFIX + "web", description="web")
        things["group"] = group
        for rule in (
            {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22},
            {"protocol": "tcp", "remote_ip_prefix": "198.51.100.0/24"},
            {"protocol": "tcp", "remote_group_id": group.id},
            {"protocol": "icmp"},
            {"ethertype": "IPv6", "protocol": "udp", "port_range_min": 1, "port_range_max": 9},
        ):
            network.create_security_group_rule(
                security_group_id=group.id, direction="ingress", **rule
            )
        rules = list(network.security_group_rules(security_group_id=group.id))
        assert len(rules) == 2 + 5, rules

    with bench.check("a network with MTU and tags, an IPv4 and an IPv6 subnet"):
        net = network.create_network(name=PREFIX + "net", mtu=1400)
        things["net"] = net
        network.set_tags(net, ["a", "b"])
        things["v4"] = network.create_subnet(
            network_id=net.id,
            name=PREFIX + "v4",
            ip_version=4,
            cidr="10.20.0.0/24",
            gateway_ip="10.20.0.1",
            dns_nameservers=["192.0.2.53"],
            allocation_pools=[{"start": "10.20.0.10", "end": "10.20.0.200"}],
            host_routes=[{"destination": "10.99.0.0/16", "nexthop": "10.20.0.9"}],
        )
        things["v6"] = network.create_subnet(
            network_id=net.id,
            name=PREFIX + "v6",
            ip_version=6,
            cidr="fd00:20::/64",
            ipv6_address_mode="slaac",
            ipv6_ra_mode="slaac",
        )
        again = network.get_network(net.id)
        assert (again.mtu, sorted(again.tags)) == (1400, ["a", "b"])

    with bench.check("the network's DHCP port, ACTIVE, with an address in both subnets"):
        (port,) = network.ports(network_id=things["net"].id, device_owner="network:dhcp")
        assert port.status == "ACTIVE" and len(port.fixed_ips) == 2, port

    with bench.check("a router with a gateway, two interfaces and a route"):
        external = network.find_network(spec.external_network.name, ignore_missing=False)
        things["external"] = external
        router = network.create_router(
            name=PREFIX + "router", external_gateway_info={"network_id": external.id}
        )
        things["router"] = router
        for version in ("v4", "v6"):
            network.add_interface_to_router(router, subnet_id=things[version].id)
        route = {"destination": "172.31.0.0/16", "nexthop": "10.20.0.77"}
        assert network.update_router(router, routes=[route]).routes == [route]
        gateway = router.external_gateway_info["external_fixed_ips"]
        assert gateway[0]["ip_address"].startswith(spec.external_network.cidr[:9]), gateway

    with bench.check("a port with fixed address, MAC and allowed address pair, DOWN so far"):
        port = network.create_port(
            network_id=things["net"].id,
            name=PREFIX + "port",
            mac_address="fa:16:3e:12:34:56",
            fixed_ips=[
                {"subnet_id": things["v4"].id, "ip_address": "10.20.0.50"},
                {"subnet_id": things["v6"].id},
            ],
            security_group_ids=[things["group"].id],
            allowed_address_pairs=[{"ip_address": "10.20.0.60"}],
        )
        things["port"] = port
        assert port.mac_address == "fa:16:3e:12:34:56" and port.status == "DOWN", port

    with bench.check("a floating IP: DOWN, ACTIVE once associated"):
        address = network.create_ip(floating_network_id=things["external"].id, description="f")
        assert network.get_ip(address.id).status == "DOWN"
        network.update_ip(address, port_id=things["port"].id)
        address = network.get_ip(address.id)
        assert (address.fixed_ip_address, address.status) == ("10.20.0.50", "ACTIVE")
        things["addresses"] = [address]

    with bench.check("a port forwarding"):
        address = network.create_ip(floating_network_id=things["external"].id)
        things["addresses"].append(address)
        inside = network.create_port(network_id=things["net"].id, name=PREFIX + "forwarded")
        (fixed, *_) = [f for f in inside.fixed_ips if f["subnet_id"] == things["v4"].id]
        network.create_floating_ip_port_forwarding(
            address,
            internal_port_id=inside.id,
            internal_ip_address=fixed["ip_address"],
            internal_port=22,
            external_port=2222,
            protocol="tcp",
        )

    with bench.check("a trunk with a subport"):
        parent, child = (
            network.create_port(network_id=things["net"].id, name=f"{PREFIX}trunk-{n}")
            for n in range(2)
        )
        subport = {"port_id": child.id, "segmentation_type": "vlan", "segmentation_id": 5}
        trunk = network.create_trunk(name=PREFIX + "trunk", port_id=parent.id, sub_ports=[subport])
        assert network.get_trunk(trunk.id).sub_ports[0]["port_id"] == child.id

    with bench.check("the operator's shared network is there, not ours to change"):
        shared = network.find_network(spec.shared_network.name, ignore_missing=False)
        assert shared.is_shared and shared.project_id != bench.demo.current_project_id
        assert len(shared.subnet_ids) == 1
