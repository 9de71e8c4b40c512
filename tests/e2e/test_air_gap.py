"""docs/how-to/air-gap.md, command by command: from a clone to a tenant on a machine without any
route, installed from the kit."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devcloud import Devcloud
from tests.e2e.bash import bash, users_environment
from tests.e2e.conftest import Shell, read_csv
from tests.e2e.gap import Gap
from tests.house import PACKAGES
from tests.tenant import Tenant

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "air-gap.md").read_text()
NEAR, FAR = PAGE.split("\n## On the side of the target\n")
PARTS_OF = "4G", "12M"
"""On the page, and here: there must be two parts."""


def commands(text: str) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def far_env(tmp_path_factory: pytest.TempPathFactory, clouds: Devcloud) -> dict[str, str]:
    """A home with nothing in it but the credentials of one account of the target."""
    home = tmp_path_factory.mktemp("home")
    entry = yaml.safe_load(clouds.clouds_yaml.read_text())["clouds"]["target-other"]
    config = home / ".config" / "openstack"
    config.mkdir(parents=True)
    (config / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"target": entry}}))
    # A Python that has never seen downpour: not the one of the tests' venv.
    path = f"{Path(sys.base_prefix, 'bin')}:{os.defpath}"
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def gap(clouds: Devcloud, far_env: dict[str, str]) -> Iterator[Gap]:
    auth = yaml.safe_load(Path(far_env["HOME"], ".config/openstack/clouds.yaml").read_text())
    url = auth["clouds"]["target"]["auth"]["auth_url"]
    first = int(re.findall(r":(\d+)", url)[0])
    # The path of a socket may be 108 bytes long.
    with tempfile.TemporaryDirectory() as folder, Gap(Path(folder), range(first, first + 6)) as gap:
        yield gap


def test_there_is_no_way_out(gap: Gap, far_env: dict[str, str], tmp_path: Path) -> None:
    """So nothing that works on the far side came from anywhere but the media."""
    done = gap.run("cat /proc/net/route /proc/net/dev", cwd=tmp_path, env=far_env)
    routes, devices = done.stdout.split("Inter-|")
    assert routes.startswith("Iface")
    assert len(routes.strip().splitlines()) == 1
    assert re.findall(r"^ *(\w+):", devices, re.M) == ["lo"]


def test_every_command_of_the_page(
    gap: Gap,
    far_env: dict[str, str],
    clouds: Devcloud,
    made: Tenant,
    shell: Shell,
    connect: Any,
    tmp_path: Path,
) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    for medium in ("one", "two", "keys"):
        (tmp_path / "media" / medium).mkdir(parents=True)

    def script(text: str) -> str:
        lines = "\n".join(commands(text)).replace("/media/", f"{tmp_path}/media/")
        return lines.replace(*PARTS_OF)

    clone = near / "downpour"
    for each in (*PACKAGES, "share"):
        shutil.copytree(ROOT / each, clone / each, ignore=shutil.ignore_patterns("__pycache__"))
    for each in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / each, clone)
    near_env = {
        **users_environment(),
        "PATH": far_env["PATH"],
        "OS_CLIENT_CONFIG_FILE": str(clouds.clouds_yaml),
    }
    printed = bash(script(NEAR), cwd=near, env=near_env)
    # What the person at the source writes down is what the person at the target sees.
    (digest,) = re.findall(r"^SHA256SUMS sha256 (.*)$", printed, re.M)
    (manifest,) = re.findall(r"^manifest sha256 (.*)$", printed, re.M)
    shutil.rmtree(near)  # nothing but the media goes over

    done = gap.run(script(FAR), cwd=far, env=far_env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{digest.replace(' ', '')}  downpour-kit/SHA256SUMS" in done.stdout
    assert f"manifest sha256 {manifest}" in done.stdout
    assert "; signed by ops@example.org (ED25519 SHA256:" in done.stdout
    assert "every resource is as the manifest says" in done.stdout
    rows = {(kind, old): new for kind, _, old, new in read_csv(far / "out.target/uuids.csv")[1:]}
    target = connect("target-other")
    server = target.compute.get_server(rows["server", made.web])
    assert (server.name, server.status) == ("web {{ 7*7 }}", "ACTIVE")
    assert not [key for key in server.metadata if key.startswith("dpb-")]  # forget was the last
    remove(target, read_csv(far / "out.target/uuids.csv")[1:])


def remove(cloud: Any, rows: list[list[str]]) -> None:
    """The last first; other tests count what the project has, and what its quotas leave."""
    network, storage = cloud.network, cloud.block_storage
    new = [(kind, target) for kind, _, _, target in rows]
    for kind, target in reversed(new):
        match kind:
            case "server":
                cloud.compute.delete_server(target)
                cloud.compute.wait_for_delete(cloud.compute.get_server(target), wait=60)
            case "floating ip":
                network.delete_ip(target)
            case "volume":
                storage.wait_for_status(storage.get_volume(target), wait=60, interval=0.3)
                storage.delete_volume(target)
            case "router":
                network.update_router(target, routes=[])
                for port in network.ports(device_id=target):
                    if port.device_owner.startswith("network:router_interface"):
                        network.remove_interface_from_router(target, port_id=port.id)
                network.delete_router(target)
            case "keypair":
                cloud.compute.delete_keypair(target)
            case "image":
                cloud.image.delete_image(target)
            case "port" | "subnet" | "network":
                getattr(network, f"delete_{kind}")(target)
            case "security group":
                if network.get_security_group(target).name != "default":
                    network.delete_security_group(target)
