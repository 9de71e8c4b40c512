"""A service of the catalog that answers with anything: it neither stops nor floods a plan."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from keystoneauth1.token_endpoint import Token

from bundle_spec.text import wrapped
from downpour_cloud.catalog import LOOK_BYTES, Catalog
from downpour_cloud.session import RetryingSession
from downpour_export.cloud import SourceCloud
from downpour_export.discover import left_behind as asking
from downpour_export.discover.left_behind import MAX_TEXT, PAGE, Elsewhere, look_elsewhere
from downpour_export.plan.graph import Closure
from downpour_export.plan.left_behind import LeftBehind, left_behind
from downpour_export.plan.view import left_behind_lines
from tests.unit.export.things import inventory
from tests.unit.fake_cloud import PROJECT, FakeCloud

Answer = Callable[[BaseHTTPRequestHandler], None]


class Service:
    """A DNS service on loopback; ``asked``: paths of its requests."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[str] = []
        self.ended = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append(self.path)
                with suppress(OSError):
                    answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Service]]:
    running: list[Service] = []

    def start(answer: Answer) -> Service:
        running.append(Service(answer))
        return running[-1]

    yield start
    for service in running:
        service.stop()


def look(service: Service) -> Elsewhere:
    """As an export does, by a real session."""
    fake = FakeCloud()
    fake.microversions["block_storage"] = "3.0"
    fake.catalog.append({"type": "dns", "endpoints": [{"region": "here"}]})
    session = RetryingSession(auth=Token(service.url, "secret"))
    fake.connection.session = session
    fake.connection.session.auth.auth_url = service.url
    fake.connection.config = SimpleNamespace(
        region_name="here", get_session_endpoint=lambda kind: service.url
    )
    return look_elsewhere(SourceCloud(fake.connection), frozenset())


def body(data: bytes, status: int = 200, kind: str = "application/json") -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(1000 * LOOK_BYTES >> 16):
        request.wfile.write(b"[" * (1 << 16))


def redirecting(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", request.path + "x")
    request.send_header("Content-Length", "0")
    request.end_headers()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (body(b"<html>" + b"<p>come in</p>" * 10000, kind="text/html"), "its answer is no JSON"),
        (body(b"", 500), "it answers 500"),
        (body(b"<html>busy</html>", 503), "it answers 503"),
        (body(b"{}", 429), "it answers 429"),
        (body(b"[" * 100_000), "its answer is no JSON"),
        (body(b'{"zones": ' + b"9" * 100_000 + b"}"), "its answer is no JSON"),
        (body(b"\xff\xfe"), "its answer is no JSON"),
        (body(b'{"zones": {}}'), "its answer is not a list"),
        (body(b'"zones"'), "its answer is not a list"),
        (body(b"null"), "its answer is not a list"),
        (endless, "is longer than 2 MiB"),
        (redirecting, "it answers 302"),
    ],
)
def test_nonsense_is_one_line_and_is_asked_for_once(
    serve: Callable[[Answer], Service], answer: Answer, why: str
) -> None:
    service = serve(answer)
    began = monotonic()
    found = look(service)
    assert found.not_asked.keys() == {"dns_zone"}
    assert found.not_asked["dns_zone"].endswith(why)
    assert len(service.asked) == 1
    assert monotonic() - began < 10


def test_a_service_that_drips_is_left_alone(
    serve: Callable[[Answer], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_SECONDS", 1.0)

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 20))
        request.end_headers()
        while not service.ended.wait(0.05):
            request.wfile.write(b" ")

    service = serve(drip)
    began = monotonic()
    found = look(service)
    assert found.not_asked == {"dns_zone": "it does not answer within 1 seconds"}
    assert monotonic() - began < 10


def test_a_library_that_stumbles_does_not_stop_a_plan(
    serve: Callable[[Answer], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*args: object, **kwargs: object) -> None:
        raise KeyError("links")

    monkeypatch.setattr(Catalog, "look", stumble)
    found = look(serve(body(b"")))
    assert found.not_asked["dns_zone"] == "its answer cannot be read: KeyError"


def test_a_service_that_is_not_there_is_told(serve: Callable[[Answer], Service]) -> None:
    service = serve(body(b""))
    service.stop()
    began = monotonic()
    (why,) = look(service).not_asked.values()
    assert why.startswith("it does not answer: ")
    assert monotonic() - began < 10


def test_pages_without_end_cost_one_request(serve: Callable[[Answer], Service]) -> None:
    items = [{"id": f"z{number}", "name": "a"} for number in range(10_000)]
    answer = {"zones": items, "links": {"next": "http://elsewhere/v2/zones?marker=z1"}}
    service = serve(body(json.dumps(answer).encode()))
    found = look(service)
    assert len(found.things) == PAGE
    assert found.more == {"dns_zone"}
    assert len(service.asked) == 1


def told(elsewhere: Elsewhere) -> tuple[LeftBehind, list[str]]:
    whole = inventory()
    everything = {record.ref: None for records in whole.listable().values() for record in records}
    left = left_behind(whole, Closure(dict(everything)), elsewhere)
    return left, left_behind_lines(left)


def test_what_it_names_cannot_draw_on_the_terminal_or_fill_it(
    serve: Callable[[Answer], Service],
) -> None:
    evil = "\x1b[2J\r\n\u202enothing stays behind" + "x" * 100_000
    items: list[Any] = [None, 7, [], {"id": 7, "name": {"a": 1}, "project_id": PROJECT}]
    items += [{"id": evil, "name": evil, "project_id": PROJECT}] * 5
    items += [{"id": "z", "name": "z", "project_id": 7}]
    service = serve(body(json.dumps({"zones": items}).encode()))
    found = look(service)
    assert all(len(thing.name) <= MAX_TEXT and len(thing.id) <= MAX_TEXT for thing in found.things)
    assert len(found.things) == 6
    _, lines = told(found)
    text = "\n".join(lines)
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 3
    assert len(wrapped(text, 80)) < 30_000


def test_many_services_that_fail_are_a_line_each(serve: Callable[[Answer], Service]) -> None:
    why = {kind.type: "it answers 500" for kind in asking.KINDS}
    left, lines = told(Elsewhere(not_asked=why))
    assert len(lines) == 2 + len(asking.KINDS)
    assert len([*left.omissions()]) == len(asking.KINDS)
