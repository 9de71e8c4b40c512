"""A cloud of real servers on loopback, and one to which nothing may be sent."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
import yaml

from downpour_cloud import CloudOptions
from tests.hostile.planting import SECRET
from tests.hostile.servers import PASSWORD, Server, catalog, link, serving


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


@pytest.fixture
def options(home: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudOptions:
    """What the user has of ``home``: a clouds.yaml."""
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


@pytest.fixture
def nothing_hangs() -> Iterator[None]:
    """A wait of more than 20 seconds is a failure."""

    def late(signum: int, frame: FrameType | None) -> None:
        pytest.fail("it waits for something that never comes")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 20, 1)  # again and again: the first may be swallowed
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A file to which a link leads."""
    path = tmp_path / "elsewhere"
    path.write_bytes(SECRET)
    return path
