"""What the target is asked for, and how often."""

from __future__ import annotations

import pytest

from bundle_spec.model import (
    AvailabilityZoneReference,
    FlavorReference,
    ImageReference,
    References,
    Resources,
    VolumeTypeReference,
)
from downpour_import.cloud import TargetCloud
from downpour_import.preflight.survey import Survey, survey
from tests.unit.fake_cloud import PROJECT, Call, FakeCloud, response

ALL = References(
    flavors=(FlavorReference(id="m1", name="m1", vcpus=1, ram=1, disk=1),),
    images=(ImageReference(id="i", name="i"),),
    volume_types=(VolumeTypeReference(id="ssd", name="ssd"),),
    availability_zones=(
        AvailabilityZoneReference(id="compute/nova", name="nova", service="compute"),
    ),
)


@pytest.fixture
def fake() -> FakeCloud:
    fake = FakeCloud()
    zones = [
        {"zoneName": name, "zoneState": {"available": up}}
        for name, up in (("zone-a", True), ("zone-b", False))
    ]
    fake.handlers["GET", "/os-availability-zone"] = lambda call, match: response(
        200, {"availabilityZoneInfo": zones}
    )
    fake.handlers["GET", "/types/default"] = lambda call, match: response(
        200, {"volume_type": {"name": "fast"}}
    )
    for name in ("fast", "__DEFAULT__"):
        fake.add("/types", id=name, name=name)
    for name, project, shared, external in (
        ("own", PROJECT, False, False),
        ("office", "them", True, False),
        ("private", "them", False, False),
        ("out", "them", False, True),
    ):
        flags = {"shared": shared, "router:external": external}
        fake.add("/networks", id=name, project_id=project, **flags)
    for network, project in (("own", PROJECT), ("office", "them"), ("private", "them")):
        fake.add("/subnets", id=f"of-{network}", network_id=network, project_id=project)
    fake.add("/images", id="theirs", owner="them", status="active")
    fake.add("/images", id="ours", owner=PROJECT, status="active")
    fake.add("/images", id="late", owner=PROJECT, status="queued")
    return fake


def look(fake: FakeCloud, references: References) -> Survey:
    return survey(TargetCloud(fake.connection), references, Resources())


def test_it_sees_what_a_tenant_can_use_and_nothing_else(fake: FakeCloud) -> None:
    found = look(fake, ALL)
    assert {each["id"] for each in found.networks} == {"own", "office", "out"}
    assert {each["id"] for each in found.subnets} == {"of-own", "of-office"}
    assert [each["id"] for each in found.images] == ["ours", "theirs"]
    assert found.volume_types == ("fast",)
    assert found.default_volume_type == "fast"
    assert found.zones == {"compute": frozenset({"zone-a"})}


def test_it_asks_only_for_what_the_bundle_can_need(fake: FakeCloud) -> None:
    look(fake, References())
    assert {call.path for call in fake.calls} == {"/networks", "/subnets"}


def test_the_number_of_calls_does_not_grow_with_the_projects_networks(fake: FakeCloud) -> None:
    look(fake, ALL)
    before = len(fake.calls)
    for number in range(50):
        fake.add("/networks", id=f"n{number}", project_id=PROJECT, shared=False)
    fake.calls.clear()
    look(fake, ALL)
    assert len(fake.calls) == before


def test_nothing_is_written(fake: FakeCloud) -> None:
    def refuse(call: Call) -> None:
        assert call.method == "GET"

    fake.before.append(refuse)
    look(fake, ALL)
