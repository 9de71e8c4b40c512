"""An export that is more than one bundle holds is told before anything is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundle_spec.form.layout import MAX_MANIFEST_LINES, MAX_MANIFEST_SIZE
from bundle_spec.model import Keypair
from downpour_export.errors import PlanFaults
from downpour_export.plan import Plan, make_plan
from downpour_export.plan.room import room_faults
from tests.unit.export.things import inventory, wanted

PLAN = make_plan(wanted("servers: [{name: web}]\n"), inventory())


def told(plan: Plan) -> list[str]:
    return [str(fault) for fault in room_faults(plan)]


def keys(count: int, public_key: str = "") -> Plan:
    made = tuple(
        Keypair(id=f"k{number}", name=f"k{number}", public_key=public_key)
        for number in range(count)
    )
    return replace(PLAN, resources=replace(PLAN.resources, keypairs=made))


def test_what_a_bundle_holds_is_no_fault() -> None:
    assert told(PLAN) == []


def test_too_many_records_are_told() -> None:
    (fault,) = told(keys(MAX_MANIFEST_LINES // 5))
    assert "lines" in fault


def test_too_many_bytes_of_records_are_told() -> None:
    (fault,) = told(keys(1, "x" * MAX_MANIFEST_SIZE))
    assert "two bundles" in fault


def test_too_many_disks_are_told() -> None:
    (fault,) = told(replace(PLAN, captures=PLAN.captures * 5_000))
    assert "10,000 disks (at most 9,999)" in fault


def test_too_many_chunks_are_told() -> None:
    volume = replace(PLAN.captures[1], size=2**40)
    assert told(replace(PLAN, captures=(volume,) * 64)) == []
    (fault,) = told(replace(PLAN, captures=(volume,) * 65))
    assert "65.0 TiB" in fault


def test_a_plan_without_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundle_spec.form.layout.MAX_DISKS", 1)
    with pytest.raises(PlanFaults, match="no room"):
        make_plan(wanted("servers: [{name: web}]\n"), inventory())
