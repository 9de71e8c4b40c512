"""A cloud that sends us elsewhere: neither the token nor the password goes along unseen."""

from __future__ import annotations

import pytest

from bundle_spec.errors import DownpourError
from downpour_cloud import CloudOptions
from downpour_cloud.errors import CloudError
from downpour_cloud.guarded import Origin, _why_elsewhere
from downpour_export.cloud import connect as to_source
from downpour_export.errors import CaptureError
from downpour_import.cloud import connect as to_target
from downpour_import.errors import RecreateError
from tests.hostile.servers import (
    ERRORS,
    FILE,
    TOKEN,
    Connect,
    Server,
    catalog,
    halves,
    link,
)

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
