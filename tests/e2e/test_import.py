"""What an import makes: the same tenant, once, proved through the target's own API."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.devcloud import Devcloud
from tests.e2e.conftest import Exported, Imported, Shell, read_csv
from tests.e2e.disks import differing_at_target
from tests.e2e.holdings import Holdings, holdings
from tests.tenant import MADE, RESOURCES, Tenant


@pytest.fixture(scope="module")
def there(imported: Imported, connect: Any) -> Holdings:
    """What the target holds after the import."""
    return holdings(connect("target"))


def test_every_resource_is_there_once(there: Holdings, imported: Imported) -> None:
    counts = {kind: len(items) for kind, items in there.items()}
    # The project has its own security group "default".
    groups = {"security_groups": MADE["security_groups"] + 1}
    assert counts == {**MADE, **groups, "snapshots": 0}
    assert len(imported.uuids) == RESOURCES


def test_disks_are_the_same_bytes(
    imported: Imported, exported: Exported, made: Tenant, clouds: Devcloud
) -> None:
    source, target = clouds.cloud("source"), clouds.cloud("target")
    uuids = imported.uuids
    assert not differing_at_target(uuids, made, source, target)
    assert not any(target.volume_file(uuids["volume", made.scratch_volume]).read_bytes())


def test_names_are_not_templates(there: Holdings, imported: Imported, made: Tenant) -> None:
    web = there["servers"][imported.uuids["server", made.web]]
    assert web["name"] == "web {{ 7*7 }}"
    assert web["metadata"]["template"] == "{{ lookup('pipe', 'id') }}"


def test_servers_are_as_they_were(there: Holdings, imported: Imported, made: Tenant) -> None:
    uuids = imported.uuids
    servers = {
        name: there["servers"][uuids["server", getattr(made, name)]]
        for name in ("web", "db", "worker")
    }
    assert {name: item["status"] for name, item in servers.items()} == {
        "web": "ACTIVE",
        "db": "SHUTOFF",
        "worker": "ACTIVE",
    }
    assert {name: item["key_name"] for name, item in servers.items()} == {
        "web": "demo-key",
        "db": "ops-key",
        "worker": None,
    }
    attached = {
        name: [each["id"] for each in item["attached_volumes"]] for name, item in servers.items()
    }
    assert attached == {
        "web": [uuids["volume", made.data_volume]],
        "db": [uuids["volume", made.boot_volume]],
        "worker": [],
    }
    assert servers["web"]["metadata"]["role"] == "web"


def test_addresses_and_macs_are_as_they_were(
    there: Holdings, exported: Exported, imported: Imported
) -> None:
    ports = {old: new for (kind, old), new in imported.uuids.items() if kind == "port"}
    assert len(ports) == 3
    for old, new in ports.items():
        was, now = exported.before["ports"][old], there["ports"][new]
        assert [ip["ip_address"] for ip in now["fixed_ips"]] == [
            ip["ip_address"] for ip in was["fixed_ips"]
        ]
        for attribute in ("mac_address", "name", "description", "allowed_address_pairs"):
            assert now[attribute] == was[attribute], attribute
        assert now["security_group_ids"] == [
            imported.uuids["security group", group] for group in was["security_group_ids"]
        ]


def test_rules_are_as_they_were(
    there: Holdings, exported: Exported, imported: Imported, made: Tenant
) -> None:
    def rules(item: Any, names: Any) -> set[tuple[Any, ...]]:
        keys = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max")
        return {
            (*(rule[key] for key in keys), rule["description"], names.get(rule["remote_group_id"]))
            for rule in item["security_group_rules"]
        }

    old = {made.web_group: "web", made.db_group: "db"}
    new = {imported.uuids["security group", group]: name for group, name in old.items()}
    for group in old:
        was = exported.before["security_groups"][group]
        now = there["security_groups"][imported.uuids["security group", group]]
        assert rules(now, new) == rules(was, old)
        assert (now["name"], now["description"]) == (was["name"], was["description"])


def test_networks_and_subnets_are_as_they_were(
    there: Holdings, exported: Exported, imported: Imported
) -> None:
    same = {
        "network": ("name", "description", "mtu", "is_admin_state_up", "is_port_security_enabled"),
        "subnet": (
            "name", "description", "cidr", "ip_version", "gateway_ip", "allocation_pools",
            "host_routes", "dns_nameservers", "is_dhcp_enabled", "ipv6_address_mode",
            "ipv6_ra_mode",
        ),
    }  # fmt: skip
    for (kind, old), new in imported.uuids.items():
        if kind in same:
            was, now = exported.before[f"{kind}s"][old], there[f"{kind}s"][new]
            assert {key: now[key] for key in same[kind]} == {key: was[key] for key in same[kind]}
            marks = [tag for tag in now["tags"] if tag.startswith("dpb-")]
            assert len(marks) == 1
            assert sorted(set(now["tags"]) - set(marks)) == sorted(was["tags"])


def test_router_and_floating_ip_are_as_they_were(
    there: Holdings, exported: Exported, imported: Imported, made: Tenant, connect: Any
) -> None:
    target = connect("target")
    external = target.network.find_network("internet").id
    router = there["routers"][imported.uuids["router", made.router]]
    assert router["external_gateway_info"]["network_id"] == external
    assert router["routes"] == [{"destination": "172.31.0.0/16", "nexthop": "10.20.0.77"}]
    gateways = [
        {
            ip["ip_address"]
            for port in holding["ports"].values()
            if port["device_id"] == router_id
            for ip in port["fixed_ips"]
        }
        for holding, router_id in ((there, router["id"]), (exported.before, made.router))
    ]
    assert gateways[0] == gateways[1]
    assert len(gateways[0]) == 3
    address = there["floating_ips"][imported.uuids["floating ip", made.floating_ip]]
    assert address["fixed_ip_address"] == "10.20.0.50"
    assert address["floating_network_id"] == external
    assert address["description"] == "the web"
    assert address["status"] == "ACTIVE"


def test_volumes_and_images_are_as_they_were(
    there: Holdings, exported: Exported, imported: Imported
) -> None:
    for (kind, old), new in imported.uuids.items():
        if kind == "volume":
            was, now = exported.before["volumes"][old], there["volumes"][new]
            for attribute in ("name", "description", "size", "is_bootable", "status"):
                assert now[attribute] == was[attribute] or (
                    not now[attribute] and not was[attribute]
                ), attribute
            marks = {key for key in now["metadata"] if key.startswith("dpb-")}
            assert {k: v for k, v in now["metadata"].items() if k not in marks} == was["metadata"]
            assert now["volume_type"] == "fast"
        if kind == "image" and old in exported.before["images"]:
            was, now = exported.before["images"][old], there["images"][new]
            for attribute in (
                "name", "disk_format", "container_format", "size", "hash_value", "min_disk",
                "tags", "os_distro", "hw_disk_bus", "visibility",
            ):  # fmt: skip
                assert now[attribute] == was[attribute], attribute


def test_uuids_csv_is_quoted_and_complete(shell: Shell, imported: Imported) -> None:
    path = imported.state / "uuids.csv"
    text = path.read_text()
    assert text.splitlines()[0] == '"Resource Type","Resource Name","Old","New"'
    rows = read_csv(path)
    assert len(rows) == len({tuple(row) for row in rows}) == 24
    assert all(len(row) == 4 for row in rows)
    assert (shell.directory / "copy.csv").read_text() == text


def test_the_same_import_again_makes_nothing_and_says_so(
    shell: Shell, imported: Imported, there: Holdings, connect: Any
) -> None:
    text = (imported.state / "uuids.csv").read_text()
    done = shell.run("downpour-import", "out.dpbundle", "--cloud", "target")
    assert "nothing to make: all 23 resources stand already" in done.stdout
    assert holdings(connect("target")) == there
    assert (imported.state / "uuids.csv").read_text() == text


def test_plan_says_that_all_stands(shell: Shell, imported: Imported) -> None:
    done = shell.run("downpour-import", "plan", "out.dpbundle", "--cloud", "target")
    *lines, last = done.stdout.splitlines()
    assert len(lines) == 23
    assert last.endswith("; nothing was written to the cloud")
    assert all(line.startswith("stands: ") for line in lines)


def test_a_lost_state_directory_makes_nothing_twice(
    shell: Shell, imported: Imported, there: Holdings, connect: Any
) -> None:
    """The markers on the target tell what the journal cannot any more."""
    done = shell.run("downpour-import", "out.dpbundle", "--cloud", "target", "--state", "elsewhere")
    # Keypairs bear no marker: their name and key are all that tells.
    assert "2 reused" in done.stdout
    assert "21 found" in done.stdout
    assert "made" not in done.stdout
    assert holdings(connect("target")) == there
    assert sorted(read_csv(shell.directory / "elsewhere" / "uuids.csv")) == sorted(
        read_csv(imported.state / "uuids.csv")
    )


def test_one_changed_byte_is_refused_before_the_cloud_is_touched(
    shell: Shell, exported: Exported, tmp_path: Path, connect: Any
) -> None:
    there = holdings(connect("target-other"))
    damaged = tmp_path / "damaged.dpbundle"
    shutil.copy(exported.bundle, damaged)
    with damaged.open("r+b") as file:
        file.seek(damaged.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    done = shell.run("downpour-import", str(damaged), "--cloud", "target-other", check=False)
    assert done.returncode == 4
    assert "disks/" in done.stderr
    assert holdings(connect("target-other")) == there
    done = shell.run("downpour-import", "verify", str(damaged), check=False)
    assert done.returncode == 4


def test_the_project_that_it_came_from_is_refused(
    shell: Shell, exported: Exported, connect: Any
) -> None:
    """OS_CLOUD of the export, still set."""
    before = holdings(connect("source"))
    for command in (("plan",), ()):
        done = shell.run(
            "downpour-import", *command, "out.dpbundle", "--state", "back",
            check=False, OS_CLOUD="source",
        )  # fmt: skip
        assert done.returncode == 8
        assert "this is the project that the bundle came from" in done.stderr
        assert "--same-project" in done.stderr
    assert holdings(connect("source")) == before
    assert not (shell.directory / "back").exists()
    plan = ("downpour-import", "plan", "out.dpbundle", "--state", "back", "--same-project")
    assert "nothing was written to the cloud" in shell.run(*plan, OS_CLOUD="source").stdout
