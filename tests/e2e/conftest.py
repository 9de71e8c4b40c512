"""Two real clouds, one tenant, one export and one import, which all end-to-end tests look at.

``make e2e`` has two processes with some files of tests each (pytest-xdist), which spares half of
the waits: each of them has clouds, a tenant, an export and an import of its own.
"""

from __future__ import annotations

import csv
import functools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import tenant
from tests.connect import connect as connection
from tests.devcloud import Devcloud
from tests.devcloud.cloud import DEFAULT_PORT_BASE
from tests.e2e.bash import users_environment
from tests.e2e.holdings import holdings

BIN = Path(sys.executable).parent
NOWHERE = """\
  nowhere:
    auth: {auth_url: "http://127.0.0.1:1/v3", username: u, password: p, project_name: p,
           user_domain_name: Default, project_domain_name: Default}
"""


@dataclass(frozen=True)
class Shell:
    """Commands as a user types them, in a directory with a clouds.yaml."""

    directory: Path

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the venv, to be waited for with ``communicate``."""
        return subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=self.directory,
            env={**users_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, check: bool = True, **environment: str) -> Any:
        """Run a command of the venv; its result, with text output."""
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            cwd=self.directory,
            env={**users_environment(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
        )
        if check and done.returncode:
            pytest.fail(
                f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done


def of_this_process() -> Devcloud:
    """The clouds of the clone; where tests are spread over processes, others for each of them,
    with what is slow to install from the first."""
    first = Devcloud()
    worker = os.environ.get("PYTEST_XDIST_WORKER")  # gw0, gw1, ...
    if worker is None:
        return first
    first.install()
    state = first.state / "workers" / worker
    state.mkdir(parents=True, exist_ok=True)
    for path in (first.venv, *first.state.glob("template-*")):
        (state / path.name).unlink(missing_ok=True)
        (state / path.name).symlink_to(path)
    base = int(os.environ.get("DEVCLOUD_PORT_BASE") or DEFAULT_PORT_BASE)
    os.environ["DEVCLOUD_PORT_BASE"] = str(base + 100 * int(worker.removeprefix("gw")))
    return Devcloud(state)


@pytest.fixture(scope="session")
def clouds() -> Iterator[Devcloud]:
    """Fresh clouds, gone at the end, whatever becomes of the tests."""
    clouds = of_this_process()
    clouds.down(wipe=True)
    clouds.up(owner=os.getpid())
    yield clouds
    clouds.down()


@pytest.fixture(scope="session")
def connect(clouds: Devcloud) -> Any:
    """Name of an entry of clouds.yaml -> a plain openstacksdk connection."""
    return functools.partial(connection, clouds)


@pytest.fixture(scope="session")
def shell(clouds: Devcloud, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    directory = tmp_path_factory.mktemp("shell")
    # "nowhere" cannot be reached: what must end without its answer is tried with it.
    (directory / "clouds.yaml").write_text(clouds.clouds_yaml.read_text() + NOWHERE)
    return Shell(directory)


@pytest.fixture(scope="session")
def made(clouds: Devcloud, connect: Any, tmp_path_factory: pytest.TempPathFactory) -> tenant.Tenant:
    """The tenant in the source, with known bytes on its disks."""
    made = tenant.build(connect("source"), tmp_path_factory.mktemp("images"))
    tenant.write_disks(clouds.cloud("source"), made)
    # Another project's things, which an admin's token sees and nothing may touch.
    other = connect("source-other")
    other.network.create_network(name="private")
    other.block_storage.create_volume(name="data", size=1)
    other.compute.create_keypair(name="demo-key")
    return made


@dataclass(frozen=True)
class Exported:
    bundle: Path
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def exported(shell: Shell, made: tenant.Tenant, connect: Any) -> Exported:
    """The card's first command, and what the source held before and after it."""
    (shell.directory / "export.yml").write_text(tenant.EXPORT_YML)
    before = holdings(connect("source"))
    done = shell.run("downpour-export", "export.yml", "out.dpbundle", OS_CLOUD="source")
    return Exported(
        bundle=shell.directory / "out.dpbundle",
        before=before,
        after=holdings(connect("source")),
        stdout=done.stdout,
        stderr=done.stderr,
    )


@dataclass(frozen=True)
class Imported:
    uuids: Mapping[tuple[str, str], str]
    """(type, old ID) -> new ID."""
    state: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def imported(shell: Shell, exported: Exported) -> Imported:
    """The card's second command."""
    done = shell.run("downpour-import", "out.dpbundle", "--cloud", "target", "--uuids", "copy.csv")
    state = shell.directory / "out.target"
    return Imported(
        uuids={(kind, old): new for kind, _, old, new in read_csv(state / "uuids.csv")[1:]},
        state=state,
        stdout=done.stdout,
        stderr=done.stderr,
    )


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))
