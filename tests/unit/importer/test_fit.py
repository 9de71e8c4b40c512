"""What would be refused in the middle of a run is told before it: room, sizes, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bundle_spec.model import (
    Disk,
    FloatingIp,
    Image,
    Network,
    Port,
    PortForwarding,
    Ref,
    Resource,
    Resources,
    Router,
    SecurityGroup,
    Server,
    Subnet,
    Trunk,
    Volume,
)
from bundle_spec.model.playbook import MappingRules
from bundle_spec.model.port import AddressPair, FixedIp
from bundle_spec.model.router import RouterInterface
from bundle_spec.model.security_group import SecurityGroupRule
from downpour_import.preflight import FitInput, Preflight, fit, port_address_ref, quota_faults
from downpour_import.preflight.quota import import_quota
from downpour_import.preflight.survey import Survey
from tests.unit.fake_cloud import PROJECT

GIB = 1 << 30
FLAVOR = {"id": "f", "name": "small", "vcpus": 2, "ram": 512, "disk": 5}
TARGETS: dict[Ref, str | None] = {Ref("flavor", "m1"): "f", Ref("volume_type", "fast"): "ssd"}


def disk(size: int, disk_format: str = "raw", virtual_size: int | None = None) -> Disk:
    return Disk(
        id="0001",
        disk_format=disk_format,
        size=size,
        sha256="",
        chunk_size=1 << 16,
        chunks=1,
        list_sha256="",
        stored=1,
        shared=0,
        virtual_size=virtual_size,
    )


def image(**more: Any) -> Image:
    return Image(
        id="i", name="i", disk_id="0001", disk_format="raw", container_format="bare", **more
    )


def server(number: int = 1, image_id: str | None = None) -> Server:
    return Server(id=f"s{number}", name=f"s{number}", flavor="m1", image_id=image_id)


def volume(size: int, kind: str | None = None, disk_id: str | None = None) -> Volume:
    return Volume(id=f"v{size}", name=f"v{size}", size=size, volume_type=kind, disk_id=disk_id)


# --- quota ---


def faults(wanted: list[Resource], **room: int) -> list[str]:
    target = Survey(flavors=(FLAVOR,), default_volume_type="bulk", room=room)
    found = quota_faults(wanted, TARGETS, target, {"0001": disk(3 * GIB)})
    return [f"{each.where}: {each.message}" for each in found]


def test_every_quota_without_room_is_told_at_once() -> None:
    wanted = [server(1), server(2), volume(10, "fast"), volume(30)]
    told = faults(wanted, instances=1, cores=3, ram=1024, gigabytes=39, gigabytes_ssd=9, volumes=2)
    assert told == [
        "quota of servers: 2 more needed, and it has room for 1",
        "quota of vCPUs: 4 more needed, and it has room for 3",
        "quota of GiB of volumes: 40 more needed, and it has room for 39",
        "quota of GiB of volumes of type 'ssd': 10 more needed, and it has room for 9",
    ]


def test_what_has_no_limit_and_what_just_fits_is_no_fault() -> None:
    assert faults([server(1), volume(10)], instances=1, cores=2, ram=512, gigabytes_bulk=10) == []


def test_one_volume_may_be_too_large_by_itself() -> None:
    (told,) = faults([volume(10), volume(30)], per_volume_gigabytes=10)
    assert "volume 'v30': it has 30 GiB, and the quota allows 10" in told


def test_networks_count_what_they_bring_with_them() -> None:
    rule = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4")
    interfaces = tuple(RouterInterface(subnet_id=each, ip_address="10.0.0.1") for each in "ab")
    wanted: list[Resource] = [
        Network(id="n", name="n"),
        Router(id="r", name="r", interfaces=interfaces),
        Port(id="p", name="p", network_id="n", mac_address="m"),
        SecurityGroup(id="g", name="g", rules=(rule, rule)),
        FloatingIp(id="f", name="f", floating_network_id="x"),
        image(),
        volume(10, disk_id="0001"),
    ]
    found = import_quota(
        wanted, TARGETS, Survey(default_volume_type="bulk"), {"0001": disk(3 * GIB)}
    )
    assert found == {
        "network": 1,
        "router": 1,
        "port": 3,  # two are the router's interfaces
        "security_group": 1,
        "security_group_rule": 2,
        "floatingip": 1,
        "volumes": 1,
        "gigabytes": 10,
        "volumes_bulk": 1,
        "gigabytes_bulk": 10,
        "image_count_total": 2,  # one fills the volume and goes again
        "image_size_total": 2 * 3 * 1024,
    }


# --- what fits what ---

OWN = {"id": "T", "name": "theirs", "project_id": PROJECT}
FOREIGN = {"id": "T", "name": "shared", "project_id": "another"}
T_SUB = {"id": "TS", "network_id": "T", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1"}
NET = Network(id="n", name="n")


def subnet(identity: str, cidr: str) -> Subnet:
    return Subnet(
        id=identity, name=identity, network_id="n", ip_version=4, cidr=cidr, gateway_ip=None
    )


SUB = subnet("sub", "10.0.0.0/24")


def port(address: str, **more: Any) -> Port:
    fixed = (FixedIp(subnet_id="sub", ip_address=address),)
    return Port(id="p", name="p", network_id="n", mac_address="fa:1", fixed_ips=fixed, **more)


def look(
    resources: Resources,
    *,
    network: Any = None,
    occupied: Mapping[str, frozenset[str]] | None = None,
    disks: Mapping[str, Disk] | None = None,
    extensions: frozenset[str] | None = None,
    drop: bool = False,
    targets: Mapping[Ref, str | None] | None = None,
    **target: Any,
) -> Preflight:
    mapped = {Ref("network", "n"): "T", Ref("subnet", "sub"): "TS"} if network else {}
    resolved = {Ref("flavor", "m1"): "f", **mapped, **(targets or {})}
    seen = Survey(
        **{"flavors": (FLAVOR,), **target},
        networks=(network,) if network else (),
        subnets=(T_SUB,),
        project_id=PROJECT,
        extensions=extensions,
    )
    work = FitInput(
        wanted=tuple(each for each in resources if each.ref not in resolved),
        resources=resources,
        rules=MappingRules(fixed_ips="drop" if drop else "keep"),
        target=seen,
        targets=resolved,
        occupied=occupied or {},
        disks=disks or {},
    )
    found = fit(work)
    return Preflight(
        targets={**resolved, **found.dropped}, taken=list(found.taken), faults=list(found.faults)
    )


def told(found: Preflight) -> list[str]:
    return [f"{each.where}: {each.message}" for each in found.faults]


@pytest.mark.parametrize(
    ("carried", "of_disk", "fault"),
    [
        (image(min_disk=6), disk(GIB), "6 GiB of disk"),
        (image(), disk(5 * GIB + 1), "6 GiB of disk"),
        (image(), disk(GIB, "qcow2", 8 * GIB), "8 GiB of disk"),
        (image(min_ram=513), disk(GIB), "513 MiB of RAM"),
        (image(min_disk=5, min_ram=512), disk(5 * GIB), None),
        (image(), disk(6 * GIB, "qcow2"), None),  # what a guest sees of it is not known
    ],
)
def test_a_flavor_has_room_for_its_image(carried: Image, of_disk: Disk, fault: str | None) -> None:
    resources = Resources(images=(carried,), servers=(server(image_id="i"),))
    found = told(look(resources, disks={"0001": of_disk}))
    if fault is None:
        assert found == []
    else:
        assert found == [f"server 's1': its image needs {fault}, and flavor 'small' has less"]


def test_a_mapped_image_must_fit_too_and_a_flavor_of_no_size_takes_any() -> None:
    mapped = {"id": "I", "name": "I", "min_disk": 9, "min_ram": 0, "virtual_size": None}
    resources = Resources(servers=(server(image_id="i"),))
    targets = {Ref("image", "i"): "I"}
    assert "needs 9 GiB of disk" in told(look(resources, targets=targets, images=(mapped,)))[0]
    targets[Ref("flavor", "m1")] = "z"
    flavors = ({**FLAVOR, "id": "z", "disk": 0},)
    seen: dict[str, Any] = {"flavors": flavors, "images": (mapped,)}
    assert look(resources, targets=targets, **seen).faults == []


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("10.0.0.9", None),
        ("10.1.0.9", "port 'p': 10.1.0.9 is outside of 10.0.0.0/24"),
        ("10.0.0.5", "port 'p': 10.0.0.5 is in use on network 'theirs'"),
    ],
)
def test_an_address_on_a_network_that_stands_must_be_free(
    address: str, problem: str | None
) -> None:
    resources = Resources(networks=(NET,), subnets=(SUB,), ports=(port(address),))
    used = {"T": frozenset({"10.0.0.5"})}
    found = look(resources, network=OWN, occupied=used)
    assert told(found) == ([problem] if problem else [])
    dropped = look(resources, network=OWN, occupied=used, drop=True)
    assert told(dropped) == []
    assert dropped.taken == ([problem] if problem else [])
    assert (port_address_ref("p", address) in dropped.targets) == bool(problem)


def test_what_only_a_networks_owner_may_ask_for_is_told() -> None:
    pairs = (AddressPair(ip_address="10.0.0.77"),)
    lost = port("10.0.0.9", port_security_enabled=False, allowed_address_pairs=pairs)
    resources = Resources(networks=(NET,), subnets=(SUB,), ports=(lost,))
    line = (
        "port 'p': 10.0.0.9, MAC fa:1, port security off, address pairs cannot be kept on a "
        "network of another project"
    )
    found = look(resources, network=FOREIGN)
    assert told(found) == [line]
    assert "fixed_ips: drop" in str(found.faults[0])
    assert look(resources, network=FOREIGN, drop=True).taken == [line]


def test_on_a_network_that_was_shared_before_the_choice_is_only_said() -> None:
    found = look(Resources(ports=(port("10.0.0.9"),)), network=FOREIGN)
    assert found.faults == []
    assert found.taken == ["addresses and MACs of a port on network 'shared': the target's choice"]


def test_a_network_that_is_made_takes_any_address() -> None:
    resources = Resources(networks=(NET,), subnets=(SUB,), ports=(port("10.9.9.9"),))
    assert look(resources).faults == []


def test_subnets_of_one_router_must_not_overlap() -> None:
    other = subnet("other", "10.0.0.128/25")
    interfaces = tuple(
        RouterInterface(subnet_id=each, ip_address="10.0.0.1") for each in ("sub", "other")
    )
    router = Router(id="r", name="r", interfaces=interfaces)
    resources = Resources(networks=(NET,), subnets=(SUB, other), routers=(router,))
    (line,) = told(look(resources))
    assert line == "router 'r': its subnets 10.0.0.0/24 and 10.0.0.128/25 overlap"
    apart = Resources(
        networks=(NET,), subnets=(SUB, subnet("other", "10.0.1.0/24")), routers=(router,)
    )
    assert look(apart).faults == []


def test_extensions_that_are_not_there_are_told_with_what_needs_them() -> None:
    forwarding = PortForwarding(
        protocol="tcp", internal_port_id="p", internal_ip_address="10.0.0.9", external_port=80
    )
    resources = Resources(
        trunks=(Trunk(id="t", name="t", port_id="p"), Trunk(id="u", name="u", port_id="q")),
        floating_ips=(
            FloatingIp(id="f", name="f", floating_network_id="x", port_forwardings=(forwarding,)),
        ),
    )
    found = told(look(resources, extensions=frozenset({"router"})))
    assert found == [
        "extension 'trunk': missing on the target; 2 trunks need it",
        "extension 'floating-ip-port-forwarding': missing on the target; 1 floating ip needs it",
    ]
    everything = frozenset({"router", "trunk", "floating-ip-port-forwarding"})
    assert look(resources, extensions=everything).faults == []
