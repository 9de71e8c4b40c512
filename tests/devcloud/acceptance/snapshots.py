"""The ways by which a tenant gets the bytes of servers and volumes out of a cloud."""

from __future__ import annotations

import json
import os

from .bench import MIB, PREFIX, Bench, beginning, overwrite, qemu_img_convert


def checks(bench: Bench) -> None:
    storage, compute, things = bench.demo.block_storage, bench.demo.compute, bench.things
    cloud = bench.cloud
    disk = cloud.server_disk(things["server"].id)
    data = cloud.volume_file(things["data"].id)
    boot = cloud.volume_file(things["boot"].id)
    for path in (disk, data, boot):
        overwrite(path, os.urandom(3 * MIB))

    with bench.check("an image of a raw server: the bytes of its disk now"):
        made = compute.create_server_image(things["server"], PREFIX + "image", {"x": "y"})
        image = bench.image_when_active(made.id)
        assert image.disk_format == "raw" and image.owner_id == bench.demo.current_project_id
        assert bench.downloaded(image.id) == disk.read_bytes()

    with bench.check("an image of a qcow2 server: qcow2, the bytes of its disk"):
        server = things["qcow2 server"]
        made = compute.create_server_image(server, PREFIX + "image-qcow2")
        image = bench.image_when_active(made.id)
        assert image.disk_format == "qcow2"
        assert bench.downloaded(image.id) == cloud.server_disk(server.id).read_bytes()

    with bench.check("attached volume -> snapshot -> volume -> raw image: the same bytes"):
        snapshot = storage.create_snapshot(
            volume_id=things["data"].id, name=PREFIX + "snapshot", force=True
        )
        snapshot = bench.snapshot_when_available(snapshot)
        expected = beginning(data)
        assert beginning(cloud.snapshot_file(snapshot.id)) == expected
        overwrite(data, os.urandom(MIB))  # after the snapshot: must not show
        volume = storage.create_volume(
            name=PREFIX + "from-snapshot", snapshot_id=snapshot.id, size=1
        )
        volume = bench.volume_when("available", volume)
        things["from snapshot"] = volume, expected
        made = storage.upload_volume_to_image(
            volume, PREFIX + "upload-raw", disk_format="raw", container_format="bare"
        )
        image = bench.image_when_active(made["image_id"])
        assert beginning(cloud.image_file(image.id)) == expected
        bench.volume_when("available", volume)

    with bench.check("the same volume as a qcow2 image, which is smaller"):
        volume, expected = things["from snapshot"]
        made = storage.upload_volume_to_image(
            volume, PREFIX + "upload-qcow2", disk_format="qcow2", container_format="bare"
        )
        image = bench.image_when_active(made["image_id"])
        file, back = bench.folder / "upload.qcow2", bench.folder / "upload.raw"
        file.write_bytes(bench.downloaded(image.id))
        qemu_img_convert(file, back, "raw")
        assert beginning(back) == expected and image.size < 64 * MIB
        bench.volume_when("available", volume)

    with bench.check("an image of a volume-backed server: no bytes, but a snapshot with them"):
        made = compute.create_server_image(things["volume server"], PREFIX + "image-volume")
        image = bench.image_when_active(made.id)
        mapping = image.properties["block_device_mapping"]
        (device,) = json.loads(mapping) if isinstance(mapping, str) else mapping
        assert not image.size
        bench.snapshot_when_available(storage.get_snapshot(device["snapshot_id"]))
        assert beginning(cloud.snapshot_file(device["snapshot_id"])) == beginning(boot)
