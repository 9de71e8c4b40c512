"""Exports that are killed: the same command goes on, and the source is as it was in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from bundle_spec import verify_bundle
from tests.e2e.conftest import Exported, Shell
from tests.e2e.holdings import holdings
from tests.tenant import Tenant

KILLED_YML = """\
servers:
  - name: "web {{ 7*7 }}"
    stop: true
"""


def is_ours(item: Any) -> bool:
    return bool(item.name and item.name.startswith("downpour-"))


def stopped(source: Any, made: Tenant) -> bool:
    return bool(source.compute.get_server(made.web).status == "SHUTOFF")


def snapshotted(source: Any, made: Tenant) -> bool:
    return any(map(is_ours, source.block_storage.snapshots(details=False)))


def copied(source: Any, made: Tenant) -> bool:
    return any(map(is_ours, source.block_storage.volumes(details=False)))


def uploaded(source: Any, made: Tenant) -> bool:
    found = filter(is_ours, source.image.images(owner=source.current_project_id))
    return any(each.name.endswith(made.data_volume) and each.status == "active" for each in found)


Moment = Callable[[Any, Tenant], bool]


def kill_when(shell: Shell, name: str, source: Any, made: Tenant, moment: Moment) -> None:
    """Start the export ``name``, and kill -9 it as soon as ``moment`` has come."""
    process = shell.start("downpour-export", "killed.yml", name, OS_CLOUD="source")
    deadline = time.monotonic() + 120
    while not moment(source, made):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert process.returncode == -9


def settled(source: Any) -> Any:
    """What the project holds, but for what a start changes: Nova looks at the addresses anew."""
    found = holdings(source)
    for server in found["servers"].values():
        server.pop("launched_at", None)
        server.pop("addresses", None)
    return found


@pytest.mark.parametrize("moment", [stopped, copied, uploaded])
def test_the_same_command_finishes_what_was_killed(
    shell: Shell, exported: Exported, connect: Any, made: Tenant, moment: Moment
) -> None:
    source = connect("source")
    before = settled(source)
    (shell.directory / "killed.yml").write_text(KILLED_YML)
    name = f"killed-{moment.__name__}.dpbundle"
    kill_when(shell, name, source, made, moment)
    shell.run("downpour-export", "killed.yml", name, OS_CLOUD="source")
    manifest = verify_bundle(shell.directory / name, read_data=True).manifest
    captures = {disk.capture.id: disk.capture for disk in manifest.disks if disk.capture}
    assert set(captures) == {made.web, made.data_volume}
    assert captures[made.web].at == captures[made.data_volume].at
    assert captures[made.web].consistency == captures[made.data_volume].consistency == "stopped"
    web = next(each for each in manifest.resources.servers if each.id == made.web)
    assert web.power_state == "running"
    assert settled(source) == before
    assert not list(shell.directory.glob(f"{name}.*"))


def test_only_the_same_bundle_takes_over_what_a_killed_export_had_stopped(
    shell: Shell, exported: Exported, connect: Any, made: Tenant
) -> None:
    source = connect("source")
    before = settled(source)
    (shell.directory / "killed.yml").write_text(KILLED_YML)
    kill_when(shell, "first.dpbundle", source, made, snapshotted)
    assert stopped(source, made)
    other = shell.run(
        "downpour-export", "killed.yml", "other.dpbundle", check=False, OS_CLOUD="source"
    )
    assert other.returncode == 3
    assert f"server 'web {{{{ 7*7 }}}}' ({made.web}): an export has stopped it" in other.stderr
    assert "`downpour-export cleanup` starts it" in other.stderr
    assert not list(shell.directory.glob("other.dpbundle*"))
    planned = shell.run("downpour-export", "plan", "killed.yml", OS_CLOUD="source")
    assert "an export has stopped it" in planned.stdout
    shell.run("downpour-export", "killed.yml", "first.dpbundle", "--fresh", OS_CLOUD="source")
    manifest = verify_bundle(shell.directory / "first.dpbundle").manifest
    web = next(each for each in manifest.resources.servers if each.id == made.web)
    assert web.power_state == "running"
    assert settled(source) == before


def test_cleanup_sets_right_what_was_killed_and_nothing_else(
    shell: Shell, exported: Exported, connect: Any, made: Tenant
) -> None:
    source = connect("source")
    before = settled(source)
    (shell.directory / "killed.yml").write_text(KILLED_YML)
    kill_when(shell, "left.dpbundle", source, made, snapshotted)
    listed = shell.run("downpour-export", "cleanup", check=False, OS_CLOUD="source")
    assert listed.returncode == 2  # nobody is there to be asked
    assert "delete  snapshot" in listed.stdout
    assert settled(source) != before
    done = shell.run("downpour-export", "cleanup", "--yes", OS_CLOUD="source")
    assert "delete  snapshot" in done.stdout
    assert settled(source) == before
    again = shell.run("downpour-export", "cleanup", OS_CLOUD="source")
    assert "nothing of downpour is left" in again.stdout
