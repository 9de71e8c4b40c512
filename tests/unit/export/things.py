"""A small project: one server on one network, with everything that hangs on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bundle_spec.model import (
    AttachedVolume,
    FixedIp,
    FlavorReference,
    FloatingIp,
    Image,
    Keypair,
    Network,
    Nic,
    Port,
    Router,
    RouterInterface,
    SecurityGroup,
    SecurityGroupRule,
    Server,
    Subnet,
    Volume,
)
from downpour_export import resource_file
from downpour_export.discover import (
    FoundImage,
    FoundNetwork,
    FoundPort,
    FoundServer,
    FoundVolume,
    Inventory,
)

FLAVOR = FlavorReference(id="m1", name="m1", vcpus=1, ram=512, disk=2)


def wanted(text: str) -> resource_file.ResourceFile:
    return resource_file.parse(text, Path("export.yml"))


def network(
    identity: str, *, owned: bool = True, external: bool = False, shared: bool = False
) -> FoundNetwork:
    return FoundNetwork(
        record=Network(id=identity, name=f"name of {identity}"),
        owned=owned,
        external=external,
        shared=shared,
    )


def subnet(identity: str, network_id: str, cidr: str = "10.0.0.0/24") -> Subnet:
    return Subnet(
        id=identity, name="", network_id=network_id, ip_version=4, cidr=cidr, gateway_ip=None
    )


def port(
    identity: str, network_id: str, subnet_id: str, server: str = "", groups: tuple[str, ...] = ()
) -> FoundPort:
    record = Port(
        id=identity,
        name="",
        network_id=network_id,
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(FixedIp(subnet_id=subnet_id, ip_address="10.0.0.5"),),
        security_group_ids=groups,
    )
    return FoundPort(record=record, device_id=server, device_owner="compute:nova")


def rule(identity: str, **values: Any) -> SecurityGroupRule:
    return SecurityGroupRule(id=identity, direction="ingress", ether_type="IPv4", **values)


def group(identity: str, *remote: str) -> SecurityGroup:
    rules = tuple(rule(f"{identity}-{each}", remote_group_id=each) for each in remote)
    return SecurityGroup(id=identity, name=identity, rules=rules)


def image(
    identity: str, *, owned: bool = True, status: str = "active", visibility: str = "private"
) -> FoundImage:
    record = Image(
        id=identity,
        name=identity,
        disk_id="",
        disk_format="raw",
        container_format="bare",
        visibility=visibility,
    )
    return FoundImage(
        record=record, owned=owned, status=status, size=5, hash_algo="sha512", hash_value="ab"
    )


def volume(
    identity: str, *servers: str, status: str = "available", encrypted: bool = False
) -> FoundVolume:
    return FoundVolume(
        record=Volume(id=identity, name=identity, size=1),
        status=status,
        encrypted=encrypted,
        devices=dict.fromkeys(servers, "/dev/vdb"),
    )


def server(
    identity: str,
    *,
    status: str = "ACTIVE",
    volumes: tuple[str, ...] = (),
    ports: tuple[str, ...] = (),
    image_id: str | None = "i-public",
    key_name: str | None = None,
    flavor: FlavorReference = FLAVOR,
    stopped_by: str | None = None,
) -> FoundServer:
    record = Server(
        id=identity,
        name=identity,
        flavor=flavor.id,
        power_state="running" if status == "ACTIVE" else "stopped",
        image_id=image_id,
        key_name=key_name,
        nics=tuple(Nic(port_id=each) for each in ports),
        volumes=tuple(AttachedVolume(volume_id=each) for each in volumes),
    )
    return FoundServer(record=record, status=status, flavor=flavor, stopped_by=stopped_by)


def inventory(**changes: Any) -> Inventory:
    """A server on one network, behind a router to the outside that also joins another network."""
    networks = (
        network("n-own"),
        network("n-other"),
        network("n-ext", owned=False, external=True),
        network("n-shared", owned=False, shared=True),
    )
    subnets = (subnet("s-own", "n-own"), subnet("s-other", "n-other"))
    edge = Router(
        id="r-edge",
        name="edge",
        external_network_id="n-ext",
        interfaces=(
            RouterInterface(subnet_id="s-own", ip_address="10.0.0.1"),
            RouterInterface(subnet_id="s-other", ip_address="10.1.0.1"),
        ),
    )
    address = FloatingIp(id="f1", name="192.0.2.9", floating_network_id="n-ext", port_id="p-web")
    whole = Inventory(
        keypairs={each: Keypair(id=each, name=each, public_key="ssh-ed25519 A") for each in "kl"},
        security_groups={each.id: each for each in (group("g-web", "g-db"), group("g-db"))},
        networks={each.record.id: each for each in networks},
        subnets={each.id: each for each in subnets},
        routers={"r-edge": edge, "r-lonely": Router(id="r-lonely", name="lonely")},
        ports={"p-web": port("p-web", "n-own", "s-own", "web", ("g-web",))},
        floating_ips={"f1": address, "f2": replace(address, id="f2", port_id=None)},
        images={each.record.id: each for each in (image("i-public", owned=False), image("i-own"))},
        volumes={each.record.id: each for each in (volume("v-data", "web"), volume("v-free"))},
        servers={"web": server("web", volumes=("v-data",), ports=("p-web",), key_name="k")},
    )
    return replace(whole, **changes)
