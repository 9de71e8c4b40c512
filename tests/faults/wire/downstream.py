"""The side of the client: a request off the socket, an answer onto it, and how it ends."""

from __future__ import annotations

import http.client
import select
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

from tests.faults.exchange import Answer, Ending, Request
from tests.faults.wire.upstream import PIECE

SMALL = 1 << 20
"""Bytes of a body that is read before anything is done with it."""

_NO_BODY = (204, 304)


class Downstream(BaseHTTPRequestHandler):
    """Reads and writes; what is done with a request is the subclass's."""

    protocol_version = "HTTP/1.1"
    timeout = 600.0

    def answer_to(self, request: Request) -> Answer:
        raise NotImplementedError

    @property
    def stopped(self) -> threading.Event:
        """Set when the proxy ends: then nothing stalls any longer."""
        raise NotImplementedError

    def _exchange(self) -> None:
        request = self._read()
        try:
            answer = self.answer_to(request)
            if answer.status and answer.ending is not Ending.RESET:
                for _ in request.pieces():
                    pass  # what the fault has not sent on, as a balancer that lingers
            self._write(answer)
        except OSError:
            self.close_connection = True  # the client is gone, or the service: a reset plays both
            self._linger(0)
        except http.client.HTTPException:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange  # noqa: N815

    # --- reading ---

    def _read(self) -> Request:
        told = self.headers.get("Content-Length")
        headers = tuple(self.headers.items())
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return Request("", self.command, self.path, headers, self._chunks(), None)
        length = int(told) if told and told.isdigit() else 0
        if length <= SMALL:
            return Request("", self.command, self.path, headers, self.rfile.read(length), length)
        return Request("", self.command, self.path, headers, self._counted(length), length)

    def _counted(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.rfile.read(min(length, PIECE))
            if not piece:
                raise ConnectionResetError("the client broke off")
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(100).partition(b";")[0] or b"0", 16):
            yield from self._counted(size)
            self.rfile.readline(3)
        while self.rfile.readline(1000).strip():
            pass  # trailers

    # --- writing ---

    def _write(self, answer: Answer) -> None:
        if answer.status:
            self._write_head(answer)
            self._write_body(answer)
        if answer.ending is Ending.KEPT:
            return
        self.close_connection = True
        if answer.ending is Ending.RESET:
            self._linger(0)
        elif answer.ending is Ending.STALLED:
            self._stall()

    def _write_head(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if self._is_chunked(answer):
            lines.append("Transfer-Encoding: chunked")
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def _write_body(self, answer: Answer) -> None:
        chunked = self._is_chunked(answer)
        for piece in answer.pieces:
            if piece and self._has_body(answer):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked and answer.ending is Ending.KEPT:
            self.wfile.write(b"0\r\n\r\n")

    def _is_chunked(self, answer: Answer) -> bool:
        return answer.length is None and self._has_body(answer)

    def _has_body(self, answer: Answer) -> bool:
        return self.command != "HEAD" and answer.status not in _NO_BODY

    # --- ending ---

    def _linger(self, seconds: int) -> None:
        """With 0, what is closed is reset."""
        option = struct.pack("ii", 1, seconds)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)

    def _stall(self) -> None:
        """Hold the connection until the client hangs up."""
        while not self.stopped.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.5)
            if readable and not self.connection.recv(PIECE):
                return

    def log_message(self, *args: object) -> None:
        """stderr is for the verdicts."""
