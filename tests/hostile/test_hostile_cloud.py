"""A cloud that wants the token, or our memory: real servers on loopback, real sessions."""

from __future__ import annotations

import gzip
import json
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec import BundleWriter
from bundle_spec.errors import DownpourError
from bundle_spec.model import Capture
from bundle_spec.progress import NULL
from downpour_cloud import Cloud, CloudOptions, cloud
from downpour_cloud.errors import CloudError
from downpour_cloud.guarded import Origin, _why_elsewhere
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.download import Names, download
from downpour_export.cloud import SourceCloud
from downpour_export.cloud import connect as to_source
from downpour_export.errors import CaptureError, TooMuch
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


@pytest.fixture
def evil() -> Iterator[Server]:
    """Where nothing may arrive."""
    with serving("127.0.0.2") as server:
        yield server


@pytest.fixture
def home() -> Iterator[Server]:
    """A cloud with an identity, image and network service."""
    with serving("127.0.0.1") as server:
        identity = {"id": "v3.14", "status": "stable", "links": link(f"{server.url}/v3/")}
        server.json("/v3", {"version": identity})
        catalog(server)
        yield server


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


@pytest.fixture
def options(home: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudOptions:
    auth = {
        "auth_url": f"{home.url}/v3",
        "username": "u",
        "password": PASSWORD,
        "project_name": "p",
        "user_domain_id": "d",
        "project_domain_id": "d",
    }
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"c": {"auth": auth, "api_timeout": 20}}}))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return CloudOptions("c", config_file=str(path))


Connect = Callable[..., Cloud]
HALVES: list[Connect] = [to_source, to_target]
halves = pytest.mark.parametrize("connect", HALVES, ids=["export", "import"])
ERRORS = (CaptureError, RecreateError)


# Redirects


@halves
@pytest.mark.parametrize("status", [301, 302, 303, 305, 307, 308])
def test_a_redirect_to_another_origin_is_not_followed(
    connect: Connect, home: Server, evil: Server, options: CloudOptions, status: int
) -> None:
    home.redirect("/network/v2.0/networks", f"{evil.url}/v2.0/networks", status)
    here = connect(options)
    with pytest.raises(ERRORS, match=f"{home.url} redirects to {evil.url}"):
        list(here.list("network", "/networks", "networks"))
    with pytest.raises(ERRORS, match="neither token nor password"):
        here.post("network", "/networks", {"network": {}})
    assert evil.came == []


@pytest.mark.parametrize(
    "form",
    [
        "{evil}/x",
        "//127.0.0.2:{port}/x",
        "http://127.0.0.1:{home_port}@127.0.0.2:{port}/x",
        "http://127.0.0.2:{port}\\@127.0.0.1:{home_port}/x",
        "http://127.0.0.1:{port}/x",
        "https://127.0.0.1:{home_port}/x",
        "HTTP://127.0.0.2:{port}/x",
        "http://[/x",
        "ftp://127.0.0.2/x",
    ],
)
def test_no_form_of_an_address_gets_the_token_elsewhere(
    home: Server, evil: Server, options: CloudOptions, form: str
) -> None:
    to = form.format(evil=evil.url, port=evil.server_port, home_port=home.server_port)
    home.redirect("/network/v2.0/networks", to)
    here = to_source(options)
    with pytest.raises(CaptureError):
        here.get("network", "/networks")
    assert evil.came == []


@halves
def test_a_redirect_within_the_origin_is_followed(
    connect: Connect, home: Server, options: CloudOptions
) -> None:
    home.redirect("/network/v2.0/networks", "/elsewhere/networks", 307)
    home.json("/elsewhere/networks", {"networks": [{"id": "n"}]})
    assert list(connect(options).list("network", "/networks", "networks")) == [{"id": "n"}]


def test_a_redirect_in_a_circle_ends(home: Server, options: CloudOptions) -> None:
    home.redirect("/network/v2.0/networks", "/network/v2.0/networks")
    with pytest.raises(CaptureError):
        to_source(options).get("network", "/networks")
    assert sum("v2.0/networks" in each for each in home.came) < 30


