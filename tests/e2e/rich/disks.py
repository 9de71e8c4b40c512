"""The images and the volumes of the rich tenant."""

from __future__ import annotations

import io
from typing import Any

from tests.e2e.rich.tenant import Cloud, Rich, call, wait


def images(cloud: Cloud, rich: Rich) -> None:
    def image(name: str, content: bytes, **more: Any) -> None:
        made = cloud.image.create_image(
            name,
            data=io.BytesIO(content),
            wait=True,
            disk_format="raw",
            container_format="bare",
            allow_duplicates=True,
            **more,
        )
        rich.made[name] = {"id": made.id}

    image("rich-kernel", b"kernel" * 1000)
    image(
        "rich-image",
        b"image " * 5000,
        min_disk=1,
        min_ram=64,
        tags=["i", "j"],
        kernel_id=rich.id("rich-kernel"),
        hw_disk_bus="scsi",
        os_distro="debian",
        my_own="{{ braces }}",
    )
    patch = [
        {"op": "replace", "path": "/protected", "value": True},
        {"op": "replace", "path": "/os_hidden", "value": True},
    ]
    path = f"/images/{rich.id('rich-image')}"
    headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    answer = cloud.image.request(path, "PATCH", json=patch, headers=headers)
    assert answer.status_code == 200, answer.text


def volumes(cloud: Cloud, rich: Rich) -> None:
    storage = cloud.block_storage

    def volume(name: str, **more: Any) -> None:
        made = call(storage, "POST", "/volumes", {"volume": {"name": name, "size": 1, **more}})
        rich.made[name] = made["volume"]
        path = f"/volumes/{rich.id(name)}"
        wait(lambda: call(storage, "GET", path)["volume"], lambda it: it["status"] == "available")

    volume(
        "rich-data",
        description="the data",
        metadata={"kept": "{{ yes }}"},
        volume_type="hdd",
        availability_zone="nova",
    )
    path = f"/volumes/{rich.id('rich-data')}/action"
    call(storage, "POST", path, {"os-set_bootable": {"bootable": True}})
    call(storage, "POST", path, {"os-set_image_metadata": {"metadata": {"hw_disk_bus": "virtio"}}})

    def snapshot(name: str, of: str, **more: Any) -> None:
        body = {"snapshot": {"name": name, "volume_id": rich.id(of), **more}}
        made = call(storage, "POST", "/snapshots", body)["snapshot"]
        rich.made[name] = made
        wait(
            lambda: call(storage, "GET", f"/snapshots/{made['id']}")["snapshot"],
            lambda it: it["status"] == "available",
        )

    snapshot("before", "rich-data", description="as it was", metadata={"why": "upgrade"})
    public = cloud.image.find_image("tiny-linux-1.0").id
    volume("to-image-root", imageRef=public)
    volume("again-root", imageRef=public)
    snapshot("again-before", "again-root")
