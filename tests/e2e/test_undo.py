"""Before and after a run: room that is not there, part of a bundle, and all of it taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Exported, Shell, read_csv
from tests.e2e.holdings import holdings
from tests.tenant import Tenant

STATE = "out.target-other"


@pytest.fixture
def cramped(connect: Any) -> Iterator[None]:
    """A project whose quotas have room for nothing more, whatever other tests left in it."""
    admin, target = connect("target-admin"), connect("target-other")
    project = target.current_project_id
    # Neutron takes no limit below what is used; Nova only when it is forced.
    used = {
        "port": len(list(target.network.ports(project_id=project))),
        "router": len(list(target.network.routers(project_id=project))),
    }
    try:
        admin.set_compute_quotas(project, instances=0, cores=0, force=True)
        admin.set_volume_quotas(project, gigabytes=1)
        admin.set_network_quotas(project, **used)
        yield
    finally:
        admin.delete_compute_quotas(project)
        admin.delete_volume_quotas(project)
        admin.delete_network_quotas(project)


def test_every_quota_without_room_is_told_before_anything_is_made(
    shell: Shell, exported: Exported, cramped: None, connect: Any
) -> None:
    before = holdings(connect("target-other"))
    done = shell.run(
        "downpour-import", "out.dpbundle", "--cloud", "target-other", "--json", check=False
    )
    assert done.returncode == 8
    report = json.loads(done.stdout)
    assert not report["complete"]
    told = {fault["where"] for fault in report["faults"]}
    assert told == {
        "quota of servers",
        "quota of vCPUs",
        "quota of GiB of volumes",
        "quota of ports",
        "quota of routers",
    }
    for where in told:
        assert where in done.stderr
    assert holdings(connect("target-other")) == before


def test_a_part_is_planned_with_what_belongs_to_it(
    shell: Shell, exported: Exported, made: Tenant
) -> None:
    plan = ("downpour-import", "plan", "out.dpbundle", "--cloud", "target-other", "--json")
    done = shell.run(*plan, "--only", "server/worker")
    resources = json.loads(done.stdout)["resources"]
    kinds = sorted(each["type"] for each in resources)
    assert [each["old"] for each in resources if each["type"] == "server"] == [made.worker]
    assert "image" not in kinds
    assert "volume" not in kinds
    assert {"network", "subnet", "router", "port", "security_group"} <= set(kinds)
    done = shell.run(*plan, "--only", "server/wroker", check=False)
    assert done.returncode == 2
    assert "it has 'worker'" in done.stderr


def test_the_whole_mapping_is_written_to_be_looked_at(shell: Shell, exported: Exported) -> None:
    plan = ("downpour-import", "plan", "out.dpbundle", "--cloud", "target-other")
    shell.run(*plan, "--write-map", "whole.yml")
    text = (shell.directory / "whole.yml").read_text()
    rules = yaml.safe_load(text)
    assert rules["flavors"]
    assert rules["networks"]
    assert "GiB disk" in text
    assert "the only external network" in text
    done = shell.run(*plan, "--write-map", "whole.yml", check=False)
    assert (done.returncode, "exists already" in done.stderr) == (12, True)
    again = shell.run(*plan, "--map", "whole.yml")
    assert "make: server" in again.stdout
    assert "taken: flavor" not in again.stderr


def test_all_is_made_without_starting_and_taken_back(
    shell: Shell, exported: Exported, connect: Any
) -> None:
    target = connect("target-other")
    before = holdings(target)
    # What can stand long before: and DHCP stays off, for ports are still to come.
    command = ("downpour-import", "out.dpbundle", "--cloud", "target-other")
    done = shell.run(*command, "--tags", "networks,subnets")
    assert "every resource of networks, subnets is as the manifest says" in done.stdout
    rows = read_csv(shell.directory / STATE / "uuids.csv")[1:]
    assert {row[0] for row in rows} == {"network", "subnet"}
    subnets = [target.network.get_subnet(row[3]) for row in rows if row[0] == "subnet"]
    assert {each.is_dhcp_enabled for each in subnets if each.ip_version == 4} == {False}
    done = shell.run(
        "downpour-import", "out.dpbundle", "--cloud", "target-other",
        "--no-start", "--keep-images", "--jobs", "3", "--json",
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report == json.loads((shell.directory / STATE / "report.json").read_text())
    assert report["complete"]
    assert report["bytes"] > 0
    assert report["seconds"] > 0
    rows = read_csv(shell.directory / STATE / "uuids.csv")[1:]
    new = {each["old"]: each["new"] for each in report["resources"] if each["state"] != "mapped"}
    assert {row[2]: row[3] for row in rows} == new
    servers = [new[each["old"]] for each in report["resources"] if each["type"] == "server"]
    assert {target.compute.get_server(each).status for each in servers} == {"SHUTOFF"}
    names = {image.name for image in target.image.images(owner=target.current_project_id)}
    assert any(name.endswith("(contents)") for name in names)

    undo = ("downpour-import", "undo", "out.dpbundle", "--cloud", "target-other")
    asked = shell.run(*undo, check=False)
    assert (asked.returncode, "add --yes" in asked.stderr) == (2, True)
    assert f"delete  server  {servers[0]}" in asked.stdout
    assert target.compute.get_server(servers[0])
    gone = shell.run(*undo, "--yes")
    assert gone.stdout.endswith("deleted\n")
    assert holdings(target) == before
    assert read_csv(shell.directory / STATE / "uuids.csv")[1:] == []
    assert "nothing that this import made is left" in shell.run(*undo, "--yes").stdout
