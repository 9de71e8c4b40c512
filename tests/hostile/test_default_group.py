"""A bundle that would open the project's own security group, or a target whose group is open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bundle_spec.model import AddressGroup, Resources, SecurityGroup, SecurityGroupRule
from bundle_spec.model.playbook import MappingRules, PlaybookData, Settings
from downpour_import.cloud import TargetCloud
from downpour_import.preflight import Preflight
from downpour_import.recreate import RECREATORS, STEPS, recreate
from downpour_import.session import run_preflight
from tests.unit.fake_cloud import PROJECT
from tests.unit.importer.every_type import Import
from tests.unit.importer.test_reused_group import GROUP_ID, HTTPS, ports
from tests.unit.importer.things import BUNDLE, context, source_id

GROUP = SecurityGroup(id=GROUP_ID, name="default")
WEB = SecurityGroup(id=source_id(97), name="web")
OFFICE = AddressGroup(id=source_id(96), name="office")
OPEN = replace(HTTPS, id="open", protocol=None, port_range_min=None, port_range_max=None)
GETS = "the project's own security group 'default' gets a rule: "
HAS = "the project's own security group 'default' has a rule that the source's had not: "
LEAVE = (
    "security_groups: {default: default} in the mapping leaves the project's own security group "
    "'default' as it is"
)


def rule(**values: Any) -> dict[str, Any]:
    return {"direction": "ingress", "ethertype": "IPv4", "security_group_id": "own", **values}


FRESH = [
    rule(direction="egress"),
    rule(direction="egress", ethertype="IPv6"),
    rule(remote_group_id="own"),
    rule(remote_group_id="own", ethertype="IPv6"),
]
"""What Neutron gives the group ``default`` of a project."""

AS_MADE = (
    SecurityGroupRule(id="1", direction="egress", ether_type="IPv4"),
    SecurityGroupRule(id="2", direction="egress", ether_type="IPv6"),
    SecurityGroupRule(id="3", direction="ingress", ether_type="IPv4", remote_group_id=GROUP_ID),
    SecurityGroupRule(id="4", direction="ingress", ether_type="IPv6", remote_group_id=GROUP_ID),
)
"""The same, of the source."""


def look(
    work: Import, *rules: SecurityGroupRule, mapped: bool = False, groups: Any = ()
) -> Preflight:
    named = any(rule.remote_address_group_id for rule in rules)
    resources = Resources(
        security_groups=(replace(GROUP, rules=rules), *groups),
        address_groups=(OFFICE,) if named else (),
    )
    mapping = MappingRules(security_groups={"default": "default"} if mapped else {})
    settings = Settings(bundle="b.dpbundle", state=str(work.state), mapping=mapping)
    data = PlaybookData(bundle=BUNDLE, resources=resources)
    return run_preflight(settings, data, TargetCloud(work.cloud.connection), (), None)


@pytest.fixture
def work(tmp_path: Any) -> Import:
    work = Import(tmp_path / "none", tmp_path)
    own = {"name": "default", "project_id": PROJECT, "description": "", "tags": []}
    work.cloud.add("/security-groups", id="own", **own)
    for each in FRESH:
        work.cloud.add_rule(each)
    return work


def about_groups(found: Preflight) -> list[str]:
    return [line for line in found.warnings if "security" in line]


def test_rules_that_every_such_group_has_are_no_news(work: Import) -> None:
    assert about_groups(look(work, *AS_MADE)) == []


@pytest.mark.parametrize(
    ("added", "text"),
    [
        (OPEN, "ingress IPv4 any protocol from anywhere"),
        (replace(HTTPS, remote_ip_prefix="0.0.0.0/0"), "ingress IPv4 tcp 443 from 0.0.0.0/0"),
        (replace(HTTPS, port_range_max=444), "ingress IPv4 tcp 443-444 from anywhere"),
        (
            replace(OPEN, protocol="icmp", port_range_min=8, port_range_max=0),
            "ingress IPv4 icmp type 8 code 0 from anywhere",
        ),
        (replace(OPEN, direction="egress", protocol="udp"), "egress IPv4 udp to anywhere"),
        (replace(OPEN, remote_group_id=WEB.id), "ingress IPv4 any protocol from group 'web'"),
        (
            replace(OPEN, remote_address_group_id=OFFICE.id),
            "ingress IPv4 any protocol from address group 'office'",
        ),
    ],
)
def test_each_rule_that_would_be_added_is_told(
    work: Import, added: SecurityGroupRule, text: str
) -> None:
    found = look(work, *AS_MADE, added, groups=(WEB,))
    assert about_groups(found) == [f"{GETS}{text}", LEAVE]
    assert work.cloud.writes == []


def test_a_thousand_rules_are_a_few_lines(work: Import) -> None:
    many = [replace(HTTPS, id=str(n), port_range_min=n, port_range_max=n) for n in range(1, 1001)]
    lines = about_groups(look(work, *AS_MADE, *many))
    assert len(lines) == 22
    assert lines[-2:] == [f"{GETS}980 more", LEAVE]


def test_the_mapping_leaves_the_group_as_it_is(work: Import) -> None:
    found = look(work, *AS_MADE, OPEN, mapped=True)
    assert (about_groups(found), found.faults) == ([], [])
    record = replace(GROUP, rules=(*AS_MADE, OPEN))
    here = context(work.cloud, work.state, found.targets)
    assert recreate(RECREATORS["security_group"], here, record).state == "mapped"
    STEPS["security_group_rules"](here, record)
    assert work.cloud.writes == []
    assert len(ports(work)) == len(FRESH)


def test_a_group_that_lets_in_more_than_the_sources_is_told(work: Import) -> None:
    work.cloud.add("/security-groups", id="jump", name="jump", project_id=PROJECT)
    work.cloud.add_rule(rule(protocol="tcp", port_range_min=22, port_range_max=22))
    work.cloud.add_rule(rule(remote_group_id="jump"))
    # The source's let nothing out.
    assert about_groups(look(work, *AS_MADE[2:])) == [
        f"{HAS}egress IPv4 any protocol to anywhere",
        f"{HAS}egress IPv6 any protocol to anywhere",
        f"{HAS}ingress IPv4 tcp 22 from anywhere",
        f"{HAS}ingress IPv4 any protocol from group 'jump'",
    ]


def test_what_was_added_before_is_no_news(work: Import) -> None:
    record = replace(GROUP, rules=(*AS_MADE, HTTPS))
    here = context(work.cloud, work.state)
    recreate(RECREATORS["security_group"], here, record)
    STEPS["security_group_rules"](here, record)
    assert about_groups(look(work, *record.rules)) == []
