from __future__ import annotations

import os

from .bench import MIB, PREFIX, Bench, beginning, overwrite, until

GIB = 1024 * MIB


def checks(bench: Bench) -> None:
    storage, compute, things = bench.demo.block_storage, bench.demo.compute, bench.things
    cloud, spec = bench.cloud, bench.cloud.spec
    raw, _ = bench.disk_files()

    with bench.check("the operator's volume types, the first being the default"):
        assert {t.name for t in storage.types()} >= set(spec.volume_types)

    with bench.check("a volume, attached to a server and detached again"):
        data = storage.create_volume(name=PREFIX + "data", size=1, metadata={"m": "1"})
        data = bench.volume_when("available", data)
        things["data"] = data
        assert data.volume_type == spec.volume_types[0], data.volume_type
        assert data.availability_zone == spec.zones[0], data.availability_zone
        assert cloud.volume_file(data.id).stat().st_size == GIB
        compute.create_volume_attachment(things["server"], volume_id=data.id)
        attached = bench.volume_when("in-use", data)
        assert attached.attachments[0]["server_id"] == things["server"].id
        compute.delete_volume_attachment(things["server"], data.id)
        bench.volume_when("available", data)
        # Once more, for the snapshots of an attached volume.
        compute.create_volume_attachment(things["server"], volume_id=data.id)
        bench.volume_when("in-use", data)

    with bench.check("a bootable volume from a qcow2 image: the raw bytes"):
        boot = storage.create_volume(name=PREFIX + "boot", size=1, image_id=things["qcow2"].id)
        boot = bench.volume_when("available", boot)
        things["boot"] = boot
        assert boot.is_bootable
        assert beginning(cloud.volume_file(boot.id)) == raw.read_bytes()

    with bench.check("a server that boots from that volume"):
        server = compute.create_server(
            name=PREFIX + "volume-backed",
            flavor_id=compute.find_flavor(spec.flavors[0].name).id,
            networks=[{"uuid": things["net"].id}],
            security_groups=[{"name": PREFIX + "web"}],
            block_device_mapping=[
                {
                    "boot_index": 0,
                    "uuid": things["boot"].id,
                    "source_type": "volume",
                    "destination_type": "volume",
                    "delete_on_termination": False,
                }
            ],
        )
        things["volume server"] = server = bench.server_when("ACTIVE", server)
        assert [v.id for v in server.attached_volumes] == [things["boot"].id]
        assert not (server.image and server.image.id)

    with bench.check("a server whose root volume Nova makes from an image"):
        server = compute.create_server(
            name=PREFIX + "volume-made",
            flavor_id=compute.find_flavor(spec.flavors[0].name).id,
            networks="none",
            block_device_mapping=[
                {
                    "boot_index": 0,
                    "uuid": things["qcow2"].id,
                    "source_type": "image",
                    "destination_type": "volume",
                    "volume_size": 2,
                    "delete_on_termination": True,
                }
            ],
        )
        bench.server_when("ACTIVE", server)

    with bench.check("a clone of a volume, then extended"):
        overwrite(cloud.volume_file(things["data"].id), os.urandom(MIB))
        clone = storage.create_volume(
            name=PREFIX + "clone", size=2, source_volume_id=things["data"].id
        )
        bench.volume_when("available", clone)
        storage.extend_volume(clone, 3)
        until(lambda: storage.get_volume(clone.id).size == 3)
        bench.volume_when("available", clone)
        file = cloud.volume_file(clone.id)
        assert file.stat().st_size == 3 * GIB
        assert beginning(file) == beginning(cloud.volume_file(things["data"].id))

    with bench.check("volumes of each type in each zone; a type changed"):
        volumes = [
            storage.create_volume(
                name=f"{PREFIX}{kind}-{zone}", size=1, volume_type=kind, availability_zone=zone
            )
            for kind in spec.volume_types
            for zone in spec.zones
        ]
        for volume in volumes:
            bench.volume_when("available", volume)
        storage.retype_volume(volumes[0], spec.volume_types[1], migration_policy="on-demand")
        until(lambda: storage.get_volume(volumes[0].id).volume_type == spec.volume_types[1])
        bench.volume_when("available", volumes[0])
        things["spare"] = volumes

    with bench.check("image metadata, read-only and bootable flags"):
        volume = things["spare"][1]
        storage.set_volume_bootable_status(volume, True)
        storage.set_volume_image_metadata(volume, os_distro="debian")
        storage.set_volume_readonly(volume, True)
        volume = storage.get_volume(volume.id)
        assert volume.is_bootable and volume.volume_image_metadata["os_distro"] == "debian"

    with bench.check("a volume given to the other project"):
        volume = things["spare"][2]
        transfer = storage.create_transfer(volume_id=volume.id, name=PREFIX + "transfer")
        bench.other.block_storage.accept_transfer(transfer.id, transfer.auth_key)
        assert bench.other.block_storage.get_volume(volume.id).name == volume.name
        bench.other.block_storage.delete_volume(volume)
        until(lambda: not cloud.volume_file(volume.id).exists())
