"""Servers on loopback that answer what a test says: a cloud, and where nothing may arrive."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from downpour_cloud import Cloud
from downpour_export.cloud import connect as to_source
from downpour_export.errors import CaptureError
from downpour_import.cloud import connect as to_target
from downpour_import.errors import RecreateError

MIB = 1 << 20
PASSWORD, TOKEN = "pass-word", "to-ken"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = self.path.partition("?")[0].rstrip("/")
        self.server.came.append(f"{self.command} {path} {dict(self.headers)} {body!r}")
        self.server.of.get(path, missing)(self)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass

    def send(self, status: int, body: object = b"", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


def missing(call: Handler) -> None:
    call.send(404, {"message": "no"})


class Server(ThreadingHTTPServer):
    """``of``: path -> what answers.  ``came``: everything that arrived, in words."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), Handler)
        self.of: dict[str, Callable[[Handler], None]] = {}
        self.came: list[str] = []
        self.url = f"http://{host}:{self.server_port}"

    def handle_error(self, *args: Any) -> None:
        """A client that hangs up is what these tests are about."""

    def json(self, path: str, body: object, status: int = 200, **headers: str) -> None:
        self.of[path] = lambda call: call.send(status, body, **headers)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.of[path] = lambda call: call.send(status, Location=to)


@contextmanager
def serving(host: str) -> Iterator[Server]:
    server = Server(host)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def link(url: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": url}]


def catalog(home: Server, image: str | None = None) -> None:
    services = {"image": image or f"{home.url}/image", "network": f"{home.url}/network"}
    for name, version in (("image", "v2.15"), ("network", "v2.0")):
        short = "v2.0" if name == "network" else "v2"
        versions = {
            "id": version,
            "status": "CURRENT",
            "links": link(f"{home.url}/{name}/{short}/"),
        }
        home.json(f"/{name}", {"versions": [versions]})
    entries = [
        {
            "type": name,
            "name": name,
            "id": name,
            "endpoints": [
                {"id": name, "interface": "public", "region": "r", "region_id": "r", "url": url}
            ],
        }
        for name, url in services.items()
    ]
    domain = {"id": "d", "name": "d"}
    token = {
        "methods": ["password"],
        "expires_at": "2999-01-01T00:00:00Z",
        "user": {"id": "u", "name": "u", "domain": domain},
        "project": {"id": "p", "name": "p", "domain": domain},
        "roles": [],
        "catalog": entries,
    }
    home.json("/v3/auth/tokens", {"token": token}, 201, X_Subject_Token=TOKEN)


def chunks_for_ever(call: Handler, piece: bytes = b" " * MIB) -> None:
    call.send_header("Transfer-Encoding", "chunked")
    call.end_headers()
    while True:  # until the client hangs up
        call.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))


def endless(call: Handler, status: int = 200, **headers: str) -> None:
    call.send_response(status)
    for name, value in headers.items():
        call.send_header(name.replace("_", "-"), value)
    chunks_for_ever(call)


Connect = Callable[..., Cloud]
HALVES: list[Connect] = [to_source, to_target]
halves = pytest.mark.parametrize("connect", HALVES, ids=["export", "import"])
FILE = "/images/i/file"
ERRORS = (CaptureError, RecreateError)
