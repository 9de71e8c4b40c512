"""What stands in the manifest for a server that booted from one thing and shall from another."""

from __future__ import annotations

from typing import Any

from bundle_spec.model import Content, Disk, Image, Ref, Source
from downpour_export.assemble import assemble
from downpour_export.capture import Captured
from downpour_export.discover import Inventory
from downpour_export.plan import make_plan
from tests.unit.export.test_plan_options import booted_from_volume, made_from, with_snapshots
from tests.unit.export.things import inventory, wanted

SOURCE = Source(auth_url="http://source", region=None, project_id="p", project_name="demo")
TAKEN = Image(
    id="taken", name="downpour-0-web", disk_id="", disk_format="qcow2", container_format="bare",
    properties={"hw_disk_bus": "scsi"},
)  # fmt: skip


def a_disk(identity: str, **more: Any) -> Disk:
    return Disk(
        id=identity, disk_format="raw", size=3 << 30, sha256="", chunk_size=65536, chunks=0,
        list_sha256="", stored=0, shared=0, **more,
    )  # fmt: skip


def content(text: str, found: Inventory, **captured: Any) -> Content:
    plan = make_plan(wanted(text), found)
    disks = {each.ref: a_disk(f"{n:04}") for n, each in enumerate(plan.captures, 1)}
    return assemble(plan, Captured(disks, {"web": TAKEN}, **captured), SOURCE)


def test_a_server_boots_from_the_image_of_its_own_disk() -> None:
    made = content("servers: [{name: web}]\n", inventory()).resources
    (image,) = made.images
    assert (image.id, image.server_id, image.disk_id) == ("taken", "web", "0001")
    assert made.servers[0].image_id == "taken"
    assert made.volumes[0].disk_id == "0002"


def test_one_that_shall_boot_from_a_volume_gets_its_disk_as_its_first_volume() -> None:
    made = content("servers: [{name: web, boot: volume}]\n", inventory()).resources
    server = made.servers[0]
    assert server.image_id is None
    assert [(each.volume_id, each.boot_index) for each in server.volumes] == [
        ("taken", 0),
        ("v-data", None),
    ]
    root = next(each for each in made.volumes if each.id == "taken")
    assert (root.size, root.bootable, root.disk_id) == (3, True, "0001")
    assert root.image_metadata == {"hw_disk_bus": "scsi"}
    assert made.images == ()


def test_one_that_shall_boot_from_an_image_gets_its_volume_as_that() -> None:
    made = content("servers: [{name: db, boot: image}]\n", booted_from_volume()).resources
    server = made.servers[0]
    assert (server.image_id, server.volumes, made.volumes) == ("root", (), ())
    (image,) = made.images
    assert (image.id, image.server_id, image.disk_id, image.min_disk) == ("root", "db", "0001", 1)


def test_one_that_the_export_stopped_ran() -> None:
    found = inventory()
    made = content("servers: [{name: web, stop: keep}]\n", found, stopped={"web"})
    assert made.resources.servers[0].power_state == "running"


def test_a_volume_without_contents_keeps_its_image() -> None:
    made = content(
        "servers: [{name: db, save_state: false}]\n", booted_from_volume(root=made_from("i-own"))
    ).resources
    assert (made.volumes[0].image_id, made.volumes[0].disk_id) == ("i-own", None)


def test_snapshots_have_their_disks() -> None:
    made = content("volumes: [{name: v-free, snapshots: true}]\n", with_snapshots()).resources
    assert [(each.ref, each.disk_id) for each in made.volume_snapshots] == [
        (Ref("volume_snapshot", "s2"), "0002")
    ]