@halves
@pytest.mark.parametrize("path", ["/v3", "/v3/auth/tokens"])
def test_the_password_is_not_sent_elsewhere(
    connect: Connect, home: Server, evil: Server, options: CloudOptions, path: str
) -> None:
    home.redirect(path, f"{evil.url}{path}", 307)
    with pytest.raises(CloudError, match=f"redirects to {evil.url}"):
        connect(options)
    assert evil.came == []


def test_versions_that_redirect_elsewhere_are_told_as_an_error(
    home: Server, evil: Server, options: CloudOptions
) -> None:
    home.redirect("/network", f"{evil.url}/network")
    home.redirect("/image", f"{evil.url}/image")
    here = to_source(options)
    with pytest.raises(CaptureError):
        here.get("network", "/networks")
    assert evil.came == []


def test_downloads_and_uploads_do_not_follow_either(
    home: Server, evil: Server, options: CloudOptions
) -> None:
    home.redirect("/image/v2/images/i/file", f"{evil.url}/file", 307)
    here = to_target(options)
    with pytest.raises(RecreateError, match="redirects to"), here.stream("image", FILE, {}):
        pass
    with pytest.raises(RecreateError, match="redirects to"):
        here.request("image", "PUT", FILE, data=iter([b"disk"]), allow_reauth=False)
    assert evil.came == []


def test_the_body_of_a_redirect_is_not_read_to_its_end(home: Server, options: CloudOptions) -> None:
    def endless_redirect(call: Handler) -> None:
        call.send_response(302)
        call.send_header("Location", "/elsewhere")
        chunks_for_ever(call)

    home.of["/network/v2.0/networks"] = endless_redirect
    with pytest.raises(CaptureError, match="longer than 64 MiB"):
        to_source(options).get("network", "/networks")


# Bytes without end

FILE = "/images/i/file"


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


@halves
@pytest.mark.parametrize("status", [200, 403])
def test_an_answer_without_end_is_not_read_for_ever(
    connect: Connect, home: Server, options: CloudOptions, status: int
) -> None:
    home.of["/network/v2.0/networks"] = lambda call: endless(call, status)
    here = connect(options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ERRORS, match="longer than 64 MiB"):
        here.get("network", "/networks")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024


def test_a_token_without_end_is_not_read_for_ever(home: Server, options: CloudOptions) -> None:
    home.of["/v3/auth/tokens"] = lambda call: endless(call, 201, X_Subject_Token="x")
    with pytest.raises(CloudError, match="longer than 64 MiB"):
        to_source(options)


def test_the_refusal_of_a_download_is_not_read_for_ever(
    home: Server, options: CloudOptions
) -> None:
    home.of["/image/v2/images/i/file"] = lambda call: endless(call, 403)
    here = to_source(options)
    with pytest.raises(CaptureError, match="longer than"), here.stream("image", FILE, {}):
        pass


@pytest.mark.parametrize("encoding", ["gzip", "GZIP, gzip", "deflate", "br", "x" * 5000])
def test_a_compressed_answer_is_refused(home: Server, options: CloudOptions, encoding: str) -> None:
    bomb = gzip.compress(bytes(100 * MIB))
    home.json("/network/v2.0/networks", bomb, Content_Encoding=encoding)
    home.json("/image/v2/images/i/file", bomb, Content_Encoding=encoding)
    here = to_source(options)
    with pytest.raises(CaptureError, match="answers compressed"):
        here.get("network", "/networks")
    with pytest.raises(CaptureError, match="compressed"), here.stream("image", FILE, {}):
        pass
    assert all("gzip" not in each for each in home.came)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"networks": ' + b"[" * 200_000,
        b'{"networks": ' + b"1" * 10_000 + b"}",
        b"[]",
        b"7",
        b"null",
        b'{"networks": 7}',
        b'{"networks": {"a": 1}}',
        b"{}",
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_of_another_form_is_an_error_of_ours(
    home: Server, options: CloudOptions, body: bytes
) -> None:
    home.of["/network/v2.0/networks"] = lambda call: call.send(200, body)
    with pytest.raises(CaptureError, match="is no JSON"):
        list(to_source(options).list("network", "/networks", "networks"))


