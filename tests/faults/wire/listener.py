"""A port of the proxy, which can be closed for a while."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from tests.faults.exchange import NO_ANSWER, Answer, Request
from tests.faults.kinds.instead import page
from tests.faults.wire.downstream import Downstream

HOST = "127.0.0.1"


class _Handler(Downstream):
    server: Listener

    def answer_to(self, request: Request) -> Answer:
        return self.server.answer(replace(request, service=self.server.service))

    @property
    def stopped(self) -> threading.Event:
        return self.server.stopped


class Listener(ThreadingHTTPServer):
    """``answer``: what a request is answered."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    timeout = 0.1

    def __init__(self, service: str, answer: Callable[[Request], Answer], port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.service, self.answer = service, answer
        self.stopped = threading.Event()
        self.down_until = 0.0
        self._refuses = False
        self._thread = threading.Thread(target=self._serve, name=service, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self._thread.join()
        self.server_close()

    def go_down(self, seconds: float, refuses: bool) -> None:
        self.down_until, self._refuses = time.monotonic() + seconds, refuses

    def answer_while_down(self) -> Answer | None:
        if time.monotonic() >= self.down_until:
            return None
        return NO_ANSWER if self._refuses else page(503, "503 Service Unavailable")

    def _serve(self) -> None:
        while not self.stopped.is_set():
            if self._refuses and time.monotonic() < self.down_until:
                self._close_for_a_while()
            self.handle_request()

    def _close_for_a_while(self) -> None:
        self.socket.close()
        self.stopped.wait(self.down_until - time.monotonic())
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()
        self.server_activate()

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # that of HTTPServer asks for the host's name

    def shutdown_request(self, request: Any) -> None:
        request.close()  # and no FIN before what may be a RST

    def handle_error(self, *args: object) -> None:
        """Clients that hang up are what this is about."""
