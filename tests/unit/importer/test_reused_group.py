"""The group ``default`` stands in every project: what an import adds to it can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundle_spec.model import Resources, SecurityGroup, SecurityGroupRule
from bundle_spec.progress import NULL
from downpour_import import undo
from downpour_import.recreate.security_group_rule import AddedRule
from tests.unit.fake_cloud import PROJECT
from tests.unit.importer.every_type import Import, writes
from tests.unit.importer.things import source_id

GROUP_ID = source_id(98)
HTTPS = SecurityGroupRule(
    id="https",
    direction="ingress",
    ether_type="IPv4",
    protocol="tcp",
    port_range_min=443,
    port_range_max=443,
)
SSH = replace(HTTPS, id="ssh", port_range_min=22, port_range_max=22)
AMONG_US = SecurityGroupRule(
    id="us", direction="ingress", ether_type="IPv6", remote_group_id=GROUP_ID
)
RULES = (HTTPS, SSH, AMONG_US)


def add_default_group(work: Import) -> None:
    """Let the target have the group, with a rule of its own, and the bundle too, with others."""
    own = {"name": "default", "project_id": PROJECT, "description": "", "tags": []}
    work.cloud.add("/security-groups", id="own", **own)
    work.cloud.add_rule({"security_group_id": "own", "direction": "egress", "ethertype": "IPv6"})
    default = SecurityGroup(id=GROUP_ID, name="default", rules=RULES)
    groups = (*work.resources.security_groups, default)
    work.resources = replace(Resources(), security_groups=groups)


def ports(work: Import) -> list[int | None]:
    """What tells the rules of the target's default group apart."""
    rules = work.cloud.of("/security-groups")["own"]["security_group_rules"]
    return [rule.get("port_range_min") for rule in rules]


def test_undo_takes_back_what_was_added(work: Import) -> None:
    add_default_group(work)
    work.run()
    assert ports(work) == [None, 443, 22, None]
    here, things = work.find()
    names = [thing.record.name for thing in things if isinstance(thing.record, AddedRule)]
    assert names == [
        "default: ingress IPv6",
        "default: ingress IPv4 tcp 22 22",
        "default: ingress IPv4 tcp 443 443",
    ]
    undo.undo(here, things, NULL)
    assert ports(work) == [None]


def test_a_second_run_adds_only_what_is_gone(work: Import) -> None:
    add_default_group(work)
    work.run()
    before = len(work.cloud.writes)
    work.run()
    assert len(work.cloud.writes) == before
    undo.undo(*work.find(), NULL)
    work.run()
    assert ports(work) == [None, 443, 22, None]
    assert work.differences() == []


def test_undo_leaves_a_rule_that_stood(work: Import) -> None:
    add_default_group(work)
    stood: dict[str, str | int] = {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}
    stood |= {"port_range_min": 22, "port_range_max": 22}
    work.cloud.add_rule({"security_group_id": "own", **stood})
    work.run()
    assert ports(work) == [None, 22, 443, None]
    undo.undo(*work.find(), NULL)
    assert ports(work) == [None, 22]


def test_what_is_forgotten_stays(work: Import) -> None:
    add_default_group(work)
    work.run()
    undo.forget(*work.find(), NULL)
    undo.undo(*work.find(), NULL)
    assert ports(work) == [None, 443, 22, None]


def test_killed_at_any_request_nothing_is_added_twice_and_all_is_undone(
    everything: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    number, done = 1, False
    while not done:
        work = Import(everything, tmp_path_factory.mktemp("state"))
        add_default_group(work)
        with work.killed(writes(number)):
            work.run()
        done = len(work.cloud.writes) < number
        for _ in range(2):
            with work.killed(writes(number)):
                undo.undo(*work.find(), NULL)
        undo.undo(*work.find(), NULL)
        assert ports(work) == [None], number
        with work.killed(writes(number)):
            work.run()
        work.run()
        assert sorted(map(str, ports(work))) == ["22", "443", "None", "None"], number
        number += 1
    assert number > len(RULES)
