"""The way to a service: one request over a connection of its own, its answer piece by piece."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

from tests.faults.exchange import Answer, Request, header, without

PIECE = 64 << 10
"""Bytes that are held of a body, up or down."""

MAX_JSON = 32 << 20
"""Bytes of JSON, which is held whole to be rewritten."""

TIMEOUT = 600.0

_OF_THE_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade")
"""Headers that are between two neighbours only (RFC 9110, 7.6.1)."""


class TooLong(Exception):
    """A JSON answer of more than MAX_JSON bytes."""


def ask(host: str, port: int, request: Request) -> Answer:
    """Send the request to a service.  Raises OSError and http.client.HTTPException."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        _send(connection, request)
        response = connection.getresponse()
    except BaseException:
        connection.close()
        raise
    headers = without(tuple(response.getheaders()), *_OF_THE_HOP)
    pieces = _received(connection, response)
    answer = Answer(response.status, headers, pieces, reason=response.reason)
    return Answer(
        answer.status,
        headers,
        [_bounded(pieces)] if answer.is_json else pieces,
        reason=answer.reason,
    )


def _send(connection: http.client.HTTPConnection, request: Request) -> None:
    connection.putrequest(request.method, request.target, skip_accept_encoding=True)
    for name, value in without(request.headers, "Host", "Content-Length", "Expect", *_OF_THE_HOP):
        connection.putheader(name, value)
    length = len(request.body) if isinstance(request.body, bytes) else request.length
    if length or header(request.headers, "Content-Length") is not None:
        connection.putheader("Content-Length", str(length))
    elif length is None:
        connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for piece in request.pieces():
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if length is None else piece)
        if length is None:
            connection.send(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass  # the service has refused the upload before its end: its answer says why


def _received(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse
) -> Iterator[bytes]:
    try:
        while piece := response.read1(PIECE):
            yield piece
    finally:
        connection.close()


def _bounded(pieces: Iterator[bytes]) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_JSON:
            raise TooLong
    return bytes(body)
