"""A small, plain tenant: two servers with what usually goes with them.

``make demo`` moves it, and the tutorial works on it.  ``tests.tenant`` is the other one, with
everything that is awkward to move.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from openstack.compute.v2.server import Server
from openstack.connection import Connection

from tests.devcloud import Cloud

MIB = 1 << 20
SERVERS = ("web-1", "db-1")
IMAGE = "tiny-linux-1.0"
EXTERNAL = "public"

Say = Callable[[str], None]


@dataclass(frozen=True)
class PlainTenant:
    """IDs of what has a disk."""

    web: str
    db: str
    volume: str | None


def build(
    cloud: Connection, say: Say = lambda line: None, *, with_volume: bool = True
) -> PlainTenant:
    """Make the tenant.  The project must not have servers of these names yet.

    ``with_volume``: a volume has 1 GiB at least, which costs more than all the rest to move.
    """
    say("keypair app-key, security groups web and db")
    cloud.compute.create_keypair(name="app-key")
    groups = [_security_group(cloud, "web", 443), _security_group(cloud, "db", 5432)]
    say("network app-net with its subnet, router app-router")
    network = cloud.network.create_network(name="app-net")
    subnet = cloud.network.create_subnet(
        network_id=network.id, name="app-subnet", ip_version=4, cidr="10.0.10.0/24"
    )
    external = cloud.network.find_network(EXTERNAL).id
    router = cloud.network.create_router(
        name="app-router", external_gateway_info={"network_id": external}
    )
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    say("servers web-1 and db-1")
    image = cloud.image.find_image(IMAGE).id
    flavor = cloud.compute.find_flavor("m1.tiny").id
    web, db = (
        cloud.compute.create_server(
            name=name,
            image_id=image,
            flavor_id=flavor,
            key_name="app-key",
            networks=[{"uuid": network.id}],
            security_groups=[{"name": group}],
        )
        for name, group in zip(SERVERS, groups, strict=True)
    )
    for server in (web, db):
        cloud.compute.wait_for_server(server, wait=180, interval=0.3)
    volume = _volume(cloud, db, say) if with_volume else None
    port = next(iter(cloud.network.ports(device_id=web.id)))
    floating_ip = cloud.network.create_ip(floating_network_id=external, port_id=port.id)
    say(f"floating IP {floating_ip.floating_ip_address} on web-1")
    return PlainTenant(web=web.id, db=db.id, volume=volume)


def _volume(cloud: Connection, server: Server, say: Say) -> str:
    """Make the volume of a server; its ID."""
    say("volume db-1-data")
    volume = cloud.block_storage.create_volume(name="db-1-data", size=1)
    cloud.block_storage.wait_for_status(volume, "available", interval=0.3, wait=120)
    cloud.compute.create_volume_attachment(server, volume_id=volume.id)
    cloud.block_storage.wait_for_status(volume, "in-use", interval=0.3, wait=60)
    volume_id: str = volume.id
    return volume_id


def _security_group(cloud: Connection, name: str, port: int) -> str:
    """Make a group; its ID, because the project may have another one of this name."""
    group = cloud.network.create_security_group(name=name)
    cloud.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        ether_type="IPv4",
        protocol="tcp",
        port_range_min=port,
        port_range_max=port,
    )
    group_id: str = group.id
    return group_id


def write_disks(source: Cloud, made: PlainTenant) -> None:
    """Write what the guests would have written: some bytes on each disk, the rest stays zero."""
    disks = [
        (1, source.server_disk(made.web), 2 * MIB),
        (2, source.server_disk(made.db), 2 * MIB),
    ]
    if made.volume:
        disks.append((3, source.volume_file(made.volume), 24 * MIB))
    for seed, path, size in disks:
        with path.open("r+b") as file:
            file.seek(4 * MIB)
            file.write(random.Random(seed).randbytes(size))


def remove(cloud: Connection) -> None:
    """Delete the tenant again, by its names."""
    network, compute, storage = cloud.network, cloud.compute, cloud.block_storage
    groups: set[str] = set()
    for name in SERVERS:
        server = compute.find_server(name, ignore_missing=False)
        ports = list(network.ports(device_id=server.id))
        for port in ports:
            groups.update(port.security_group_ids)
            for floating_ip in network.ips(port_id=port.id):
                network.delete_ip(floating_ip)
        compute.delete_server(server)
        compute.wait_for_delete(server, wait=60)
        for port in ports:  # those that an import made stay
            network.delete_port(port, ignore_missing=True)
    if volume := storage.find_volume("db-1-data"):
        storage.wait_for_status(volume, "available", interval=0.3, wait=60)
        storage.delete_volume(volume)
    router = network.find_router("app-router", ignore_missing=False)
    subnet = network.find_subnet("app-subnet", ignore_missing=False)
    network.remove_interface_from_router(router, subnet_id=subnet.id)
    network.delete_router(router)
    network.delete_network(network.find_network("app-net"))
    for group in groups:
        network.delete_security_group(group)
    compute.delete_keypair("app-key")
