"""A small tenant with everything in it that is awkward to move, made through the public APIs.

The demo shows it and the end-to-end tests compare it.  Names: one server holds template braces,
one network has a twin of the same name, one port has no name.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack

from tests.devcloud import Cloud

MIB = 1 << 20

EXPORT_YML = """\
keypairs:
  - name: demo-key
images:
  - name: golden-raw
  - name: golden-qcow2
volumes:
  # Made again, but empty.
  - name: scratch
    save_state: false
servers:
  - name: "web {{ 7*7 }}"
  - name: db
    # Another key than the one that it was made with.
    key_name: ops-key
  - name: worker
    # Made again from the public image that it was made from.
    save_state: false
"""

MADE = {
    "servers": 3,
    "keypairs": 2,
    "volumes": 3,
    "images": 3,
    "networks": 2,
    "subnets": 3,
    "routers": 1,
    "security_groups": 2,
    "floating_ips": 1,
    # three of servers, three of the router, and a DHCP port for each network
    "ports": 8,
}
"""What one import of it adds to a project."""

RESOURCES = 23
"""How many of these an import makes by itself; the others come with them."""


@dataclass(frozen=True)
class Tenant:
    """IDs of what was made."""

    web: str
    db: str
    worker: str
    data_volume: str
    boot_volume: str
    scratch_volume: str
    raw_image: str
    qcow2_image: str
    network: str
    twin: str
    router: str
    web_group: str
    db_group: str
    floating_ip: str


def disk_bytes(seed: int, size: int) -> bytes:
    """A disk as disks are: some data, some repeated, much of it zero."""
    rng = random.Random(seed)
    data = bytearray(size)
    for start in range(0, size, 8 * MIB):
        data[start : start + 2 * MIB] = rng.randbytes(2 * MIB)
        data[start + 4 * MIB : start + 5 * MIB] = data[start : start + MIB]
    return bytes(data)


def write_disks(source: Cloud, made: Tenant) -> None:
    """Write what guests would have written: known bytes, different from the images'."""
    for seed, path in (
        (11, source.server_disk(made.web)),
        (12, source.volume_file(made.data_volume)),
        (13, source.volume_file(made.boot_volume)),
    ):
        with path.open("r+b") as file:
            file.seek(5 * MIB)
            file.write(disk_bytes(seed, 16 * MIB))


def build(
    cloud: openstack.connection.Connection,
    scratch: Path,
    *,
    external: str = "public",
    public_image: str = "tiny-linux-1.0",
    on_progress: Callable[[str], None] = lambda line: None,
) -> Tenant:
    """Make the tenant in an empty project; ``scratch``: a directory for image files."""
    on_progress("keypairs and security groups")
    for name in ("demo-key", "ops-key"):
        cloud.compute.create_keypair(name=name)
    web_group, db_group = _security_groups(cloud)
    on_progress("networks and a router")
    network, subnets = _network(cloud, "private", "10.20.0", ipv6="fd00:20::/64")
    twin, twin_subnets = _network(cloud, "private", "10.30.0")
    router = cloud.network.create_router(
        name="edge",
        description="to the world",
        external_gateway_info={"network_id": cloud.network.find_network(external).id},
    )
    for subnet in (*subnets, *twin_subnets):
        cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    cloud.network.update_router(
        router, routes=[{"destination": "172.31.0.0/16", "nexthop": "10.20.0.77"}]
    )
    on_progress("images")
    raw, qcow2 = _images(cloud, scratch)
    on_progress("servers and volumes")
    web_port = cloud.network.create_port(
        network_id=network.id,
        name="web-port",
        fixed_ips=[
            {"subnet_id": subnets[0].id, "ip_address": "10.20.0.50"},
            {"subnet_id": subnets[1].id},
        ],
        security_groups=[web_group],
        allowed_address_pairs=[{"ip_address": "10.20.0.60"}],
    )
    # The DHCP port of a network takes the first address of the pool; at the target it shall not.
    db_port = cloud.network.create_port(
        network_id=twin.id,
        name="",
        fixed_ips=[{"subnet_id": twin_subnets[0].id, "ip_address": "10.30.0.12"}],
        security_groups=[db_group],
    )
    web = cloud.compute.create_server(
        name="web {{ 7*7 }}",
        image_id=raw.id,
        flavor_id=cloud.compute.find_flavor("m1.tiny").id,
        key_name="demo-key",
        networks=[{"port": web_port.id}],
        metadata={"role": "web", "template": "{{ lookup('pipe', 'id') }}"},
    )
    boot = cloud.block_storage.create_volume(name="db-root", size=1, image_id=qcow2.id)
    data = cloud.block_storage.create_volume(
        name="data", size=1, description="the data", metadata={"kept": "yes"}
    )
    scratch_volume = cloud.block_storage.create_volume(name="scratch", size=2)
    for volume in (boot, data, scratch_volume):
        cloud.block_storage.wait_for_status(volume, "available", interval=0.3, wait=120)
    db = cloud.compute.create_server(
        name="db",
        flavor_id=cloud.compute.find_flavor("m1.nodisk").id,
        key_name="demo-key",
        networks=[{"port": db_port.id}],
        block_device_mapping=[
            {
                "boot_index": 0,
                "uuid": boot.id,
                "source_type": "volume",
                "destination_type": "volume",
                "delete_on_termination": False,
            }
        ],
    )
    worker = cloud.compute.create_server(
        name="worker",
        image_id=cloud.image.find_image(public_image).id,
        flavor_id=cloud.compute.find_flavor("m1.tiny").id,
        networks=[{"uuid": network.id}],
        security_groups=[{"name": "web"}],
    )
    for server in (web, db, worker):
        cloud.compute.wait_for_server(server, wait=180, interval=0.3)
    cloud.compute.create_volume_attachment(web, volume_id=data.id)
    cloud.block_storage.wait_for_status(data, "in-use", interval=0.3, wait=60)
    cloud.compute.stop_server(db)
    cloud.compute.wait_for_server(db, status="SHUTOFF", wait=60, interval=0.3)
    floating_ip = cloud.network.create_ip(
        floating_network_id=cloud.network.find_network(external).id,
        port_id=web_port.id,
        description="the web",
    )
    return Tenant(
        web=web.id,
        db=db.id,
        worker=worker.id,
        data_volume=data.id,
        boot_volume=boot.id,
        scratch_volume=scratch_volume.id,
        raw_image=raw.id,
        qcow2_image=qcow2.id,
        network=network.id,
        twin=twin.id,
        router=router.id,
        web_group=web_group,
        db_group=db_group,
        floating_ip=floating_ip.id,
    )


