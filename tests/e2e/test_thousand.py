"""A thousand resources through plan and Ansible's check mode: all are seen, none is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import many
from tests.e2e.conftest import Shell
from tests.e2e.holdings import holdings

COUNT = 1000


@pytest.fixture(scope="module")
def roomy(connect: Any) -> Iterator[None]:
    admin = connect("target-admin")
    project = connect("target-other").current_project_id
    unlimited = ("network", "subnet", "port", "security_group", "security_group_rule")
    admin.set_network_quotas(project, **dict.fromkeys(unlimited, -1))
    admin.set_volume_quotas(project, volumes=-1, gigabytes=-1)
    yield
    admin.delete_network_quotas(project)
    admin.delete_volume_quotas(project)


def test_a_thousand_are_planned_and_checked(shell: Shell, roomy: None, connect: Any) -> None:
    resources = many.write_bundle(shell.directory / "many.dpbundle", COUNT)
    assert len(list(resources)) == COUNT
    before = holdings(connect("target-other"))
    command = ("many.dpbundle", "--cloud", "target-other", "--json")
    planned = json.loads(shell.run("downpour-import", "plan", *command).stdout)
    assert planned["counts"] == {"planned": COUNT}
    assert [each["old"] for each in planned["resources"]] == [each.id for each in resources]
    checked = json.loads(shell.run("downpour-import", *command, "--check").stdout)
    assert checked["complete"]
    assert checked["counts"] == {"planned": COUNT}
    assert holdings(connect("target-other")) == before
