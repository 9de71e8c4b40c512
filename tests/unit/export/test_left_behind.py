"""What of a project stays behind: ``query --all`` takes what can go, and the rest is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bundle_spec.model import FloatingIp, SecurityGroup, SecurityGroupRule
from downpour_cloud import CloudOptions
from downpour_export import cli
from downpour_export.cloud import SourceCloud
from downpour_export.discover.left_behind import (
    KINDS,
    MAX_UNKNOWN,
    PAGE,
    Elsewhere,
    Thing,
    look_elsewhere,
)
from downpour_export.errors import PlanFaults
from downpour_export.pipeline import Asked, look_for, plan_export
from downpour_export.plan import Plan, make_plan
from downpour_export.plan.left_behind import MAX_OF_A_TYPE, LeftBehind, left_behind
from downpour_export.plan.loose import loose
from downpour_export.plan.view import as_json, as_text, left_behind_lines
from downpour_export.resource_file import load
from downpour_export.resource_file.query import Query
from tests.unit.export.project_of_everything import default_rules, everything
from tests.unit.export.things import image, inventory, volume, wanted
from tests.unit.fake_cloud import PROJECT, FakeCloud, response

OPTIONS = CloudOptions(cloud="source")


def query_all(fake: FakeCloud, path: Path, *, save_state: bool = True) -> Asked:
    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    return look_for(Query(everything=True), path, OPTIONS, save_state=save_state, connect=connect)


def plan_of(fake: FakeCloud, path: Path) -> Plan:
    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    return plan_export(path, OPTIONS, connect=connect)[0]


def ids(left: LeftBehind | None) -> set[tuple[str, str]]:
    assert left is not None
    return {(thing.type, thing.id) for thing in left.things}


NOT_TO_CARRY = {
    ("image", "queued"),
    ("volume_snapshot", "broken-snapshot"),
    ("port", "vip"),
    ("load_balancer", "front"),
    ("secret", "s1"),
    ("object_container", "photos"),
    ("qos_policy", "slow"),
    ("volume_backup", "backup"),
}


def test_all_takes_what_can_go_and_names_the_rest(tmp_path: Path) -> None:
    fake, path = everything(), tmp_path / "export.yml"
    asked = query_all(fake, path)
    file = load(path)
    named = {
        section: [item.name for item in getattr(file, section)]
        for section in ("networks", "routers", "security_groups", "address_groups", "server_groups",
                        "floating_ips", "trunks", "ports", "volume_snapshots", "volumes")
    }  # fmt: skip
    assert named == {
        "networks": ["spare-net"],
        "routers": ["spare-router"],
        "security_groups": ["spare-rules"],
        "address_groups": ["spare-addresses"],
        "server_groups": ["spare-group"],
        "floating_ips": ["192.0.2.2"],
        "trunks": ["spare-trunk"],
        "ports": ["spare-port"],
        "volume_snapshots": ["spare-snapshot"],
        "volumes": ["spare-data"],
    }
    assert ids(asked.left) == NOT_TO_CARRY

    plan = plan_of(fake, path)
    assert plan.left_behind == asked.left
    assert {record.id for record in plan.resources} >= {
        "web", "web-net", "web-net-v4", "web-router", "web-rules", "web-port", "web-group",
        "web-data", "192.0.2.1", "spare-net", "spare-net-v4", "spare-parent", "spare-child",
    }  # fmt: skip
    assert fake.writes == []


def test_all_twice_adds_nothing(tmp_path: Path) -> None:
    fake, path = everything(), tmp_path / "export.yml"
    query_all(fake, path)
    once = path.read_text()
    assert query_all(fake, path).added == ()
    assert path.read_text() == once


def test_without_contents_a_snapshot_stays_behind(tmp_path: Path) -> None:
    asked = query_all(everything(), tmp_path / "export.yml", save_state=False)
    assert ids(asked.left) == {*NOT_TO_CARRY, ("volume_snapshot", "spare-snapshot")}


def test_a_part_of_a_project_leaves_the_rest_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    path.write_text("networks: [{name: spare-net}]\n")
    left = plan_of(everything(), path).left_behind
    assert {("server", "web"), ("network", "web-net"), ("floating_ip", "192.0.2.2")} <= ids(left)
    # Parts of a server and of a trunk, of routers and of DHCP.
    assert {identity for kind, identity in ids(left) if kind == "port"} == {
        "spare-port", "spare-parent", "vip",
    }  # fmt: skip
    assert not any(kind == "subnet" for kind, _ in ids(left))
    assert ("security_group", "own") not in ids(left)


def test_each_thing_says_why_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    path.write_text("networks: [{name: spare-net}]\n")
    plan = plan_of(everything(), path)
    why = {(thing.type, thing.id): thing.reason for thing in plan.left_behind.things}
    assert why["network", "web-net"] == "not in the resource file"
    assert why["image", "queued"] == "it is queued, not active"
    assert why["volume_snapshot", "broken-snapshot"] == "it is error, not available"
    assert why["port", "vip"] == "it is of Octavia, which is not carried"
    assert why["load_balancer", "front"] == "downpour does not carry any"


def test_the_manifest_counts_what_stays_and_names_nothing(tmp_path: Path) -> None:
    query_all(everything(), tmp_path / "export.yml")
    told = [*plan_of(everything(), tmp_path / "export.yml").left_behind.omissions()]
    assert all((each.id, each.name, each.attribute) == ("", "", None) for each in told)
    assert {each.type: each.reason for each in told} == {
        "image": "1 of the project: it is queued, not active",
        "volume_snapshot": "1 of the project: it is error, not available",
        "port": "1 of the project: it is of Octavia, which is not carried",
        "load_balancer": "1 of the project: downpour does not carry any",
        "secret": "1 of the project: downpour does not carry any",
        "object_container": "1 of the project: downpour does not carry any",
        "qos_policy": "1 of the project: downpour does not carry any",
        "volume_backup": "1 of the project: downpour does not carry any",
        "rating": "downpour does not know this service of the source",
    }


# --- the project's own group ---


def own_group(*more: SecurityGroupRule) -> SecurityGroup:
    rules = tuple(
        SecurityGroupRule(
            id=rule["id"],
            direction=rule["direction"],
            ether_type=rule["ethertype"],
            remote_group_id=rule.get("remote_group_id"),
        )
        for rule in default_rules("own")
    )
    return SecurityGroup(id="own", name="default", rules=(*rules, *more))


SSH = SecurityGroupRule(
    id="ssh", direction="ingress", ether_type="IPv4", protocol="tcp", port_range_min=22
)


@pytest.mark.parametrize(
    ("group", "taken"),
    [
        (own_group(), False),
        (own_group(SSH), True),
        (replace(own_group(), rules=own_group().rules[1:]), True),
        (replace(own_group(), name="other"), True),
    ],
)
def test_the_default_group_is_taken_where_somebody_changed_it(
    group: SecurityGroup, taken: bool
) -> None:
    found = inventory(security_groups={"own": group})
    chosen = loose(found, [], save_state=True)["security_groups"]
    assert chosen == ([group] if taken else [])
    left = left_behind(found, make_plan(wanted("keypairs: []\n"), found).reached, Elsewhere())
    assert (("security_group", "own") in ids(left)) == taken


# --- in the plan ---


def test_an_image_without_bytes_and_a_snapshot_of_an_encrypted_volume_say_so() -> None:
    found = inventory(
        images={"i": replace(image("i"), volume_backed=True)},
        volumes={"v": volume("v", encrypted=True)},
    )
    left = left_behind(found, make_plan(wanted("keypairs: []\n"), found).reached, Elsewhere())
    reasons = {thing.id: thing.reason for thing in left.things}
    assert reasons["i"] == "it holds no bytes, but names snapshots of volumes"


def test_a_snapshot_that_is_named_and_broken_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    path.write_text("volume_snapshots: [{name: broken-snapshot}]\n")
    with pytest.raises(PlanFaults, match="broken-snapshot"):
        plan_of(everything(), path)


def test_ports_of_routers_and_of_dhcp_cannot_be_named(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    path.write_text("ports: [{name: interface}, {id: web-net-dhcp}]\n")
    with pytest.raises(PlanFaults) as caught:
        plan_of(everything(), path)
    assert str(caught.value).count("no port of this project") == 2


def test_the_section_is_bounded_and_the_rest_is_counted() -> None:
    addresses = {
        f"f{number}": FloatingIp(
            id=f"f{number}", name=f"192.0.2.{number}", floating_network_id="n-ext"
        )
        for number in range(42)
    }
    found = inventory(floating_ips=addresses)
    plan = make_plan(wanted("keypairs: [{name: k}]\n"), found)
    elsewhere = Elsewhere(
        things=tuple(Thing("secret", f"s{number}", "") for number in range(100)),
        more=frozenset({"secret"}),
        not_asked={"share": "it answers 503"},
        unknown=("rating", "\x1b[31m"),
    )
    plan = replace(plan, left_behind=left_behind(found, plan.reached, elsewhere))
    text = as_text(plan, found.room, 20)
    assert (
        "  floating ip '192.0.2.0' (f0), '192.0.2.1' (f1), '192.0.2.2' (f2), '192.0.2.3' (f3), "
        "'192.0.2.4' (f4) and 37 more: not in the resource file\n" in text
    )
    assert (
        "  secret s0, s1, s2, s3, s4 and at least 95 more: downpour does not carry any\n"
        "  share: could not be asked: it answers 503\n"
        "  the catalog has 'rating', '\\x1b[31m', which downpour does not know" in text
    )
    value = json.loads(json.dumps(as_json(plan, found.room)))["left_behind"]
    assert sum(thing["type"] == "floating_ip" for thing in value["resources"]) == 42
    assert value["more"] == ["secret"]
    assert value["not_asked"] == {"share": "it answers 503"}
    assert value["unknown_services"] == ["rating", "\x1b[31m"]
    document = (Path(__file__).parents[3] / "docs" / "reference" / "plan.md").read_text()
    assert all(f"`{key}`" in document for key in value)


def test_of_a_type_no_more_than_the_bound_is_named() -> None:
    many = {
        f"f{number}": FloatingIp(id=f"f{number}", name="", floating_network_id="n-ext")
        for number in range(MAX_OF_A_TYPE + 7)
    }
    found = inventory(floating_ips=many)
    left = left_behind(found, make_plan(wanted("keypairs: []\n"), found).reached, Elsewhere())
    assert sum(thing.type == "floating_ip" for thing in left.things) == MAX_OF_A_TYPE
    assert left.more == {"floating_ip"}
    (told,) = [each for each in left.omissions() if each.type == "floating_ip"]
    assert told.reason == "at least 1000 of the project: not in the resource file"


def test_where_nothing_stays_it_says_so() -> None:
    assert left_behind_lines(LeftBehind()) == ["", "left behind in this project:", "  nothing"]


@pytest.mark.parametrize("command", ["plan", "query"])
def test_both_commands_print_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    fake, path = everything(), tmp_path / "export.yml"
    path.write_text("keypairs: [{name: key}]\n")

    def connect(options: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    monkeypatch.setattr(cli, "connect", connect)
    assert cli.main([command, *(["--all"] if command == "query" else []), str(path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "left behind in this project:" in told
    assert "load balancer 'front' (front)" not in told  # a name that is the ID stands once
    assert "load balancer front: downpour does not carry any" in told
    assert "the catalog has 'rating', which downpour does not know" in told


# --- asking ---


def test_the_number_of_calls_is_that_of_the_types(tmp_path: Path) -> None:
    fake = everything()
    look_elsewhere(SourceCloud(fake.connection), frozenset(fake.extensions))
    few = [str(call) for call in fake.calls]
    many = [{"id": f"b{number}", "name": "", "project_id": PROJECT} for number in range(99)]
    for item in many:
        fake.add("/backups", **item)
    fake.calls.clear()
    look_elsewhere(SourceCloud(fake.connection), frozenset(fake.extensions))
    assert sorted(map(str, fake.calls)) == sorted(few)
    assert len(few) == len(set(few)) <= len(KINDS)
    assert all(call.method == "GET" and call.params["limit"] == PAGE for call in fake.calls)


def test_what_is_not_in_the_catalog_is_not_asked_for() -> None:
    fake = FakeCloud()
    fake.microversions["block_storage"] = "3.0"
    found = look_elsewhere(SourceCloud(fake.connection), frozenset())
    assert [call.path for call in fake.calls] == ["/backups"]
    assert found == Elsewhere()


def test_an_admins_token_asks_for_its_project_only() -> None:
    fake = everything()
    found = look_elsewhere(SourceCloud(fake.connection), frozenset(fake.extensions))
    (balancers,) = fake.sent("GET", "/v2/lbaas")
    (policies,) = fake.sent("GET", "/qos/policies")
    assert balancers.params["project_id"] == policies.params["project_id"] == PROJECT
    assert [thing.id for thing in found.things if thing.type == "qos_policy"] == ["slow"]


def test_groups_of_volumes_are_asked_for_with_their_microversion() -> None:
    fake = FakeCloud()
    look_elsewhere(SourceCloud(fake.connection), frozenset())
    (call,) = fake.sent("GET", "/group_snapshots")
    assert call.headers["OpenStack-API-Version"] == "volume 3.14"


@pytest.mark.parametrize(
    "links",
    [
        {"next": "http://cloud/2"},
        {"links": {"next": "http://cloud/2"}},
        {"zones_links": [{"rel": "next", "href": "http://cloud/2"}]},
        {"links": [{"rel": "self"}, {"rel": "next"}]},
    ],
)
def test_a_second_page_is_not_read_but_told(links: dict[str, object]) -> None:
    fake = FakeCloud()
    zone = {"id": "z", "name": "example.org.", "project_id": PROJECT}
    fake.offer("dns", "/v2/zones", {"zones": [zone], **links})
    found = look_elsewhere(SourceCloud(fake.connection), frozenset())
    assert found.things == (Thing("dns_zone", "z", "example.org."),)
    assert found.more == {"dns_zone"}
    assert len(fake.sent("GET", "/v2/zones")) == 1


def test_a_service_is_known_by_each_of_its_names() -> None:
    fake = FakeCloud()
    fake.offer("sharev2", "/v2/shares", {})
    fake.offer("container-infra", "/v1/clusters", {})
    fake.offer("volumev3", "/x", {})
    found = look_elsewhere(SourceCloud(fake.connection), frozenset())
    assert found.unknown == ()
    assert {"share", "cluster"} <= set(found.not_asked)


def test_a_service_of_another_region_is_not_asked() -> None:
    fake = FakeCloud()
    fake.catalog.append({"type": "dns", "endpoints": [{"region": "elsewhere"}]})
    fake.catalog.append({"type": "rating", "endpoints": []})
    assert look_elsewhere(SourceCloud(fake.connection), frozenset()) == Elsewhere()


def test_services_that_nobody_knows_are_bounded_too() -> None:
    fake = FakeCloud()
    for number in range(MAX_UNKNOWN + 10):
        fake.offer(f"service-{number:03}" + "x" * 1000, "/x", {})
    found = look_elsewhere(SourceCloud(fake.connection), frozenset())
    assert len(found.unknown) == MAX_UNKNOWN
    assert max(map(len, found.unknown)) == 255


def test_a_refusal_says_why_nobody_knows() -> None:
    fake = FakeCloud()
    fake.offer("dns", "/v2/zones", response(403))
    found = look_elsewhere(SourceCloud(fake.connection), frozenset())
    assert found.not_asked == {"dns_zone": "it answers 403: the roles of this user do not allow it"}
