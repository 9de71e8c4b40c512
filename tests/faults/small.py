"""A small service behind a proxy, for tests of the proxy itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.faults.log import Log
from tests.faults.proxy import Proxy
from tests.faults.rules import ALWAYS, By, Plan, Rule

MIB = 1 << 20
SIZE = 3 * MIB
DATA = bytes(range(256)) * (SIZE // 256)
FILE = "/v2/images/0b5d2a76-3c47-4b0a-9a5a-8f6f8b7f9a10/file"


class _Service(BaseHTTPRequestHandler):
    """Gives an image, takes one, names its own address, and writes down what it obeyed."""

    protocol_version = "HTTP/1.1"
    server: Service

    def _obey(self) -> None:
        size, digest = 0, hashlib.sha256()
        for piece in self._body():
            size += len(piece)
            digest.update(piece)
        self.server.obeyed.append((self.command, self.path, size, dict(self.headers)))
        if self.path == FILE and self.command == "GET":
            self._give()
            return
        answer = {
            "size": size,
            "sha256": digest.hexdigest(),
            "links": [{"rel": "self", "href": f"{self.server.origin}/v2/"}],
            "created_at": "2026-01-02T03:04:05Z",
        }
        self._send(200, json.dumps(answer).encode(), "application/json")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _obey  # noqa: N815

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            left = int(self.headers.get("Content-Length") or 0)
            while left:
                piece = self.rfile.read(min(left, 65536))
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _give(self) -> None:
        asked = self.headers.get("Range")
        first = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        self._send(206 if asked else 200, DATA[first:], "application/octet-stream")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", f"{self.server.origin}{self.path}")
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def log_message(self, *args: object) -> None:
        pass


class Service(ThreadingHTTPServer):
    """``obeyed``: method, path, size of the body and headers of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Service)
        self.obeyed: list[tuple[str, str, int, dict[str, str]]] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *args: Any) -> None:
        """A proxy that hangs up is what these tests are about."""


@dataclass(frozen=True)
class Behind:
    """``at``: the proxy's origin of the service, which is called ``glance``."""

    service: Service
    proxy: Proxy
    log: Log = field(repr=False)

    @property
    def at(self) -> str:
        return self.proxy.addresses.in_text(self.service.origin)

    @property
    def methods(self) -> list[str]:
        return [method for method, *_ in self.service.obeyed]


@contextmanager
def behind(folder: Path, *faults: Any, by: By = ALWAYS, **where: str) -> Iterator[Behind]:
    """The service behind a proxy that plays these faults."""
    rules = [Rule(fault, by=by, **where) for fault in faults]
    with behind_plan(folder, Plan("seed", rules)) as found:
        yield found


@contextmanager
def behind_plan(folder: Path, plan: Plan) -> Iterator[Behind]:
    service = Service()
    thread = Thread(target=service.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    log = Log(folder / "faults")
    proxy = Proxy({"glance": service.origin}, plan, log)
    try:
        with proxy.running():
            yield Behind(service, proxy, log)
    finally:
        service.shutdown()
        service.server_close()
        thread.join()
