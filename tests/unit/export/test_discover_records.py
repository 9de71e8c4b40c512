"""From one API answer to one record."""

from __future__ import annotations

from typing import Any

import pytest

from bundle_spec.model import (
    AddressPair,
    AllocationPool,
    AttachedVolume,
    DhcpOption,
    FixedIp,
    FlavorReference,
    FloatingIp,
    HostRoute,
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
from downpour_export.discover import (
    floating_ip,
    image,
    keypair,
    network,
    port,
    router,
    security_group,
    server,
    subnet,
    volume,
)
from tests.unit.export import things

PROJECT = "p1"
MARK = "dpb-0123456789ab-" + "0" * 32
NEUTRON = {"project_id": PROJECT, "tenant_id": PROJECT, "revision_number": 4}


def test_a_keypair_is_its_own_id_and_its_key_has_no_line_end() -> None:
    item = {"name": "k", "public_key": "ssh-rsa AAA me\n", "type": "ssh", "fingerprint": "f"}
    assert keypair.record_of(item) == Keypair(id="k", name="k", public_key="ssh-rsa AAA me")
    assert keypair.record_of({**item, "type": "x509"}).key_type == "x509"
    del item["type"]
    assert keypair.record_of(item).key_type == "ssh"


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


def test_an_image_carries_what_a_tenant_can_set_and_nothing_else() -> None:
    item = {
        "id": "i",
        "name": None,
        "owner": PROJECT,
        "status": "active",
        "disk_format": "qcow2",
        "container_format": "bare",
        "min_disk": 1,
        "min_ram": 64,
        "visibility": "community",
        "protected": True,
        "os_hidden": True,
        "tags": ["b", MARK, "a"],
        "size": 42,
        "virtual_size": 1 << 30,
        "os_hash_algo": "sha512",
        "os_hash_value": "ff",
        "self": "/v2/images/i",
        "os_distro": "debian",
        "hw_disk_bus": "virtio",
        "base_image_ref": "b",
        "owner_specified.openstack.md5": "",
        "os_glance_importing_to_stores": "",
        "downpour_temporary": "u",
        "dpb-marker": MARK,
        "stores": "file",
    }
    found = image.found_of(item, PROJECT)
    assert found.record == Image(
        id="i",
        name="",
        disk_id="",
        disk_format="qcow2",
        container_format="bare",
        min_disk=1,
        min_ram=64,
        visibility="community",
        protected=True,
        hidden=True,
        tags=("a", "b"),
        properties={"hw_disk_bus": "virtio", "os_distro": "debian"},
    )
    assert (found.owned, found.status, found.size) == (True, "active", 42)
    assert (found.hash_algo, found.hash_value) == ("sha512", "ff")
    assert not image.found_of(item, "another").owned


def test_a_volume() -> None:
    item = {
        "id": "v",
        "name": None,
        "size": 3,
        "description": None,
        "volume_type": "fast",
        "availability_zone": "nova",
        "bootable": "true",
        "metadata": {"kept": "yes", "readonly": "False", "dpb-marker": MARK},
        "volume_image_metadata": {"image_id": "i", "os_distro": "debian", "size": "4"},
        "status": "in-use",
        "encrypted": True,
        "attachments": [
            {"server_id": "srv", "device": "/dev/vdb"},
            {"server_id": None, "device": "/dev/vdx"},
        ],
    }
    found = volume.found_of(item)
    assert found.record == Volume(
        id="v",
        name="",
        size=3,
        volume_type="fast",
        availability_zone="nova",
        bootable=True,
        metadata={"kept": "yes"},
        image_metadata={"os_distro": "debian"},
    )
    assert (found.status, found.encrypted, found.devices) == ("in-use", True, {"srv": "/dev/vdb"})


FLAVOR = {"original_name": "m1", "vcpus": 2, "ram": 512, "disk": 4, "ephemeral": 1, "swap": 64}
SERVER: dict[str, Any] = {
    "id": "srv",
    "name": "web {{ 7*7 }}",
    "status": "SHUTOFF",
    "description": "d",
    "flavor": FLAVOR,
    "image": {"id": "i"},
    "key_name": "k",
    "OS-EXT-AZ:availability_zone": "az-of-host",
    "config_drive": "True",
    "OS-EXT-SRV-ATTR:hostname": "web",
    "metadata": {"role": "web", "dpb-marker": MARK},
    "tags": ["t", MARK],
    "addresses": {},
    "os-extended-volumes:volumes_attached": [],
}


def test_a_server() -> None:
    found = server.found_of(SERVER, [], {})
    assert found.record == Server(
        id="srv",
        name="web {{ 7*7 }}",
        flavor="m1",
        power_state="stopped",
        description="d",
        image_id="i",
        key_name="k",
        availability_zone="az-of-host",
        config_drive=True,
        hostname="web",
        metadata={"role": "web"},
        tags=("t",),
    )
    assert found.status == "SHUTOFF"
    assert found.flavor == FlavorReference(
        id="m1", name="m1", vcpus=2, ram=512, disk=4, ephemeral=1, swap=64
    )


def test_a_flavor_without_swap_says_so_in_any_of_novas_ways() -> None:
    found = server.flavor_of({**FLAVOR, "swap": "", "ephemeral": None})
    assert (found.swap, found.ephemeral) == (0, 0)


@pytest.mark.parametrize(("pinned", "zone"), [("asked", "asked"), (None, None)])
def test_the_zone_that_was_asked_for_counts_and_not_where_it_came_to_stand(
    pinned: str | None, zone: str | None
) -> None:
    item = {**SERVER, "pinned_availability_zone": pinned}
    assert server.zone_of(item) == zone


def test_nics_stand_in_the_order_of_the_addresses_and_one_without_comes_last() -> None:
    found = []
    for identity, mac in (("p0", "mac-none"), ("p1", "mac-1"), ("p2", "mac-2")):
        base = things.port(identity, "n", "s", "srv")
        record = Port(id=identity, name="", network_id="n", mac_address=mac)
        found.append(type(base)(record=record, device_id="srv", device_owner="compute:nova"))
    addresses = {
        "b": [{"OS-EXT-IPS-MAC:mac_addr": "mac-2"}, {"OS-EXT-IPS-MAC:mac_addr": "mac-2"}],
        "a": [{"OS-EXT-IPS-MAC:mac_addr": "mac-1"}],
    }
    nics = server.nics_of({**SERVER, "addresses": addresses}, found)
    assert nics == (Nic(port_id="p2"), Nic(port_id="p1"), Nic(port_id="p0"))


def test_volumes_stand_by_device_name_and_the_first_boots_a_server_without_image() -> None:
    names = {"v1": "/dev/vdaa", "v2": "/dev/vdb", "v3": "/dev/vda", "v4": ""}
    devices = {identity: {"srv": name} for identity, name in names.items()}
    attached = [{"id": each, "delete_on_termination": each == "v3"} for each in sorted(names)]
    item = {**SERVER, "image": "", "os-extended-volumes:volumes_attached": attached}
    assert server.volumes_of(item, devices) == (
        AttachedVolume(volume_id="v3", device="/dev/vda", boot_index=0, delete_on_termination=True),
        AttachedVolume(volume_id="v2", device="/dev/vdb"),
        AttachedVolume(volume_id="v1", device="/dev/vdaa"),
        AttachedVolume(volume_id="v4"),
    )
    item["image"] = {"id": "i"}
    assert all(each.boot_index is None for each in server.volumes_of(item, devices))
