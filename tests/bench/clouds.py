"""Commands as a tenant of the test clouds, and clouds that have nothing in them yet."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Run, run
from tests.connect import connect
from tests.devcloud import Devcloud

ENTRY = "target-other"
"""An empty project of the target."""

SDK = "openstacksdk"
"""What every client names itself that is made of it; the services have other names."""


@dataclass(frozen=True)
class Called:
    """``calls``: requests that the cloud's services got from the client."""

    run: Run
    calls: int


def in_cloud(clouds: Devcloud, entry: str, command: Sequence[str | Path], cwd: Path) -> Run:
    """Run a command as the tenant ``entry`` of clouds.yaml."""
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(clouds.clouds_yaml)
    os.environ["OS_CLOUD"] = entry
    return run(command, cwd=cwd)


def program(name: str) -> str:
    """A command of the venv that measures."""
    return str(Path(sys.executable).parent / name)


def fresh(clouds: Devcloud, side: Callable[[], Run]) -> Callable[[], Called]:
    """``side`` in a target of its own, with room for whatever comes."""

    def measured() -> Called:
        clouds.down(["target"], wipe=True)
        start(clouds)
        before = _calls(clouds)
        return Called(side(), _calls(clouds) - before)

    return measured


def start(clouds: Devcloud) -> None:
    """The target, with room for whatever comes."""
    clouds.up(["target"], owner=os.getpid())
    admin, project = connect(clouds, "target-admin"), connect(clouds, ENTRY).current_project_id
    unlimited = ("network", "subnet", "port", "security_group", "security_group_rule")
    admin.set_network_quotas(project, **dict.fromkeys(unlimited, -1))
    admin.set_volume_quotas(project, volumes=-1, gigabytes=-1)
    admin.set_compute_quotas(project, key_pairs=-1)


def _calls(clouds: Devcloud) -> int:
    with clouds.cloud("target").requests_file.open(errors="replace") as lines:
        return sum(1 for line in lines if SDK in line)
