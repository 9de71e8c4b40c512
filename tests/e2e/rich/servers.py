"""The servers of the rich tenant, on the ports and the disks made before."""

from __future__ import annotations

import base64
from typing import Any

from tests.e2e.rich.tenant import Cloud, Rich, call, wait


def servers(cloud: Cloud, rich: Rich) -> None:
    compute = cloud.compute
    rich.made["rich-key"] = {"id": cloud.compute.create_keypair(name="rich-key").name}
    for name in ("spread", "nobody"):
        group = {"name": name, "policy": "anti-affinity", "rules": {"max_server_per_host": 2}}
        made = call(compute, "POST", "/os-server-groups", {"server_group": group}, "2.64")
        rich.made[name] = made["server_group"]
    image = cloud.image.find_image("tiny-linux-1.0").id
    tiny, nodisk = (compute.find_flavor(name).id for name in ("m1.tiny", "m1.nodisk"))

    def server(name: str, flavor: str = tiny, hints: Any = None, **more: Any) -> None:
        body = {"server": {"name": name, "flavorRef": flavor, "networks": "none", **more}}
        if hints:
            body["os:scheduler_hints"] = hints
        rich.made[name] = call(compute, "POST", "/servers", body, "2.96")["server"]
        path = f"/servers/{rich.id(name)}"
        wait(lambda: call(compute, "GET", path)["server"], lambda it: it["status"] == "ACTIVE")

    def root(volume: str) -> list[dict[str, Any]]:
        return [
            {
                "boot_index": 0,
                "uuid": rich.id(volume),
                "source_type": "volume",
                "destination_type": "volume",
            }
        ]

    server(
        "rich",
        imageRef=image,
        key_name="rich-key",
        config_drive=True,
        description="all of it",
        hostname="rich-host",
        metadata={"role": "{{ rich }}"},
        tags=["s", "t"],
        networks=[
            {"port": rich.id("front-port"), "tag": "front"},
            {"port": rich.id("back-port"), "tag": "back"},
        ],
        hints={"group": rich.id("spread")},
        accessIPv4="203.0.113.9",
        accessIPv6="2001:db8::9",
        user_data=base64.b64encode(b"what the tenant cannot read").decode(),
        **{"OS-DCF:diskConfig": "MANUAL"},
    )
    path = f"/servers/{rich.id('rich')}"
    attachment = {"volumeId": rich.id("rich-data"), "tag": "data", "delete_on_termination": True}
    call(compute, "POST", f"{path}/os-volume_attachments", {"volumeAttachment": attachment}, "2.79")
    storage = cloud.block_storage
    wait(
        lambda: call(storage, "GET", f"/volumes/{rich.id('rich-data')}")["volume"],
        lambda it: it["status"] == "in-use",
    )
    server("to-volume", imageRef=image)
    server("to-image", block_device_mapping_v2=root("to-image-root"))
    server("again", nodisk, block_device_mapping_v2=root("again-root"))
    lock = {"lock": {"locked_reason": "not on a Sunday"}}
    call(compute, "POST", f"/servers/{rich.id('again')}/action", lock, "2.73")
    server("shelf", imageRef=image)
    path = f"/servers/{rich.id('shelf')}"
    call(compute, "POST", f"{path}/action", {"shelve": None})
    wait(
        lambda: call(compute, "GET", path)["server"], lambda it: it["status"] == "SHELVED_OFFLOADED"
    )
