"""A token that is refused in the middle of an upload, over real HTTP and the real client.

keystoneauth answers a 401 with a new token and the same request; the iterator of the body is
spent by then, and Glance would make an active image of no bytes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.plugin import BaseAuthPlugin

from bundle_spec.read.files import BundleFiles
from downpour_cloud.session import RetryingSession
from downpour_import.cloud import TargetCloud
from downpour_import.errors import RecreateError
from downpour_import.recreate import RECREATORS, Context, recreate, upload
from downpour_import.recreate.patience import TRIES
from downpour_import.state.journal import Journal
from tests.unit.bundle.samples import noise
from tests.unit.importer.test_upload import write


class Glance(ThreadingHTTPServer):
    """One image service: knows images, and refuses the first ``refusals`` uploads."""

    daemon_threads = True

    def __init__(self, refusals: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refusals = refusals
        self.stalls = False
        self.stopped = threading.Event()
        self.images: dict[str, dict[str, Any]] = {}
        self.uploads: list[int] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Glance

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, status: int, body: Any = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        name = self.path.split("?")[0].rpartition("/")[2]
        if name == "images":
            self._answer(200, {"images": list(self.server.images.values())})
        elif name in self.server.images:
            self._answer(200, self.server.images[name])
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        image = {"id": f"image-{len(self.server.images)}", "status": "queued", **body}
        self.server.images[image["id"]] = image
        self._answer(201, image)

    def do_PUT(self) -> None:
        if self.server.stalls:
            self.server.uploads.append(len(self.rfile.read(1 << 16)))
            self.server.stopped.wait(60)
            return
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.uploads.append(size)
        if len(self.server.uploads) <= self.server.refusals:
            self._answer(401, {})
            return
        image = self.server.images[self.path.split("/")[2]]
        image.update(status="active", size=size)
        self._answer(204)

    def do_DELETE(self) -> None:
        del self.server.images[self.path.rpartition("/")[2]]
        self._answer(204)


class _Token(BaseAuthPlugin):  # type: ignore[misc]
    """A token that can be renewed, as every password gives."""

    auth_url = "http://nowhere"

    def get_token(self, session: Any, **kwargs: Any) -> str:
        return "token"

    def invalidate(self) -> bool:
        return True


@pytest.fixture(params=[1, 2, TRIES])
def glance(request: pytest.FixtureRequest) -> Iterator[Glance]:
    server = Glance(request.param)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def target_at(glance: Glance) -> TargetCloud:
    session = RetryingSession(auth=_Token())
    url = f"http://127.0.0.1:{glance.server_address[1]}"
    connection: Any = SimpleNamespace(
        current_project_id="p",
        session=session,
        authorize=lambda: None,
        image=Adapter(session, endpoint_override=url),
    )
    return TargetCloud(connection)


def test_a_401_makes_no_image_of_no_bytes(glance: Glance, tmp_path: Path) -> None:
    raw = noise(300_000)
    bundle = write(tmp_path / "b.dpbundle", raw, "raw")
    here = Context(
        cloud=target_at(glance),
        journal=Journal(tmp_path),
        targets={},
        bundle_uuid=bundle.manifest.uuid,
        bundle=BundleFiles(bundle.path),
        manifest_sha256=None,
    )
    record = bundle.manifest.resources.images[0]
    if glance.refusals == TRIES:
        with pytest.raises(RecreateError, match="the target refused PUT with 401"):
            recreate(RECREATORS["image"], here, record)
        assert glance.images == {}
    assert recreate(RECREATORS["image"], here, record).state == "made"
    # Each time asked with all its bytes, never with none; and nothing half-made stays.
    assert glance.uploads == [len(raw)] * (glance.refusals + 1)
    (image,) = glance.images.values()
    assert (image["status"], image["size"]) == ("active", len(raw))


def test_an_upload_that_stalls_ends_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "SEND_SILENCE", 0.5)
    bundle = write(tmp_path / "b.dpbundle", bytes(64 << 20), "raw")
    server = Glance(0)
    server.stalls = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    here = Context(
        cloud=target_at(server),
        journal=Journal(tmp_path),
        targets={},
        bundle_uuid=bundle.manifest.uuid,
        bundle=BundleFiles(bundle.path),
        manifest_sha256=None,
    )
    try:
        with pytest.raises(RecreateError, match="the upload broke"):
            recreate(RECREATORS["image"], here, bundle.manifest.resources.images[0])
        assert len(server.uploads) == TRIES
        assert server.images == {}
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
