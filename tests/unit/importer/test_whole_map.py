"""The mapping that is proposed as a whole, to be looked at, and rules for many at once."""

from __future__ import annotations

from dataclasses import replace

import yaml

from bundle_spec.model import References
from bundle_spec.model.playbook import MappingRules
from tests.unit.importer.test_preflight import PUBLIC, SMALL, ZONE, check, flavor, net


def test_a_whole_proposal_says_what_would_be_taken_and_why() -> None:
    found = check(
        References(flavors=(SMALL,), networks=(PUBLIC,), availability_zones=(ZONE,)),
        flavors=(flavor("general"),),
        networks=(net("x", "internet", router_external=True, is_default=True),),
        zones={"compute": frozenset({"other"})},
    )
    assert not found.faults
    text = found.proposal(MappingRules(), whole=True)
    assert yaml.safe_load(text) == {
        "flavors": {"m1": "general"},
        "networks": {"public": "internet"},
        "availability_zones": {"z": "drop"},
    }
    assert "# 1 vCPU, 512 MiB RAM, 5 GiB disk" in text
    assert "# the only external network" in text
    assert yaml.safe_load(found.proposal(MappingRules())) is None


def test_a_glob_decides_for_all_that_it_fits_and_a_default_is_never_unused() -> None:
    rules = MappingRules(flavors={"m?": "general"}, networks={"*": "internet"})
    found = check(References(flavors=(SMALL,)), rules=rules, flavors=(flavor("general"),))
    assert found.targets == {SMALL.ref: "id-general"}
    assert found.warnings == []
    found = check(rules=rules)
    assert found.warnings == ["mapping flavors: 'm?' names nothing of what is imported"]


def test_a_zone_that_is_wrong_for_two_services_is_told_with_each() -> None:
    zones = (ZONE, replace(ZONE, id="volume/z", service="volume"))
    rules = MappingRules(availability_zones={"z": "az9"})
    found = check(References(availability_zones=zones), rules=rules)
    assert [fault.where for fault in found.faults] == [
        "mapping availability_zones: 'z' (compute)",
        "mapping availability_zones: 'z' (volume)",
    ]
