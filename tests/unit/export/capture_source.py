"""A source that makes images of servers and volumes, and a capture from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Literal

import requests

from bundle_spec import BundleWriter
from downpour_export.capture import Captured, Limits, capture
from downpour_export.cloud import SourceCloud
from downpour_export.discover.quota import FreeQuota
from downpour_export.plan import Consistency, DiskCapture, StopMode
from tests.unit.fake_cloud import PROJECT, Call, FakeCloud, response
from tests.unit.quiet import Notes

UPLOAD = "os-volume_upload_image"


class Source(FakeCloud):
    """A cloud that makes images of servers and volumes; ``bytes`` tells of which resource."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers["POST", "/servers/(.*)/action"] = self._server_action
        self.handlers["POST", "/servers/(.*)/metadata"] = self._mark
        self.handlers["DELETE", "/servers/(.*)/metadata/(.*)"] = self._unmark
        self.handlers["POST", "/(volumes|snapshots)/(.*)/metadata"] = self._remark
        self.handlers["PATCH", "/images/(.*)"] = self._remark_image
        self.handlers["POST", "/volumes/(.*)/action"] = lambda call, match: self._image(
            call.body[UPLOAD]["image_name"], match[1], {UPLOAD: {}}, call
        )
        for identity in ("web", "db"):
            self.server(identity)
        for identity in ("v1", "v2", "v3"):
            self.add("/volumes", id=identity, name="data", status="available")
        self.image("golden", "golden")

    def server(self, identity: str, status: str = "ACTIVE") -> None:
        task = {"OS-EXT-STS:task_state": None}
        self.add("/servers", id=identity, name=identity, status=status, metadata={}, **task)

    def status(self, server: str) -> str:
        status: str = self.of("/servers")[server]["status"]
        return status

    def marks(self) -> dict[str, dict[str, str]]:
        """Metadata of the servers that have any."""
        return {
            each["id"]: each["metadata"]
            for each in self.of("/servers").values()
            if each["metadata"]
        }

    def _server_action(self, call: Call, match: re.Match[str]) -> requests.Response:
        server = self.of("/servers")[match[1]]
        match call.body:
            case {"createImage": image}:
                return self._image(image["name"], server["id"], {"image_id": ""}, call)
            case {"os-stop": None} if server["status"] == "ACTIVE":
                server["status"] = "SHUTOFF"
            case {"os-start": None} if server["status"] == "SHUTOFF":
                server["status"] = "ACTIVE"
            case _:
                return response(409, {"conflictingRequest": {"message": "not in this state"}})
        return response(202)

    def _mark(self, call: Call, match: re.Match[str]) -> requests.Response:
        self.of("/servers")[match[1]]["metadata"].update(call.body["metadata"])
        return response(200, call.body)

    def _unmark(self, call: Call, match: re.Match[str]) -> requests.Response:
        mark = self.of("/servers")[match[1]]["metadata"].pop(match[2], None)
        return response(404 if mark is None else 204)

    def _remark(self, call: Call, match: re.Match[str]) -> requests.Response | None:
        item = self.of(f"/{match[1]}").get(match[2])
        if item is None:
            return response(404)
        item.setdefault("metadata", {}).update(call.body["metadata"])
        return response(200, call.body)

    def _remark_image(self, call: Call, match: re.Match[str]) -> requests.Response:
        item = self.of("/images").get(match[1])
        if item is None:
            return response(404)
        item.update({change["path"].removeprefix("/"): change["value"] for change in call.body})
        return response(200, item)

    def image(self, identity: str, name: str, data: bytes | None = None) -> None:
        data = data if data is not None else f"bytes of {name}".encode() * 1000
        self.bytes_of[identity] = data
        self.add(
            "/images",
            id=identity,
            name=name,
            status="active",
            owner=PROJECT,
            size=len(data),
            disk_format="raw",
            container_format="bare",
            os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(data).hexdigest(),
        )

    def _image(self, name: str, of: str, answer: object, call: Call) -> requests.Response:
        identity = self.new_id()
        self.image(identity, name)
        if "createImage" in call.body:
            # Nova makes properties of it.
            self.of("/images")[identity].update(call.body["createImage"].get("metadata", {}))
            return response(202, {"image_id": identity})
        return response(202, {UPLOAD: {"image_id": identity}})

    def left(self) -> list[str]:
        """Names of what is still there and is not the tenant's own."""
        return [
            item["name"]
            for path in ("/images", "/volumes", "/snapshots")
            for item in self.of(path).values()
            if item["name"].startswith("downpour-")
        ]


def disk(
    kind: Literal["image", "server", "volume"],
    identity: str,
    consistency: Consistency = "live",
    server: str | None = None,
) -> DiskCapture:
    return DiskCapture(
        type=kind,
        id=identity,
        name=identity,
        size=1 << 30,
        consistency=consistency,
        server_id=server,
    )


WEB = [disk("server", "web", server="web"), disk("volume", "v1", server="web")]
DB = [disk("server", "db", server="db"), disk("volume", "v2", server="db")]
ALONE = [disk("volume", "v3", "idle"), disk("image", "golden", "idle")]


def run(
    fake: Source,
    writer: BundleWriter,
    disks: list[DiskCapture],
    jobs: int = 2,
    *,
    temporaries: int = 20,
    room: FreeQuota | None = None,
    stops: Mapping[str, StopMode] | None = None,
    notes: Notes | None = None,
    pause: bool = False,
) -> tuple[Captured, Notes]:
    notes = notes or Notes()
    limits = Limits(jobs=jobs, temporaries=temporaries, room=room or FreeQuota())
    cloud = SourceCloud(fake.connection)
    return capture(cloud, writer, disks, stops or {}, limits, notes, pause=pause), notes


def on_read(fake: Source, of: str, answer: Callable[[int], requests.Response | None]) -> None:
    """Answer the reads of the image whose name ends with ``of`` by number, from 1."""
    reads = 0

    def hook(call: Call) -> requests.Response | None:
        nonlocal reads
        if not call.path.endswith("/file"):
            return None
        if not fake.of("/images")[call.path.split("/")[2]]["name"].endswith(of):
            return None
        reads += 1
        return answer(reads)

    fake.before.append(hook)


class Killed(BaseException):
    """As kill -9: nothing that follows is done, also no clean-up."""


def kill_at(fake: Source, method: str, path: str, body: str = "", count: int = 1) -> None:
    """With the ``count``-th such call, which is obeyed, the process is dead: none follows."""
    calls = 0

    def after(call: Call) -> None:
        nonlocal calls
        calls += call.method == method and path in call.path and body in str(call.body)
        if calls >= count:
            raise Killed

    def before(call: Call) -> None:
        if calls >= count:
            raise Killed

    fake.after.append(after)
    fake.before.append(before)


def revive(fake: Source) -> None:
    """Let calls arrive again, and forget those that did."""
    fake.before.clear()
    fake.after.clear()
    fake.calls.clear()