@pytest.mark.parametrize("body", [b"[" * 200_000, b"1" * 10_000, b"\xff" * (20 * MIB), b"[7]"])
def test_a_refusal_of_another_form_is_told_briefly(
    home: Server, options: CloudOptions, body: bytes
) -> None:
    home.of["/network/v2.0/networks"] = lambda call: call.send(403, body)
    with pytest.raises(CaptureError, match="refused GET with 403") as caught:
        to_source(options).get("network", "/networks")
    assert len(str(caught.value)) < 1000


# Pages without end


@pytest.mark.parametrize("markers", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
def test_pages_that_come_again_end_the_list(
    home: Server, options: CloudOptions, markers: list[str]
) -> None:
    asked = iter(range(10**6))

    def page(call: Handler) -> None:
        marker = markers[next(asked) % len(markers)]
        links = [{"rel": "next", "href": f"{home.url}/x?marker={marker}"}]
        call.send(200, {"networks": [{"id": "n"}], "networks_links": links})

    home.of["/network/v2.0/networks"] = page
    with pytest.raises(CaptureError, match="list does not end"):
        list(to_source(options).list("network", "/networks", "networks"))
    assert next(asked) <= len(markers) + 1


def test_pages_without_end_are_bounded(
    home: Server, options: CloudOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "MAX_LIST", MIB)
    asked = iter(range(10**6))

    def page(call: Handler) -> None:
        links = [{"rel": "next", "href": f"/x?marker={next(asked)}"}]
        call.send(200, {"networks": [{"id": "n" * 100_000}], "networks_links": links})

    home.of["/network/v2.0/networks"] = page
    with pytest.raises(CaptureError, match="list does not end: 11 pages"):
        list(to_source(options).list("network", "/networks", "networks"))


@pytest.mark.parametrize(
    "links", [7, "x", [7], [{"rel": "next"}], [{"rel": "next", "href": 7}], {}]
)
def test_links_of_another_form_are_no_pages(
    home: Server, options: CloudOptions, links: object
) -> None:
    home.json("/network/v2.0/networks", {"networks": [{}], "networks_links": links, "next": links})
    assert list(to_source(options).list("network", "/networks", "networks")) == [{}]


# Disks without end


def image(size: int | None) -> dict[str, Any]:
    return {"id": "i", "size": size, "disk_format": "raw", "container_format": "bare"}


def read(source: SourceCloud, writer: BundleWriter, size: int | None, **more: int) -> object:
    taken = Capture(type="image", id="i", at="", consistency="idle")
    names = Names("image i", "image i")
    return download(source, writer, image(size), taken, names, CancelFlag(), NULL, **more)


@pytest.mark.parametrize("announced", [True, False])
def test_more_bytes_than_an_image_has_end_its_download(
    home: Server, options: CloudOptions, tmp_path: Path, announced: bool
) -> None:
    def too_much(call: Handler) -> None:
        if announced:
            call.send(200, bytes(50 * MIB))
        else:
            endless(call)

    home.of["/image/v2/images/i/file"] = too_much
    source = to_source(options)
    with (
        BundleWriter(tmp_path / "b.dpbundle") as writer,
        pytest.raises(TooMuch, match=rf"image i: more than {3 * MIB} bytes came"),
    ):
        read(source, writer, 3 * MIB)
    assert (tmp_path / "b.dpbundle.partial").stat().st_size < 4 * MIB
    assert sum("/file" in each for each in home.came) == 1


def test_an_image_whose_size_is_not_told_is_bounded_too(
    home: Server, options: CloudOptions, tmp_path: Path
) -> None:
    home.of["/image/v2/images/i/file"] = endless
    source = to_source(options)
    with (
        BundleWriter(tmp_path / "b.dpbundle") as writer,
        pytest.raises(TooMuch, match=f"more than {5 * MIB} bytes"),
    ):
        read(source, writer, None, most=5 * MIB)


# A catalog that leads elsewhere


def told_by(connect: Connect, options: CloudOptions, **more: object) -> list[str]:
    told: list[str] = []
    here = connect(options, told.append, **more)
    for _ in range(3):
        here.get_optional("image", "/images")
        here.get_optional("network", "/networks")
    return told


def image_service_at(home: Server, evil: Server) -> None:
    catalog(home, image=f"{evil.url}/image")
    evil.json("/image", {"versions": [{"id": "v2.15", "status": "CURRENT", "links": link("v2/")}]})


@halves
def test_a_catalog_that_leads_elsewhere_is_told_once(
    connect: Connect, home: Server, evil: Server, options: CloudOptions
) -> None:
    image_service_at(home, evil)
    assert told_by(connect, options) == [
        f"warning: image request: {evil.url} gets the token, and does not belong to the cloud of "
        "the auth URL, 127.0.0.1"
    ]


def test_only_the_first_process_of_an_import_tells_it(
    home: Server, evil: Server, options: CloudOptions
) -> None:
    image_service_at(home, evil)
    assert told_by(to_target, options, met=True) == []
    assert any(TOKEN in each for each in evil.came)


def test_a_service_of_no_known_version_is_an_error_of_ours(
    home: Server, evil: Server, options: CloudOptions
) -> None:
    catalog(home, image=f"{evil.url}/image")
    with pytest.raises(CaptureError, match="does not have any supported versions"):
        to_source(options).get("image", "/images")


@halves
def test_a_cloud_of_one_host_is_nothing_to_tell(connect: Connect, options: CloudOptions) -> None:
    assert told_by(connect, options) == []


@pytest.mark.parametrize(
    ("home_url", "there", "told"),
    [
        ("https://id.example.com:5000", "https://image.example.com", ""),
        ("https://id.example.com", "https://image.eu.example.com:9292", ""),
        ("https://ID.Example.com.", "https://image.example.COM", ""),
        ("https://id.example.com", "https://image.example.net", "does not belong"),
        ("https://id.example.com", "https://example.com.evil.net", "does not belong"),
        ("https://id.cloud.co.uk", "https://image.cloud.co.uk", ""),
        ("https://id.cloud.co.uk", "https://image.evil.co.uk", "does not belong"),
        ("http://10.0.0.1:5000", "http://10.0.0.1:9292", ""),
        ("http://10.0.0.1:5000", "http://10.0.0.2:9292", "does not belong"),
        ("http://[fd00::1]:5000", "http://[fd00:0::1]:9292", ""),
        ("http://[fd00::1]:5000", "http://[fd00::2]:9292", "does not belong"),
        ("http://controller:5000", "http://controller:9292", ""),
        ("http://controller:5000", "http://other:9292", "does not belong"),
        ("https://id.example.com", "http://id.example.com", "in clear"),
        ("http://id.example.com", "http://image.example.com", ""),
        ("http://id.example.com", "https://image.example.com", ""),
    ],
)
def test_what_belongs_to_one_cloud(home_url: str, there: str, told: str) -> None:
    assert told in (_why_elsewhere(Origin.of(home_url), Origin.of(there)) or "")
    assert bool(_why_elsewhere(Origin.of(home_url), Origin.of(there))) == bool(told)


def test_an_error_of_the_gate_is_told_and_not_repeated(
    home: Server, evil: Server, options: CloudOptions
) -> None:
    """keystoneauth repeats what it takes for a broken connection."""
    home.redirect("/network/v2.0/networks", evil.url)
    with pytest.raises(DownpourError):
        to_source(options).get("network", "/networks")
    assert sum("v2.0/networks" in each for each in home.came) == 1
