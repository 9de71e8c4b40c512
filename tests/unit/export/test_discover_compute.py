"""From one answer of the Compute, Image or Volume API to one record."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from bundle_spec.model import (
    AttachedVolume,
    FlavorReference,
    Image,
    Keypair,
    Nic,
    Port,
    Server,
    ServerGroup,
    Volume,
    VolumeSnapshot,
)
from downpour_cloud.cloud import PAGE_SIZE
from downpour_export.cloud import SourceCloud
from downpour_export.discover import (
    image,
    keypair,
    server,
    server_group,
    volume,
    volume_snapshot,
)
from tests.unit.export import things
from tests.unit.fake_cloud import Call, FakeCloud, response

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
        "DPB-other": "x",
        "copied": MARK.upper(),
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
        "metadata": {"kept": "yes", "readonly": "False", "dpb-marker": MARK, "copied": MARK},
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


def flavor_of(item: dict[str, Any], fake: FakeCloud | None = None) -> FlavorReference:
    return server.flavor_of(SourceCloud((fake or FakeCloud()).connection), item, {})


def test_a_server() -> None:
    found = server.found_of(SERVER, flavor_of(SERVER["flavor"]), [], {})
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
    found = flavor_of({**FLAVOR, "swap": "", "ephemeral": None})
    assert (found.swap, found.ephemeral) == (0, 0)


@pytest.mark.parametrize(("pinned", "zone"), [("asked", "asked"), (None, None)])
def test_the_zone_that_was_asked_for_counts_and_not_where_it_came_to_stand(
    pinned: str | None, zone: str | None
) -> None:
    item = {**SERVER, "pinned_availability_zone": pinned}
    assert server.zone_of(item) == zone


def test_below_2_47_a_flavor_is_looked_up_by_its_id_once_for_all() -> None:
    fake = FakeCloud()
    numbers = {"vcpus": 2, "ram": 512, "disk": 4, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 1}
    fake.add("/flavors", id="7", name="m1", **numbers)
    cloud, known = SourceCloud(fake.connection), dict[str, FlavorReference]()
    found = [server.flavor_of(cloud, {"id": "7"}, known) for _ in range(3)]
    assert found[0] == FlavorReference(id="m1", name="m1", vcpus=2, ram=512, disk=4, ephemeral=1)
    assert found == found[:1] * 3
    assert len(fake.calls) == 1


def test_below_2_47_a_flavor_that_is_not_listed_is_asked_for_and_may_be_gone() -> None:
    fake = FakeCloud()
    fake.add("/flavors", id="7", name="m1", vcpus=1, ram=1, disk=1)
    fake.handlers["GET", "/flavors/private"] = lambda call, match: response(
        200, {"flavor": {"id": "private", "name": "p", "vcpus": 1, "ram": 2, "disk": 3}}
    )
    assert flavor_of({"id": "private"}, fake).name == "p"
    gone = flavor_of({"id": "gone"}, fake)
    assert (gone.id, gone.vcpus, gone.ram) == ("gone", 0, 0)


def test_what_only_newer_novas_tell_is_read_where_it_is_and_never_required() -> None:
    assert server.found_of(SERVER, flavor_of(SERVER["flavor"]), [], {}).record.locked is False
    item = {
        **SERVER,
        "OS-DCF:diskConfig": "MANUAL",
        "accessIPv4": "192.0.2.1",
        "accessIPv6": "",
        "locked": True,
        "locked_reason": "mine",
        "trusted_image_certificates": ["c"],
    }
    found = server.found_of(item, flavor_of(SERVER["flavor"]), [], {}, "g")
    record = found.record
    assert (record.disk_config, record.access_ip_v4, record.access_ip_v6) == (
        "MANUAL",
        "192.0.2.1",
        None,
    )
    assert (record.locked, record.locked_reason, record.server_group_id) == (True, "mine", "g")
    assert [each.attribute for each in found.losses] == ["trusted_image_certificates"]


OLD_SERVER = {
    "id": "srv",
    "name": "web",
    "status": "ACTIVE",
    "flavor": {"id": "7"},
    "image": {"id": "i"},
    "metadata": {},
    "os-extended-volumes:volumes_attached": [{"id": "v"}],
}


def test_a_server_as_the_oldest_nova_tells_it() -> None:
    found = server.found_of(
        OLD_SERVER, FlavorReference(id="f", name="f", vcpus=1, ram=1, disk=1), [], {}
    )
    assert found.record == Server(
        id="srv", name="web", flavor="f", image_id="i", volumes=(AttachedVolume(volume_id="v"),)
    )


def test_server_groups_are_paged_by_offset_and_tell_their_members() -> None:
    fake = FakeCloud()
    groups: list[dict[str, Any]] = [
        {"id": f"g{n}", "name": "g", "policies": ["affinity"], "members": [f"s{n}"]}
        for n in range(PAGE_SIZE + 1)
    ]
    groups[0] |= {"policy": "anti-affinity", "rules": {"max_server_per_host": 3}}

    def page(call: Call, match: object) -> requests.Response:
        start = int(call.params["offset"])
        return response(200, {"server_groups": groups[start : start + call.params["limit"]]})

    fake.handlers["GET", "/os-server-groups"] = page
    found, members = server_group.discover(SourceCloud(fake.connection))
    assert len(found) == PAGE_SIZE + 1
    assert found["g0"] == ServerGroup(
        id="g0", name="g", policy="anti-affinity", max_server_per_host=3
    )
    assert found["g1"].policy == "affinity"
    assert members["s500"] == "g500"
    assert len(fake.calls) == 2


def test_snapshots_are_the_tenants_and_not_an_exports() -> None:
    fake = FakeCloud()
    size = {"volume_id": "v", "size": 2, "status": "available"}
    fake.add(
        "/snapshots",
        id="mine",
        name="before",
        metadata={"a": "b"},
        description="d",
        created_at="2026-11-24T08:00:00.000000",
        **size,
    )
    fake.add("/snapshots", id="ours", name="downpour-0123456789ab-v", **size)
    found = volume_snapshot.discover(SourceCloud(fake.connection), {"v": things.volume("v")})
    assert set(found) == {"mine"}
    assert found["mine"].record == VolumeSnapshot(
        id="mine",
        name="before",
        size=2,
        description="d",
        metadata={"a": "b"},
        volume_id="v",
        created_at="2026-11-24T08:00:00",
    )


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
    devices["v3"] = {"srv": "/dev/vdc"}
    assert all(each.boot_index is None for each in server.volumes_of(item, devices))


@pytest.mark.parametrize("device", ["/dev/vda", "/dev/sda", "/dev/xvda", "/dev/hda"])
def test_a_server_with_a_volume_as_its_first_disk_boots_from_it_whatever_image_is_told(
    device: str,
) -> None:
    """As one that was made from an image of a server that boots from a volume."""
    item = {**SERVER, "os-extended-volumes:volumes_attached": [{"id": "v1"}, {"id": "v2"}]}
    devices = {"v1": {"srv": "/dev/vdb"}, "v2": {"srv": device}}
    found = server.found_of(item, flavor_of(SERVER["flavor"]), [], devices).record
    assert found.image_id is None
    assert [(each.volume_id, each.boot_index) for each in found.volumes] == [
        ("v2", 0),
        ("v1", None),
    ]


@pytest.mark.parametrize(("size", "volumes"), [(0, True), (5, False), (None, True)])
def test_an_image_without_bytes_that_names_volumes(size: int | None, volumes: bool) -> None:
    item = {"id": "i", "status": "active", "size": size, "block_device_mapping": "[{}]"}
    assert image.found_of(item, PROJECT).volume_backed == volumes
