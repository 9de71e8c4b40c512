from __future__ import annotations

from typing import Any

from .bench import PREFIX, Bench, qemu_img_convert, sha256, until


def checks(bench: Bench) -> None:
    compute, things, cloud = bench.demo.compute, bench.things, bench.cloud
    raw, _ = bench.disk_files()
    spec = cloud.spec
    flavors = {f.name: f for f in compute.flavors()}
    small, medium = (flavors[f.name] for f in spec.flavors[:2])

    def boot(name: str, **options: Any) -> Any:
        made = compute.create_server(name=PREFIX + name, **options)
        return bench.server_when("ACTIVE", made)

    with bench.check("the operator's flavors and availability zones"):
        assert set(flavors) == {flavor.name for flavor in spec.flavors}
        assert {zone.name for zone in compute.availability_zones()} == set(spec.zones)

    with bench.check("a generated keypair"):
        pair = compute.create_keypair(name=PREFIX + "key")
        assert pair.private_key.startswith("-----BEGIN")

    with bench.check("a server from a raw image on a port; its disk is the image"):
        server = boot(
            "raw",
            image_id=things["raw"].id,
            flavor_id=small.id,
            key_name=PREFIX + "key",
            networks=[{"port": things["port"].id}],
            metadata={"role": "db"},
            user_data="I2Nsb3VkLWNvbmZpZwo=",
        )
        things["server"] = server
        assert sha256(cloud.server_disk(server.id)) == sha256(raw)
        port = bench.demo.network.get_port(things["port"].id)
        assert (port.status, port.device_id) == ("ACTIVE", server.id), port
        kinds = {a["OS-EXT-IPS:type"] for a in server.addresses[PREFIX + "net"]}
        assert kinds == {"fixed", "floating"}, server.addresses

    with bench.check("a server from a qcow2 image, by network; its disk is qcow2"):
        server = boot(
            "qcow2",
            image_id=things["qcow2"].id,
            flavor_id=small.id,
            networks=[{"uuid": things["net"].id}],
        )
        things["qcow2 server"] = server
        back = bench.folder / "back.raw"
        qemu_img_convert(cloud.server_disk(server.id), back, "raw")
        assert sha256(back) == sha256(raw)

    with bench.check("a server in the other zone, without a network"):
        zone = spec.zones[1]
        server = boot(
            "zone",
            image_id=things["raw"].id,
            flavor_id=small.id,
            networks="none",
            availability_zone=zone,
        )
        assert server.availability_zone == zone

    with bench.check("a server group of two on different hosts"):
        group = compute.create_server_group(name=PREFIX + "group", policy="anti-affinity")
        for n in range(2):
            boot(
                f"group-{n}",
                image_id=things["raw"].id,
                flavor_id=small.id,
                networks="none",
                scheduler_hints={"group": group.id},
            )
        members = [compute.get_server(i) for i in compute.get_server_group(group).member_ids]
        assert len({member.host_id for member in members}) == 2, members

    server = things["qcow2 server"]
    with bench.check("stop, start, pause, suspend, reboot"):
        for action, status in (
            (compute.stop_server, "SHUTOFF"),
            (compute.start_server, "ACTIVE"),
            (compute.pause_server, "PAUSED"),
            (compute.unpause_server, "ACTIVE"),
            (compute.suspend_server, "SUSPENDED"),
            (compute.resume_server, "ACTIVE"),
        ):
            action(server)
            bench.server_when(status, server)
        compute.reboot_server(server, "HARD")
        bench.server_when("ACTIVE", server)

    with bench.check("resize, confirmed and reverted; the disk stays"):
        disk = sha256(cloud.server_disk(server.id))
        compute.resize_server(server, medium.id)
        bench.server_when("VERIFY_RESIZE", server)
        compute.confirm_server_resize(server)
        assert bench.server_when("ACTIVE", server).flavor.original_name == medium.name
        compute.resize_server(server, small.id)
        bench.server_when("VERIFY_RESIZE", server)
        compute.revert_server_resize(server)
        assert bench.server_when("ACTIVE", server).flavor.original_name == medium.name
        assert sha256(cloud.server_disk(server.id)) == disk

    with bench.check("shelve and unshelve, rebuild"):
        compute.shelve_server(server)
        bench.server_when("SHELVED_OFFLOADED", server)
        compute.unshelve_server(server)
        bench.server_when("ACTIVE", server)
        compute.rebuild_server(server, image=things["qcow2"].id)
        until(lambda: compute.get_server(server.id).task_state is None)
        bench.server_when("ACTIVE", server)

    with bench.check("an interface more and an interface less, the console's text"):
        interface = compute.create_server_interface(server, net_id=things["net"].id)
        compute.delete_server_interface(interface.port_id, server=server)
        assert "devcloud" in compute.get_server_console_output(server)["output"]
