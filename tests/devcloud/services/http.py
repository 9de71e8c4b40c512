"""The web server: cheroot, a plain threaded one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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


def serve(application: Application, port: int) -> None:
    wsgi.wsgi_gateways[Gateway.version] = Gateway
    server = wsgi.Server(
        (HOST, port),
        application,
        server_name="devcloud",
        numthreads=THREADS,
        request_queue_size=128,
        timeout=300,
    )
    server.prepare()
    print(f"ready on port {port}", flush=True)
    server.serve()
