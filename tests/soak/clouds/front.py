"""The clouds in memory behind HTTP on loopback, so that real processes speak to them.

Keystone's part is played here: versions, tokens, a catalog.  Every other request goes to the
``FakeCloud``, whose hooks ``before`` and ``after`` are the seam for kills and faults: what they
return is the answer instead, and a hook that raises ``Dropped`` cuts the connection, before the
request was obeyed or after.
"""

from __future__ import annotations

import json
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
import yaml

from tests.unit.fake_cloud import PROJECT, Call, FakeCloud, response

# The service as FakeCloud calls it, its type in a catalog, the path of its API, its version.
SERVICES: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    ("compute", "compute", "/compute/v2.1", "v2.1", {"min_version": "2.1", "version": "2.96"}),
    ("network", "network", "/network/v2.0", "v2.0", {}),
    ("image", "image", "/image/v2", "v2.15", {}),
    ("block_storage", "block-storage", f"/volume/v3/{PROJECT}", "v3.0",
     {"min_version": "3.0", "version": "3.70"}),
)  # fmt: skip


class Dropped(Exception):
    """Raised by a hook: the client gets no answer."""


class Front(ThreadingHTTPServer):
    """One cloud at ``auth_url``.  ``project``: whose token is given."""

    daemon_threads = True

    def __init__(self, cloud: FakeCloud, project: str = PROJECT) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cloud = cloud
        self.project = project
        self.broken: list[str] = []
        """Tracebacks of the cloud in memory, whose fault a soak must not take for downpour's."""
        self.lock = threading.Lock()
        """Held for each request: the clouds in memory know no threads."""
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.auth_url = f"{self.url}/identity/v3"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, *args: Any) -> None:
        """A client that was killed is what the soak is about."""

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> requests.Response:
        """The answer to one request.  Raises Dropped."""
        parts = urlsplit(target)
        path = parts.path.rstrip("/")
        if path.startswith("/identity"):
            return self._identity(method, path)
        for service, _, root, version, bounds in SERVICES:
            if path == root or path == "/" + root.split("/")[1]:
                return self._versions(root, version, bounds)
            if path.startswith(f"{root}/"):
                params = dict(parse_qsl(parts.query, keep_blank_values=True))
                inner = unquote(path.removeprefix(root))
                call = Call(service, method, inner, params, _decoded(headers, body), headers)
                with self.lock:
                    return self.cloud.request(call, stream=False)
        return response(404)

    def _identity(self, method: str, path: str) -> requests.Response:
        if method == "POST":
            answer = response(201, {"token": self._token()})
            answer.headers["X-Subject-Token"] = "token"
            return answer
        version = {"id": "v3.14", "status": "stable", "links": _link(self.auth_url)}
        if path.endswith("/v3"):
            return response(200, {"version": version})
        return response(300, {"versions": {"values": [version]}})

    def _versions(self, root: str, version: str, bounds: dict[str, str]) -> requests.Response:
        entry = {"id": version, "status": "CURRENT", "links": _link(f"{self.url}{root}/"), **bounds}
        return response(200, {"version": entry, "versions": [entry]})

    def _token(self) -> dict[str, Any]:
        domain = {"id": "default", "name": "Default"}
        where = {"interface": "public", "region": "here", "region_id": "here"}
        return {
            "methods": ["password"],
            "expires_at": "2999-01-01T00:00:00Z",
            "user": {"id": "u", "name": "u", "domain": domain},
            "project": {"id": self.project, "name": "soak", "domain": domain},
            "roles": [{"id": "member", "name": "member"}],
            "catalog": [
                {
                    "type": kind,
                    "name": kind,
                    "id": kind,
                    "endpoints": [{"id": kind, "url": f"{self.url}{root}", **where}],
                }
                for _, kind, root, _, _ in SERVICES
            ],
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer in one packet: else each waits for the client's delayed acknowledgement.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Front

    def answer(self) -> None:
        try:
            body = self._body()
            answer = self.server.answer(self.command, self.path, self.headers, body)
        except Dropped:
            self.close_connection = True
            return
        except Exception:
            self.server.broken.append(traceback.format_exc())
            raise
        content = answer.raw.read()
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self._exactly(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline() or b"-1", 16):
            pieces.append(self._exactly(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _exactly(self, size: int) -> bytes:
        """Raises Dropped where the client was killed before it had sent that much."""
        data = self.rfile.read(max(size, 0))
        if len(data) != size:
            raise Dropped
        return data

    def log_message(self, *args: object) -> None:
        pass


def _decoded(headers: Any, body: bytes) -> Any:
    """JSON as FakeCloud takes it; the bytes of a disk as they are."""
    if not body:
        return None
    return json.loads(body) if "json" in (headers.get("Content-Type") or "") else body


def _link(url: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": url}]


def write_clouds_yaml(path: Path, auth_urls: dict[str, str]) -> None:
    """``auth_urls``: name of the cloud -> where its Keystone is, or a proxy that stands before."""
    clouds = {
        name: {
            "region_name": "here",
            "auth": {
                "auth_url": url,
                "username": "u",
                "password": "p",
                "project_name": "soak",
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
        }
        for name, url in auth_urls.items()
    }
    path.write_text(yaml.safe_dump({"clouds": clouds}))
