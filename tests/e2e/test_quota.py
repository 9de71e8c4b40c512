"""A source whose quota has hardly room for the temporary objects of an export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bundle_spec import verify_bundle
from tests.e2e.conftest import Exported, Shell
from tests.e2e.holdings import holdings
from tests.tenant import Tenant

EXPORT_YML = """\
servers:
  - name: "web {{ 7*7 }}"
  - name: db
"""


@pytest.fixture
def quota(connect: Any) -> Iterator[Any]:
    """Let the source's project have so many snapshots and volumes more than it has."""
    admin, source = connect("source-admin"), connect("source")
    project = source.current_project_id
    used = {
        "snapshots": len(list(source.block_storage.snapshots(details=False))),
        "volumes": len(list(source.block_storage.volumes(details=False))),
    }

    def allow(**more: int) -> None:
        admin.set_volume_quotas(project, **{key: used[key] + more[key] for key in more})

    yield allow
    admin.delete_volume_quotas(project)


def test_an_export_waits_for_room_that_it_frees_itself(
    shell: Shell, exported: Exported, connect: Any, made: Tenant, quota: Any
) -> None:
    before = holdings(connect("source"))
    (shell.directory / "quota.yml").write_text(EXPORT_YML)
    quota(snapshots=1, volumes=1)
    shell.run("downpour-export", "quota.yml", "quota.dpbundle", OS_CLOUD="source")
    manifest = verify_bundle(shell.directory / "quota.dpbundle").manifest
    captured = {disk.capture.id for disk in manifest.disks if disk.capture}
    assert {made.web, made.data_volume} < captured
    assert len(captured) == 3
    assert holdings(connect("source")) == before


@pytest.mark.parametrize("what", ["snapshots", "volumes"])
def test_a_quota_without_room_is_told_before_and_ends_the_export(
    shell: Shell, exported: Exported, connect: Any, quota: Any, what: str
) -> None:
    before = holdings(connect("source"))
    (shell.directory / "quota.yml").write_text(EXPORT_YML)
    quota(**{what: 0})
    planned = shell.run("downpour-export", "plan", "quota.yml", OS_CLOUD="source")
    assert f"the quota of {what} has room for 0 more, and 1 must be free at once" in planned.stdout
    name = f"quota-{what}.dpbundle"
    done = shell.run("downpour-export", "quota.yml", name, check=False, OS_CLOUD="source")
    assert done.returncode == 7
    assert f"the quota of {what} has room for 0 more" in done.stderr
    assert "make room in the quota" in done.stderr
    assert holdings(connect("source")) == before
    quota(snapshots=5, volumes=5)
    shell.run("downpour-export", "quota.yml", name, OS_CLOUD="source")
    assert len(verify_bundle(shell.directory / name).manifest.disks) == 3
    assert holdings(connect("source")) == before
