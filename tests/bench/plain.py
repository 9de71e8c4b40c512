"""What somebody would write who knows openstacksdk and has one evening: every call that makes a
thing, one after the other.  ``python -m tests.bench.plain COUNT ENTRY``.

It has no journal, reads nothing back, and makes everything twice when it is run twice.
"""

from __future__ import annotations

import sys

from openstack.connection import Connection

from bundle_spec.model import SecurityGroup
from tests import many
from tests.connect import connect
from tests.devcloud import Devcloud


def make(cloud: Connection, count: int) -> None:
    """The same resources as in ``many``, with the tag and the description that each gets."""
    wanted = many.resources(count)
    network, ids = cloud.network, dict[str, str]()
    for key in wanted.keypairs:
        cloud.compute.create_keypair(name=key.name, public_key=key.public_key, type="ssh")
    for group in wanted.security_groups:
        made = network.create_security_group(name=group.name, description="made")
        network.set_tags(made, ["made"])
        network.update_security_group(made, description=group.description)
        ids[group.id] = made.id
    for net in wanted.networks:
        made = network.create_network(name=net.name, description="made")
        network.set_tags(made, ["made"])
        network.update_network(made, description=net.description)
        ids[net.id] = made.id
    for subnet in wanted.subnets:
        (pool,) = subnet.allocation_pools
        made = network.create_subnet(
            name=subnet.name,
            network_id=ids[subnet.network_id],
            ip_version=4,
            cidr=subnet.cidr,
            gateway_ip=subnet.gateway_ip,
            allocation_pools=[{"start": pool.start, "end": pool.end}],
            enable_dhcp=False,
            description="made",
        )
        network.set_tags(made, ["made"])
        network.update_subnet(made, description=subnet.description)
        ids[subnet.id] = made.id
    for port in wanted.ports:
        (fixed,) = port.fixed_ips
        made = network.create_port(
            name=port.name,
            network_id=ids[port.network_id],
            mac_address=port.mac_address,
            fixed_ips=[{"subnet_id": ids[fixed.subnet_id], "ip_address": fixed.ip_address}],
            security_groups=[ids[each] for each in port.security_group_ids],
            description="made",
        )
        network.set_tags(made, ["made"])
        network.update_port(made, description=port.description)
    for volume in wanted.volumes:
        made = cloud.block_storage.create_volume(name=volume.name, size=volume.size)
        cloud.block_storage.wait_for_status(made, interval=0.2)
    for group in wanted.security_groups:
        _rules(cloud, group, ids[group.id])
    for subnet in wanted.subnets:
        network.update_subnet(ids[subnet.id], enable_dhcp=subnet.enable_dhcp)


def _rules(cloud: Connection, group: SecurityGroup, target: str) -> None:
    """The group has rules of its own at first, which the source does not have."""
    for rule in cloud.network.security_group_rules(security_group_id=target):
        cloud.network.delete_security_group_rule(rule)
    rules = [
        {
            "security_group_id": target,
            "direction": rule.direction,
            "ethertype": rule.ether_type,
            "protocol": rule.protocol,
            "port_range_min": rule.port_range_min,
            "port_range_max": rule.port_range_max,
        }
        for rule in group.rules
    ]
    answer = cloud.network.post("/security-group-rules", json={"security_group_rules": rules})
    answer.raise_for_status()


if __name__ == "__main__":
    make(connect(Devcloud(), sys.argv[2]), int(sys.argv[1]))
