"""The web server: cheroot, a plain threaded one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from cheroot import wsgi

from ..cloud import HOST

THREADS = 8

Application = Callable[..., Iterable[bytes]]


class _Readable(Protocol):
    read: Callable[..., bytes]
    readline: Callable[..., bytes]
    readlines: Callable[..., list[bytes]]

    def __iter__(self) -> Iterator[bytes]: ...


class RequestBody:
    """wsgi.input without close(): glance_store closes what it has read from, and the
    connection's own file, with the next request in it, would go too."""

    def __init__(self, body: _Readable) -> None:
        self.read = body.read
        self.readline = body.readline
        self.readlines = body.readlines
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)


class Gateway(wsgi.Gateway_10):
    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["wsgi.input"] = RequestBody(environ["wsgi.input"])
        if self.req.chunked_read:
            # cheroot decodes chunked bodies but does not say so; WebOb and Werkzeug take a
            # body without Content-Length for an empty one unless told that it ends.
            environ["wsgi.input_terminated"] = True
            # An application may leave the last chunk unread, in the next request's way.
            self.req.close_connection = True
        return environ


def _logged(application: Application, path: Path) -> Application:
    """``application``, with a line in ``path`` for each request.  All services share the file."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def logged(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        words = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_USER_AGENT"))
        os.write(log, f"{' '.join(map(str, words))}\n".encode("utf-8", "backslashreplace"))
        return application(environ, start_response)

    return logged


def serve(application: Application, port: int, log: Path) -> None:
    wsgi.wsgi_gateways[Gateway.version] = Gateway
    server = wsgi.Server(
        (HOST, port),
        _logged(application, log),
        server_name="devcloud",
        numthreads=THREADS,
        request_queue_size=128,
        timeout=300,
    )
    server.prepare()
    print(f"ready on port {port}", flush=True)
    server.serve()
