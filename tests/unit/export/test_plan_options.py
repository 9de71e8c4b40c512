"""What the options of a server do to the plan: stop, boot, snapshots, save_state, user data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bundle_spec.model import AttachedVolume, FlavorReference, VolumeSnapshot
from downpour_export.discover import FoundImage, FoundServer, FoundSnapshot, FoundVolume, Inventory
from downpour_export.errors import PlanFaults
from downpour_export.plan import Plan, make_plan
from downpour_export.resource_file import parse
from tests.unit.export.things import image, inventory, server, volume, wanted


def plan(text: str, found: Inventory) -> Plan:
    return make_plan(wanted(text), found)


def fault(text: str, found: Inventory) -> str:
    with pytest.raises(PlanFaults) as caught:
        plan(text, found)
    (only,) = caught.value.faults
    return str(only)


def booted_from_volume(
    status: str = "ACTIVE", root: FoundVolume | None = None, **more: Any
) -> Inventory:
    """A server that boots from the volume ``root``."""
    found = server("db", status=status, image_id=None)
    volumes = (AttachedVolume(volume_id="root", device="/dev/vda", boot_index=0),)
    found = replace(found, record=replace(found.record, volumes=volumes))
    own = root or volume("root", "db", status="in-use")
    return inventory(servers={"db": found}, volumes={"root": own}, **more)


def made_from(image_id: str | None, **more: Any) -> FoundVolume:
    return replace(volume("root", "db", status="in-use", **more), image_id=image_id)


# --- stop ---


@pytest.mark.parametrize(("said", "how"), [("true", "during"), ("keep", "keep")])
def test_a_running_server_is_stopped_and_its_disks_are_captured_so(said: str, how: str) -> None:
    made = plan(f"servers: [{{name: web, stop: {said}}}]\n", inventory())
    assert made.stops == {"web": how}
    assert {each.consistency for each in made.captures} == {"stopped"}
    assert not any("power cut" in each for each in made.warnings)


def test_a_server_that_is_off_need_not_be_stopped() -> None:
    off = inventory(servers={"web": server("web", status="SHUTOFF")})
    assert plan("servers: [{name: web, stop: true}]\n", off).stops == {}


def test_a_server_without_contents_is_not_stopped() -> None:
    made = plan("servers: [{name: web, stop: true, save_state: false}]\n", inventory())
    assert made.stops == {}
    assert any("is not stopped for that" in each for each in made.warnings)


def test_a_paused_server_cannot_be_stopped() -> None:
    paused = inventory(servers={"web": server("web", status="PAUSED")})
    assert "is PAUSED and cannot be stopped" in fault(
        "servers: [{name: web, stop: true}]\n", paused
    )


def test_a_locked_server_cannot_be_stopped() -> None:
    web = server("web")
    locked = inventory(servers={"web": replace(web, record=replace(web.record, locked=True))})
    assert "is locked and cannot be stopped" in fault(
        "servers: [{name: web, stop: keep}]\n", locked
    )


# --- shelved ---


def shelved(status: str, *made: FoundImage) -> Inventory:
    images = {each.record.id: each for each in (*made, image("i-public", owned=False))}
    return inventory(servers={"web": server("web", status=status)}, images=images)


def nova_made(identity: str, created_at: str, name: str = "web-shelved") -> FoundImage:
    made = image(identity)
    record = replace(made.record, name=name)
    return replace(made, record=record, instance_id="web", created_at=created_at)


@pytest.mark.parametrize("status", ["SHELVED", "SHELVED_OFFLOADED"])
def test_the_image_that_nova_made_of_a_shelved_server_is_read(status: str) -> None:
    found = shelved(
        status,
        nova_made("old", "2026-01-01T00:00:00Z"),
        nova_made("new", "2026-01-02T00:00:00Z"),
        nova_made("backup", "2026-01-03T00:00:00Z", name="backup"),
    )
    (disk,) = plan("servers: [{name: web}]\n", found).captures
    assert (disk.type, disk.image_id, disk.consistency) == ("server", "new", "stopped")


def test_a_shelved_server_without_that_image_must_be_unshelved() -> None:
    assert "unshelve it first" in fault("servers: [{name: web}]\n", shelved("SHELVED_OFFLOADED"))


def test_a_volume_of_a_shelved_server_cannot_be_snapshotted() -> None:
    found = booted_from_volume("SHELVED_OFFLOADED", volume("root", "db", status="reserved"))
    assert "is reserved (unshelve its server first)" in fault("servers: [{name: db}]\n", found)


# --- without contents ---


def test_a_server_that_boots_from_a_volume_is_made_again_from_the_image_of_that() -> None:
    found = booted_from_volume(root=made_from("i-own"))
    made = plan("servers: [{name: db, save_state: false}]\n", found)
    (root,) = made.resources.volumes
    assert root.image_id == "i-own"
    assert [each.id for each in made.resources.images] == ["i-own"]
    assert [each.ref.type for each in made.captures] == ["image"]


def test_an_image_of_others_is_referred_to() -> None:
    found = booted_from_volume(root=made_from("i-public"))
    made = plan("servers: [{name: db, save_state: false}]\n", found)
    assert [each.id for each in made.references.images] == ["i-public"]
    assert made.resources.volumes[0].image_id == "i-public"


@pytest.mark.parametrize(
    ("image_id", "told"),
    [("gone", "the image gone that this was made from is gone"), (None, "nothing tells which")],
)
def test_without_that_image_it_cannot_be_made(image_id: str | None, told: str) -> None:
    found = booted_from_volume(root=made_from(image_id))
    assert told in fault("servers: [{name: db, save_state: false}]\n", found)


def test_a_boot_volume_that_is_listed_with_its_contents_needs_no_image() -> None:
    found = booted_from_volume(root=made_from(None))
    text = "servers: [{name: db, save_state: false}]\nvolumes: [{name: root}]\n"
    made = plan(text, found)
    assert [each.ref.type for each in made.captures] == ["volume"]
    assert made.resources.volumes[0].image_id is None


# --- boot ---


def test_what_a_server_boots_from_is_only_told_where_it_changes() -> None:
    text = "servers: [{name: web, boot: image}]\n"
    assert plan(text, inventory()).boots == {}
    text = "servers: [{name: web, boot: volume}]\n"
    assert plan(text, inventory()).boots == {"web": "volume"}


def test_a_boot_volume_that_becomes_an_image_needs_a_flavor_with_a_disk() -> None:
    made = plan("servers: [{name: db, boot: image}]\n", booted_from_volume())
    assert made.boots == {"db": "image"}
    assert ("server", "boot volume") in [(each.type, each.attribute) for each in made.omissions]
    assert not any("larger" in each for each in made.warnings)
    small = FlavorReference(id="m1", name="m1", vcpus=1, ram=1, disk=0)
    found = booted_from_volume()
    found.servers["db"] = replace(found.servers["db"], flavor=small)
    made = plan("servers: [{name: db, boot: image}]\n", found)
    assert any("map the flavor to a larger one" in each for each in made.warnings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("servers: [{name: db, boot: image, save_state: false}]\n", "do not go"),
        ("servers: [{name: db, boot: image}]\nvolumes: [{name: root}]\n", "is needed as a volume"),
    ],
)
def test_a_boot_volume_that_cannot_become_an_image(text: str, told: str) -> None:
    assert told in fault(text, booted_from_volume(root=made_from("i-own")))


def test_a_server_without_contents_gets_no_boot_volume() -> None:
    text = "servers: [{name: web, boot: volume, save_state: false}]\n"
    assert "cannot boot from a volume without its contents" in fault(text, inventory())


# --- snapshots ---


def with_snapshots(status: str = "available") -> Inventory:
    def snapshot(identity: str, of: str) -> FoundSnapshot:
        at = "2026-01-02T03:04:05"
        record = VolumeSnapshot(id=identity, name=identity, size=2, volume_id=of, created_at=at)
        return FoundSnapshot(record=record, status=status)

    made = [snapshot("s1", "v-data"), snapshot("s2", "v-free"), snapshot("s3", "v-data")]
    return inventory(volume_snapshots={each.record.id: each for each in made})


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("servers: [{name: web, snapshots: true}]\n", ["s1", "s3"]),
        ("volumes: [{name: v-free, snapshots: true}]\n", ["s2"]),
        ("servers: [{name: web}]\n", []),
        ("volume_snapshots: [{name: s3}, {id: s2}]\n", ["s2", "s3"]),
        ("servers: [{name: web, snapshots: true}]\nvolume_snapshots: [{id: s1}]\n", ["s1", "s3"]),
    ],
)
def test_snapshots_go_when_they_are_asked_for(text: str, ids: list[str]) -> None:
    made = plan(text, with_snapshots())
    assert [each.id for each in made.resources.volume_snapshots] == ids
    disks = [each for each in made.captures if each.type == "volume_snapshot"]
    assert [(each.id, each.size, each.server_id) for each in disks] == [
        (each, 2 << 30, None) for each in ids
    ]
    assert {each.taken for each in disks} <= {"2026-01-02T03:04:05+00:00"}


def test_a_snapshot_that_is_not_there_yet_is_a_fault() -> None:
    with pytest.raises(PlanFaults, match=r"snapshot 's2' \(s2\) is creating"):
        plan("volumes: [{name: v-free, snapshots: true}]\n", with_snapshots("creating"))


# --- the rest ---


def test_a_flavor_that_is_gone_and_known_only_by_its_id_is_a_fault() -> None:
    gone = FlavorReference(id="7", name="7", vcpus=0, ram=0, disk=0)
    web: FoundServer = server("web", flavor=gone)
    assert "the flavor 7 of server 'web' is gone" in fault(
        "servers: [{name: web}]\n", inventory(servers={"web": web})
    )


def test_user_data_goes_as_nova_takes_it(tmp_path: Any) -> None:
    (tmp_path / "init.sh").write_bytes(b"#!/bin/sh\n")
    text = "servers: [{name: web, user_data: init.sh}]\n"
    made = make_plan(parse(text, tmp_path / "export.yml"), inventory())
    assert made.resources.servers[0].user_data == "IyEvYmluL3NoCg=="
    assert "user_data" not in [each.attribute for each in made.omissions]


def test_a_disk_that_glance_may_refuse_is_warned_of() -> None:
    big = volume("v-free")
    big = replace(big, record=replace(big.record, size=1025))
    made = plan("volumes: [{name: v-free}]\n", inventory(volumes={"v-free": big}))
    assert any("image_size_cap" in each for each in made.warnings)


def test_every_loss_has_its_reason() -> None:
    found = inventory(
        images={},
        volumes={"v-data": volume("v-data", "web", encrypted=True), "v-free": volume("v-free")},
    )
    text = (
        "servers: [{name: web, key_name: other}]\n"
        "volumes: [{name: v-data, save_state: false}, {name: v-free, save_state: false}]\n"
        "keypairs: [{name: k}]\n"
    )
    told = {(each.type, each.attribute): each.reason for each in plan(text, found).omissions}
    assert told["server", "user_data"].startswith("no tenant can read it back")
    assert told["server", "image"] == "what it was made from is gone; its own disk is carried"
    assert "other is not this user's" in told["server", "key_name"]
    assert told["keypair", "private key"] == "it was never in the cloud"
    assert ("floating_ip", "address") in told
    reasons = {
        each.id: each.reason for each in plan(text, found).omissions if each.type == "volume"
    }
    assert reasons["v-data"].startswith("encrypted")
    assert reasons["v-free"].startswith("made again empty")


def test_an_image_that_only_names_volumes_is_a_fault() -> None:
    found = inventory(images={"i": replace(image("i"), volume_backed=True)})
    assert "holds no bytes, but names snapshots of volumes" in fault("images: [{name: i}]\n", found)


def test_a_volume_that_an_earlier_run_uploads_is_waited_for() -> None:
    found = inventory(volumes={"v": volume("v", status="uploading")})
    assert [each.id for each in plan("volumes: [{name: v}]\n", found).captures] == ["v"]
    busy = inventory(volumes={"v": volume("v", "web", status="uploading")})
    assert "is uploading" in fault("volumes: [{name: v}]\n", busy)
