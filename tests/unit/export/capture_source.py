"""A source that makes images of servers and volumes, and a capture from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

import requests

from bundle_spec import BundleWriter
from downpour_export.capture import Captured, capture
from downpour_export.cloud import SourceCloud
from downpour_export.plan import Consistency, DiskCapture
from tests.unit.fake_cloud import PROJECT, Call, FakeCloud, response
from tests.unit.quiet import Notes

UPLOAD = "os-volume_upload_image"


class Source(FakeCloud):
    """A cloud that makes images of servers and volumes; ``bytes`` tells of which resource."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers["POST", "/servers/(.*)/action"] = lambda call, match: self._image(
            call.body["createImage"]["name"], match[1], {"image_id": ""}, call
        )
        self.handlers["POST", "/volumes/(.*)/action"] = lambda call, match: self._image(
            call.body[UPLOAD]["image_name"], match[1], {UPLOAD: {}}, call
        )
        for identity in ("v1", "v2", "v3"):
            self.add("/volumes", id=identity, name="data", status="available")
        self.image("golden", "golden")

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
            os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(data).hexdigest(),
        )

    def _image(self, name: str, of: str, answer: object, call: Call) -> requests.Response:
        identity = self.new_id()
        self.image(identity, name)
        if "createImage" in call.body:
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
    fake: Source, writer: BundleWriter, disks: list[DiskCapture], jobs: int = 2
) -> tuple[Captured, Notes]:
    notes = Notes()
    found = capture(SourceCloud(fake.connection), writer, disks, jobs=jobs, progress=notes)
    return found, notes


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
