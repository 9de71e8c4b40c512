"""From one answer of the Compute, Image or Volume API to one record."""

from __future__ import annotations

from typing import Any

import pytest

from bundle_spec.model import (
    AttachedVolume,
    FlavorReference,
    Image,
    Keypair,
    Nic,
    Port,
    Server,
    Volume,
)
from downpour_export.discover import (
    image,
    keypair,
    server,
    volume,
)
from tests.unit.export import things

PROJECT = "p1"
MARK = "dpb-0123456789ab-" + "0" * 32


def test_a_keypair_is_its_own_id_and_its_key_has_no_line_end() -> None:
    item = {"name": "k", "public_key": "ssh-rsa AAA me\n", "type": "ssh", "fingerprint": "f"}
    assert keypair.record_of(item) == Keypair(id="k", name="k", public_key="ssh-rsa AAA me")
    assert keypair.record_of({**item, "type": "x509"}).key_type == "x509"
    del item["type"]
    assert keypair.record_of(item).key_type == "ssh"


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
