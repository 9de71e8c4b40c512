"""Host names: what Nova makes of names, what Neutron takes, and what stands in between."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundle_spec.model import Port, Ref, References, Resources, Server
from bundle_spec.model.playbook import MappingRules
from bundle_spec.model.server import AttachedVolume, Nic
from downpour_import.preflight import Preflight, hostname_ref, preflight
from downpour_import.preflight.hostnames import (
    dns_fault,
    dns_name_ref,
    in_ascii,
    is_taken,
    nova_hostname,
)
from downpour_import.preflight.survey import Survey
from downpour_import.recreate import RECREATORS, differences, recreate
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.things import Target, context, source_id

DNS = frozenset({"dns-integration"})
NIC = Port(id="p", name="p", network_id="n", mac_address="fa:16:3e:00:00:01")


def server(name: str, hostname: str | None = None, number: int = 1) -> Server:
    nics = (Nic(port_id="p"),)
    identity = source_id(number)
    return Server(id=identity, name=name, flavor="m1", hostname=hostname, nics=nics)


def look(
    *servers: Server,
    rules: dict[str, str | None] | None = None,
    compute: str | None = "2.96",
    extensions: frozenset[str] = DNS,
    ports: tuple[Port, ...] = (),
) -> Preflight:
    return preflight(
        References(),
        Resources(servers=servers, ports=ports),
        MappingRules(hostnames=rules or {}),
        Survey(compute=compute, extensions=extensions),
    )


def chosen(found: Preflight) -> list[str | None]:
    return [value for ref, value in found.targets.items() if ref.type == "hostname"]


@pytest.mark.parametrize(
    ("name", "hostname"),
    [
        ("web-1", "web-1"),
        ("Web 1", "web-1"),
        ("a_b.c", "a-b-c"),
        ("datenbank größe", "datenbank-größe"),
        ("-x-", "x"),
        ("日本", ""),
        ("x" * 70, "x" * 63),
        ("a+b", "ab"),
    ],
)
def test_nova_makes_host_names_of_names(name: str, hostname: str) -> None:
    assert nova_hostname(name) == hostname


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("web", True),
        ("Web", True),  # Neutron writes it small
        ("web.example.org", True),
        ("web.example.org.", True),
        ("", True),
        ("größe", False),
        ("-web", False),
        ("a..b", False),
        ("web.1", False),
        ("x" * 64, False),
        (".".join(["x" * 60] * 5), False),
        ("a b", False),
        ("web\n", False),
    ],
)
def test_neutron_takes_dns_names_only(name: str, taken: bool) -> None:
    assert (dns_fault(name) is None) == taken


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("datenbank größe", "datenbank-groesse"),
        ("O\u0308l", "oel"),  # decomposed
        ("Café_No.1", "cafe-no-1"),
        ("Łódź", "lodz"),
        ("日本", ""),
        ("é", ""),  # too short for Nova
        ("ß" * 255, "s" * 63),
    ],
)
def test_what_is_left_in_ascii_is_a_label(text: str, label: str) -> None:
    assert in_ascii(text) == label
    assert dns_fault(label) is None


@pytest.mark.parametrize(
    ("hostname", "versions"),
    [
        ("web", {None, "2.60", "2.90", "2.94"}),
        ("w", {None, "2.60", "2.94"}),
        ("Web", {"2.90", "2.94"}),
        ("web.example.org", {"2.94"}),
        ("größe", {None, "2.60"}),
    ],
)
def test_novas_of_several_ages_take_other_host_names(
    hostname: str, versions: set[str | None]
) -> None:
    assert {each for each in (None, "2.60", "2.90", "2.94") if is_taken(hostname, each)} == versions


def test_a_name_that_neutron_would_refuse_is_replaced_and_told() -> None:
    found = look(server("datenbank größe"))
    assert chosen(found) == ["datenbank-groesse"]
    assert found.taken == [
        "host name of server 'datenbank größe' -> 'datenbank-groesse' "
        "(the target does not take 'datenbank-größe')"
    ]
    assert "datenbank größe: datenbank-groesse" in found.proposal(MappingRules(), whole=True)
    assert found.faults == []


@pytest.mark.parametrize(
    ("name", "hostname", "value"),
    [
        ("日本größe", None, "groesse"),
        ("名前é", None, f"server-{source_id(1)[:8]}"),
        ("x", "größe", "groesse"),
        ("größe", "db1", None),  # its host name is sent, and is a good one
        ("日本", None, None),  # Nova takes the ID
        ("web.1", None, "web-1"),  # an older Nova keeps the dot
    ],
)
def test_the_replacement_is_near_to_what_it_was(
    name: str, hostname: str | None, value: str | None
) -> None:
    assert chosen(look(server(name, hostname))) == ([] if value is None else [value])


def test_without_the_extension_or_a_port_any_name_will_do() -> None:
    assert chosen(look(server("größe"), extensions=frozenset())) == []
    assert chosen(look(replace(server("größe"), nics=()))) == []


def test_the_mapping_decides() -> None:
    rules: dict[str, str | None] = {"größe": "db-1", "x": "y"}
    found = look(server("größe"), rules=rules)
    assert (chosen(found), found.taken, found.faults) == (["db-1"], [], [])
    assert found.warnings == ["mapping hostnames: 'x' names nothing of what is imported"]


@pytest.mark.parametrize(
    ("value", "compute", "problem"),
    [
        ("größe", "2.96", "a label of it is not"),
        ("", "2.96", "it is empty"),
        ("a.b", "2.92", "one label only"),
        ("Web", "2.60", "one label only"),
        ("a.b", "2.96", None),
    ],
)
def test_a_rule_must_give_a_host_name_that_the_target_takes(
    value: str, compute: str, problem: str | None
) -> None:
    found = look(server("x"), rules={"x": value}, compute=compute)
    told = [str(fault) for fault in found.faults]
    if problem is None:
        assert told == []
    else:
        (line,) = told
        assert line.startswith(f"mapping hostnames: 'x': {value!r} cannot be a host name: ")
        assert problem in line


def test_names_without_a_letter_and_equal_ones_are_told() -> None:
    found = look(server("日本"), server("a b", number=2), server("a_b", number=3))
    assert found.warnings == [
        "the target makes host names of new IDs for '日本', as nothing of their names is left in "
        "one; hostnames: in the mapping gives others",
        "one host name 'a-b' for 2 servers: 'a b', 'a_b'",
    ]


def test_a_thousand_equal_host_names_are_a_few_lines() -> None:
    servers = [server(f"{'a' * (number // 2 + 1)}", number=number) for number in range(40)]
    lines = look(*servers).warnings
    assert len(lines) == 6
    assert lines[-1] == "one host name for several servers: 15 more such names"


@pytest.mark.parametrize(
    ("dns_name", "hostname", "lost"),
    [("web", "web", False), ("web", "Web", True), ("front", "web", True), ("", "web", False)],
)
def test_a_port_whose_dns_name_nova_would_refuse_is_made_without(
    dns_name: str, hostname: str, lost: bool
) -> None:
    found = look(server("s", hostname), ports=(replace(NIC, dns_name=dns_name),))
    assert (dns_name_ref("p") in found.targets) == lost
    assert len(found.warnings) == lost


# --- made so ---


class Nova(Target):
    """Makes host names as Nova does, and has the ports of a server refused as Neutron does."""

    def __init__(self, compute: str) -> None:
        super().__init__()
        self.microversions["compute"] = compute
        self.handlers["POST", "/servers"] = self._boot

    def _boot(self, call: Call, match: re.Match[str]) -> Any:
        asked = call.body["server"]
        hostname = asked.get("hostname") or nova_hostname(asked["name"])
        item = self.add("/servers", **asked, status="ACTIVE", accessIPv4="", accessIPv6="")
        item["OS-EXT-SRV-ATTR:hostname"] = hostname
        if dns_fault(hostname):
            item |= {"status": "ERROR", "fault": {"message": "no valid dns_name"}}
        return response(202, {"server": {"id": item["id"]}})


@pytest.mark.parametrize("compute", ["2.96", "2.79"])
def test_a_server_gets_its_host_name_and_keeps_its_own_name(tmp_path: Path, compute: str) -> None:
    cloud = Nova(compute)
    record = replace(server("datenbank größe"), nics=())
    targets: dict[Ref, str | None] = {
        Ref("flavor", "m1"): "f",
        hostname_ref(record.id): "datenbank-groesse",
    }
    here = context(cloud, tmp_path, targets)
    assert recreate(RECREATORS["server"], here, record).state == "made"
    (item,) = cloud.of("/servers").values()
    assert item["name"] == "datenbank größe"
    assert item["OS-EXT-SRV-ATTR:hostname"] == "datenbank-groesse"
    assert differences(here, record) == []
    (post,) = cloud.sent("POST", "/servers")
    assert ("hostname" in post.body["server"]) == (compute == "2.96")


def test_killed_before_it_is_renamed_it_is_renamed_by_the_next_run(tmp_path: Path) -> None:
    cloud = Nova("2.79")
    record = replace(server("größe"), nics=())
    targets: dict[Ref, str | None] = {
        Ref("flavor", "m1"): "f",
        hostname_ref(record.id): "groesse",
    }

    def kill(call: Call) -> None:
        if call.method == "POST":
            raise KeyboardInterrupt

    cloud.after.append(kill)
    with pytest.raises(KeyboardInterrupt):
        recreate(RECREATORS["server"], context(cloud, tmp_path, targets), record)
    cloud.after.clear()
    recreate(RECREATORS["server"], context(cloud, tmp_path, targets), record)
    assert [item["name"] for item in cloud.of("/servers").values()] == ["größe"]


def test_a_port_is_made_without_the_dns_name_that_gives_way(tmp_path: Path) -> None:
    cloud = Target()
    record = replace(NIC, id=source_id(3), dns_name="front")
    cloud.add("/networks", id="T", project_id="other")
    targets: dict[Ref, str | None] = {Ref("network", "n"): "T"}
    recreate(RECREATORS["port"], context(cloud, tmp_path, targets), record)
    (tmp_path / "journal.jsonl").unlink()
    cloud.of("/ports").clear()
    targets[dns_name_ref(record.id)] = None
    recreate(RECREATORS["port"], context(cloud, tmp_path, targets), record)
    assert [call.body["port"].get("dns_name") for call in cloud.sent("POST", "/ports")] == [
        "front",
        None,
    ]


@pytest.mark.parametrize(("compute", "tagged"), [("2.41", False), ("2.42", True)])
def test_a_disk_tag_is_only_sent_to_a_nova_that_knows_it(
    tmp_path: Path, compute: str, tagged: bool
) -> None:
    cloud = Nova(compute)
    disks = (AttachedVolume(volume_id="v", boot_index=0, tag="root"),)
    record = replace(server("s"), nics=(), volumes=disks)
    targets: dict[Ref, str | None] = {Ref("flavor", "m1"): "f", Ref("volume", "v"): "V"}
    recreate(RECREATORS["server"], context(cloud, tmp_path, targets), record)
    (post,) = cloud.sent("POST", "/servers")
    (device,) = post.body["server"]["block_device_mapping_v2"]
    assert ("tag" in device) == tagged
