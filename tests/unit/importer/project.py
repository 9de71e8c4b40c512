"""A small project whose resources need each other in every way, for imports that partly fail."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Image,
    Keypair,
    Network,
    Port,
    Resources,
    Router,
    SecurityGroup,
    Server,
    Subnet,
    Volume,
    VolumeSnapshot,
)
from bundle_spec.model.floating_ip import PortForwarding
from bundle_spec.model.port import FixedIp
from bundle_spec.model.router import RouterInterface
from bundle_spec.model.security_group import SecurityGroupRule
from bundle_spec.model.server import AttachedVolume, Nic
from bundle_spec.model.subnet import AllocationPool
from bundle_spec.model.trunk import SubPort
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.every_type import Cloud, records
from tests.unit.importer.things import NET, SUBNET, source_id

DISKS = 4
EXTENSION = "floating-ip-port-forwarding"


def forwardings(cloud: Cloud) -> None:
    """Teach the cloud port forwardings, which a floating IP keeps."""

    def kept(identity: str) -> list[Any]:
        found: list[Any] = cloud.of("/floatingips")[identity].setdefault("port_forwardings", [])
        return found

    def add(call: Call, match: re.Match[str]) -> Any:
        item = {"id": cloud.new_id(), **call.body["port_forwarding"]}
        kept(match[1]).append(item)
        return response(201, {"port_forwarding": item})

    def drop(call: Call, match: re.Match[str]) -> Any:
        kept(match[1])[:] = [each for each in kept(match[1]) if each["id"] != match[2]]
        return response(204)

    def in_use(call: Call, match: re.Match[str]) -> Any:
        floating_ip = cloud.of("/floatingips").get(match[1], {})
        return response(409, {}) if floating_ip.get("port_forwardings") else None

    def show(call: Call, match: re.Match[str]) -> Any:
        return response(200, {"port_forwardings": kept(match[1])})

    path = "/floatingips/(.*)/port_forwardings"
    cloud.handlers = {
        ("POST", path): add,
        ("GET", path): show,
        ("DELETE", f"{path}/(.*)"): drop,
        ("DELETE", "/floatingips/([^/]*)"): in_use,
        **cloud.handlers,
    }


def project(kernel_disk: str, image_disk: str, data_disk: str, snapshot_disk: str) -> Resources:
    """One of each type, and a second server, ``db``, on things of its own."""
    one = records(data_disk)
    (web,), (group,), (router,) = one.servers, one.security_groups, one.routers
    port, free = one.ports
    pool = AllocationPool(start="10.0.0.2", end="10.0.0.254")
    back_net = Network(id=source_id(40), name="back")
    back_sub = Subnet(
        id=source_id(41),
        name="back-sub",
        network_id=back_net.id,
        ip_version=4,
        cidr="10.1.0.0/24",
        gateway_ip="10.1.0.1",
    )
    db_group = SecurityGroup(
        id=source_id(42),
        name="db",
        rules=(
            _rule("r1", remote_group_id=group.id),
            _rule("r2", remote_address_group_id=one.address_groups[0].id),
        ),
    )
    kernel = _image(43, "kernel", kernel_disk)
    root = _image(44, "root", image_disk, properties={"kernel_id": kernel.id})
    fresh = Volume(id=source_id(45), name="fresh", size=1, image_id=root.id)
    trunk_port = replace(free, name="parent", fixed_ips=_at(SUBNET, "10.0.0.6"))
    sub_port = replace(free, id=source_id(46), name="sub", security_group_ids=())
    back = Port(
        id=source_id(47),
        name="back",
        network_id=back_net.id,
        mac_address="fa:16:3e:00:00:02",
        fixed_ips=_at(back_sub, "10.1.0.5"),
        security_group_ids=(db_group.id,),
    )
    db = Server(
        id=source_id(48),
        name="db",
        flavor="m1",
        image_id=root.id,
        nics=(Nic(port_id=trunk_port.id), Nic(port_id=back.id)),
        volumes=(AttachedVolume(volume_id=fresh.id),),
    )
    forwarding = PortForwarding(
        protocol="tcp",
        internal_port_id=port.id,
        internal_ip_address="10.0.0.5",
        internal_port=22,
        external_port=2222,
    )
    return Resources(
        keypairs=(*one.keypairs, Keypair(id="other", name="other", public_key="ssh-rsa BBB me")),
        address_groups=(*one.address_groups, _addresses()),
        security_groups=(db_group, group),
        networks=(NET, back_net),
        subnets=(replace(SUBNET, allocation_pools=(pool,)), back_sub),
        routers=(router, _inner_router(back_sub)),
        ports=(port, trunk_port, sub_port, back),
        trunks=(replace(one.trunks[0], port_id=trunk_port.id, sub_ports=_sub_ports(sub_port)),),
        images=(root, kernel),
        volumes=(*one.volumes, fresh, Volume(id=source_id(49), name="empty", size=1)),
        volume_snapshots=(
            *one.volume_snapshots,
            VolumeSnapshot(
                id=source_id(50), name="later", size=1, volume_id=fresh.id, disk_id=snapshot_disk
            ),
        ),
        server_groups=one.server_groups,
        servers=(web, db),
        floating_ips=(
            *one.floating_ips,
            _floating_ip(51, port_forwardings=(forwarding,)),
            _floating_ip(52),
        ),
    )


def _rule(identity: str, **remote: Any) -> SecurityGroupRule:
    return SecurityGroupRule(id=identity, direction="ingress", ether_type="IPv4", **remote)


def _image(number: int, name: str, disk: str, **more: Any) -> Image:
    return Image(
        id=source_id(number),
        name=name,
        disk_id=disk,
        disk_format="raw",
        container_format="bare",
        **more,
    )


def _at(subnet: Subnet, address: str) -> tuple[FixedIp, ...]:
    return (FixedIp(subnet_id=subnet.id, ip_address=address),)


def _addresses() -> AddressGroup:
    return AddressGroup(id=source_id(53), name="unused", addresses=("10.7.0.0/24",))


def _inner_router(subnet: Subnet) -> Router:
    interface = RouterInterface(subnet_id=subnet.id, ip_address="10.1.0.1")
    return Router(id=source_id(54), name="inner", interfaces=(interface,))


def _sub_ports(port: Port) -> tuple[SubPort, ...]:
    return (SubPort(port_id=port.id, segmentation_type="vlan", segmentation_id=7),)


def _floating_ip(number: int, **more: Any) -> FloatingIp:
    return FloatingIp(id=source_id(number), name="", floating_network_id="ext", **more)
