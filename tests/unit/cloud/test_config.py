"""Which cloud is meant, and what a person is told where none is."""

from __future__ import annotations

from pathlib import Path

import pytest

from downpour_cloud.config import CloudOptions, find_cloud
from downpour_cloud.connect import open_connection
from downpour_cloud.errors import CloudError

CLOUD = "{auth: {auth_url: 'http://127.0.0.1:1/v3', username: u, password: p, project_name: p}}"


@pytest.fixture(autouse=True)
def _no_cloud_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OS_CLOUD", "OS_AUTH_URL", "OS_CLIENT_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)


def options(tmp_path: Path, *names: str, cloud: str | None = None) -> CloudOptions:
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds:\n" + "".join(f"  {name}: {CLOUD}\n" for name in names))
    return CloudOptions(cloud=cloud, config_file=str(path))


def test_of_several_clouds_one_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(
        CloudError, match=r"no cloud is named \(name one with --cloud .*: it has source, target\)"
    ):
        find_cloud(options(tmp_path, "source", "target"))


def test_the_only_cloud_need_not_be_named(tmp_path: Path) -> None:
    assert find_cloud(options(tmp_path, "target")).default_cloud == "target"


def test_a_mistyped_cloud_gets_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match=r"no cloud 'tarrget' \(did you mean target\? it has "):
        find_cloud(options(tmp_path, "source", "target", cloud="tarrget"))


def test_a_cloud_that_cannot_be_reached_is_told_in_few_words(tmp_path: Path) -> None:
    with pytest.raises(CloudError) as caught:
        open_connection(options(tmp_path, "target"), "target", "test")
    told = str(caught.value)
    assert "http://127.0.0.1:1/v3/auth/tokens: Connection refused (check --cloud" in told
    assert "HTTPConnectionPool" not in told