def _security_groups(cloud: openstack.connection.Connection) -> tuple[str, str]:
    web = cloud.network.create_security_group(name="web", description="front")
    db = cloud.network.create_security_group(name="db", description="back")
    cloud.network.set_tags(db, ["tier:back"])
    rules: list[tuple[str, dict[str, Any]]] = [
        (web.id, {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443}),
        (web.id, {"protocol": "icmp", "port_range_min": 0, "port_range_max": 0}),
        (web.id, {"protocol": "tcp", "remote_group_id": db.id}),
        (db.id, {"protocol": "tcp", "remote_group_id": web.id, "description": "from web"}),
    ]
    for group, attributes in rules:
        cloud.network.create_security_group_rule(
            security_group_id=group, direction="ingress", ether_type="IPv4", **attributes
        )
    # The default IPv6 egress rule is gone: it must not come back.
    for rule in cloud.network.security_group_rules(security_group_id=db.id, ether_type="IPv6"):
        cloud.network.delete_security_group_rule(rule)
    return web.id, db.id


def _network(
    cloud: openstack.connection.Connection, name: str, prefix: str, ipv6: str | None = None
) -> tuple[Any, list[Any]]:
    network = cloud.network.create_network(name=name, mtu=1400, description=f"{prefix}.0/24")
    cloud.network.set_tags(network, ["a", "b"])
    subnets = [
        cloud.network.create_subnet(
            network_id=network.id,
            name=f"{name}-v4",
            ip_version=4,
            cidr=f"{prefix}.0/24",
            gateway_ip=f"{prefix}.1",
            dns_nameservers=["192.0.2.53"],
            allocation_pools=[{"start": f"{prefix}.10", "end": f"{prefix}.200"}],
            host_routes=[{"destination": "10.99.0.0/16", "nexthop": f"{prefix}.9"}],
        )
    ]
    if ipv6:
        subnets.append(
            cloud.network.create_subnet(
                network_id=network.id,
                name=f"{name}-v6",
                ip_version=6,
                cidr=ipv6,
                ipv6_address_mode="slaac",
                ipv6_ra_mode="slaac",
            )
        )
    return network, subnets


def _images(cloud: openstack.connection.Connection, scratch: Path) -> tuple[Any, Any]:
    raw_file, other_file, qcow2_file = (scratch / name for name in ("raw", "other", "qcow2"))
    raw_file.write_bytes(disk_bytes(1, 48 * MIB))
    other_file.write_bytes(disk_bytes(2, 64 * MIB))
    subprocess.run(
        ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", other_file, qcow2_file], check=True
    )
    images = []
    for name, path, disk_format in (
        ("golden-raw", raw_file, "raw"),
        ("golden-qcow2", qcow2_file, "qcow2"),
    ):
        image = cloud.image.create_image(
            name,
            filename=str(path),
            disk_format=disk_format,
            container_format="bare",
            min_disk=1,
            tags=["golden"],
            os_distro="debian",
            hw_disk_bus="virtio",
        )
        images.append(_active(cloud, image.id))
    return images[0], images[1]


def _active(cloud: openstack.connection.Connection, image_id: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        image = cloud.image.get_image(image_id)
        if image.status == "active":
            return image
        time.sleep(0.2)
    raise RuntimeError(f"image {image_id} is {image.status}")
