"""A source in memory that holds a random tenant, whose servers write while they run."""

from __future__ import annotations

import re
from random import Random
from uuid import NAMESPACE_OID, uuid5

import requests

from tests.soak.clouds.build import PROJECT, VOLUME, build
from tests.soak.clouds.content import disk_bytes
from tests.soak.stories.tenant import Tenant
from tests.unit.export.capture_source import UPLOAD, Source
from tests.unit.fake_cloud import Call, response


class SoakSource(Source):
    """``slow``: for how many requests what was just made is not ready."""

    def __init__(self, tenant: Tenant, seed: int) -> None:
        super().__init__()
        for path in ("/servers", "/volumes", "/images"):
            self.of(path).clear()
        self.tenant = tenant
        self.seed = seed
        self.slow = Random(seed).choice((0, 0, 2, 5))
        self.page_size = Random(seed + 1).choice((1000, 1000, 2))
        self.extensions = ["address-group", "trunk", "qos"]
        self.moment = 0
        self._pending: dict[tuple[str, str], tuple[int, str]] = {}
        self._origin: dict[str, tuple[str, int]] = {}
        """Snapshot or temporary volume -> the disk that it holds, and of which moment."""
        self._sizes: dict[str, int] = {}
        self.handlers = {
            ("GET", "/servers/(.*)/os-interface"): self._interfaces,
            ("GET", "/servers/(.*)/os-volume_attachments"): self._attachments,
            ("GET", "/images/(.*)/members"): lambda call, match: response(200, {"members": []}),
            ("GET", "/floatingips/(.*)/port_forwardings"): self._forwardings,
            ("POST", "/snapshots"): self._snapshot,
            ("POST", "/volumes"): self._volume,
            **self.handlers,
        }
        build(self, tenant)

    def id_of(self, key: str | None) -> str:
        return str(uuid5(NAMESPACE_OID, f"{self.seed} {key}")) if key else ""

    # --- time passes with each request ---

    def request(self, call: Call, stream: bool) -> requests.Response:
        self.moment += 1
        for (path, identity), (when, status) in list(self._pending.items()):
            if self.moment >= when:
                del self._pending[path, identity]
                if identity in self.of(path):
                    self.of(path)[identity]["status"] = status
        return super().request(call, stream)

    def not_ready(self, path: str, identity: str, status: str) -> None:
        if self.slow:
            item = self.of(path)[identity]
            self._pending[path, identity] = (self.moment + self.slow, item["status"])
            item["status"] = status

    def writing(self, server: str | None) -> int:
        """The moment that a disk of this server tells; one that is off, or in use by none, stays at
        0 or at the last moment of its server."""
        if server is None:
            return 0
        item = self.of("/servers")[server]
        if item["status"] == "ACTIVE":
            item["_moment"] = self.moment
        return int(item.get("_moment", 0))

    # --- what is on the disks ---

    def bytes_now(self, disk: str) -> bytes:
        """Of a volume, a server's own disk or an image of the tenant, by its ID."""
        return self.bytes_at(disk, self.writing(self.server_of(disk)))

    def bytes_at(self, disk: str, moment: int) -> bytes:
        return disk_bytes(self.seed, disk, moment, self._sizes.setdefault(disk, self._size(disk)))

    def _size(self, disk: str) -> int:
        return Random(f"{self.seed} size {disk}").choice((4, 64, 200))

    def set_size(self, disk: str, kib: int) -> None:
        self._sizes[disk] = kib

    def server_of(self, disk: str) -> str | None:
        if disk in self.of("/servers"):
            return disk
        attachments = self.of("/volumes").get(disk, {}).get("attachments") or [{}]
        server: str | None = attachments[0].get("server_id")
        return server

    def _held(self, identity: str) -> tuple[str, int]:
        """The disk and the moment that a volume, temporary or not, or a server now holds."""
        known = self._origin.get(identity)
        return known or (identity, self.writing(self.server_of(identity)))

    def _server_action(self, call: Call, match: re.Match[str]) -> requests.Response:
        # The last moment that it writes in.
        self.writing(match[1])
        return super()._server_action(call, match)

    def _image(self, name: str, of: str, answer: object, call: Call) -> requests.Response:
        disk, moment = self._held(of)
        identity = self.new_id()
        self.image(identity, name, self.bytes_at(disk, moment))
        self.not_ready("/images", identity, "saving")
        if "createImage" in call.body:
            return response(202, {"image_id": identity})
        return response(202, {UPLOAD: {"image_id": identity}})

    def _snapshot(self, call: Call, match: re.Match[str]) -> requests.Response:
        asked = call.body["snapshot"]
        item = self.add("/snapshots", status="available", size=1, **asked)
        self._origin[item["id"]] = self._held(asked["volume_id"])
        self.not_ready("/snapshots", item["id"], "creating")
        return response(202, {"snapshot": item})

    def _volume(self, call: Call, match: re.Match[str]) -> requests.Response:
        asked = call.body["volume"]
        item = self.add("/volumes", **VOLUME, **asked)
        self._origin[item["id"]] = self._origin[asked["snapshot_id"]]
        self.not_ready("/volumes", item["id"], "creating")
        return response(202, {"volume": item})

    def image(self, identity: str, name: str, data: bytes | None = None) -> None:
        super().image(identity, name, data)
        self.of("/images")[identity]["owner"] = PROJECT

    # --- what is told of each ---

    def _interfaces(self, call: Call, match: re.Match[str]) -> requests.Response:
        mine = [each for each in self.of("/ports").values() if each["device_id"] == match[1]]
        found = [{"port_id": each["id"], "tag": None} for each in mine]
        return response(200, {"interfaceAttachments": found})

    def _attachments(self, call: Call, match: re.Match[str]) -> requests.Response:
        attached = self.of("/servers")[match[1]]["os-extended-volumes:volumes_attached"]
        found = [{"volumeId": each["id"], "tag": None} for each in attached]
        return response(200, {"volumeAttachments": found})

    def _forwardings(self, call: Call, match: re.Match[str]) -> requests.Response:
        found = self.of("/floatingips")[match[1]].get("port_forwardings", [])
        return response(200, {"port_forwardings": found})
