"""A target in memory that keeps the bytes which it is sent, and holds something already."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import requests

from tests.soak.stories.tenant import ODD_NAMES
from tests.unit.fake_cloud import PROJECT, Call, Collection, Json, response
from tests.unit.importer.every_type import Cloud
from tests.unit.importer.project import EXTENSION, forwardings
from tests.unit.importer.test_whole_import import EXTENSIONS

EXTERNAL = "target-ext"


class SoakTarget(Cloud):
    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = Random(seed + 2)
        self.page_size = rng.choice((1000, 1000, 3))
        external = self.of("/networks")[EXTERNAL]
        external |= {"router:external": True, "shared": False, "name": "internet"}
        external["is_default"] = True
        known = [{"alias": each} for each in (*EXTENSIONS, EXTENSION)]
        self.handlers["GET", "/extensions"] = lambda call, match: response(
            200, {"extensions": known}
        )
        self.handlers["POST", "/volumes"] = self._volume
        forwardings(self)
        self.add("/flavors", id="target-flavor", name="g1", vcpus=1, ram=64, disk=1)
        self._stood_before(rng)

    def _stood_before(self, rng: Random) -> None:
        """Somebody's own, some of it called as what comes."""
        own = {"project_id": PROJECT, "description": "", "tags": []}
        for number in range(rng.randint(0, 2)):
            name = rng.choice(ODD_NAMES)
            self.add("/networks", name=name, shared=False, **{"router:external": False}, **own)
            self.add("/security-groups", name=f"mine-{number}", security_group_rules=[], **own)
            self.add("/volumes", name=name, size=1, metadata={}, status="available")

    def _set_image_metadata(self, call: Call, match: re.Match[str]) -> Any:
        if "os-set_bootable" in call.body:
            wanted = call.body["os-set_bootable"]["bootable"]
            self.of("/volumes")[match[1]]["bootable"] = str(wanted).lower()
            return response(200)
        return super()._set_image_metadata(call, match)

    def _store(self, call: Call, match: re.Match[str]) -> requests.Response:
        self.bytes_of[match[1]] = call.body or b""
        return super()._store(call, match)

    def _made(self, collection: Collection, given: Json) -> Json:
        if collection.path == "/floatingips":
            given = {"floating_ip_address": f"203.0.113.{len(collection.items) + 1}", **given}
        return super()._made(collection, given)

    def _volume(self, call: Call, match: re.Match[str]) -> Any:
        """Keep what the image holds; the volume itself is made as any."""
        asked = call.body["volume"]
        identity = self.new_id()
        image = asked.get("imageRef")
        item = {
            "id": identity,
            "status": "available",
            "bootable": str(bool(image)).lower(),
            "attachments": [],
            "description": None,
            "metadata": {},
            **asked,
        }
        if image:
            self.bytes_of[identity] = self.bytes_of[image]
        self.of("/volumes")[identity] = item
        return response(202, {"volume": item})
