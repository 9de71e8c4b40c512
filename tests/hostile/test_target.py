"""A target where other projects lay out what an import might take for its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec.model import (
    ImageReference,
    NetworkReference,
    QosPolicyReference,
    References,
    Resources,
    Router,
    SecurityGroup,
    Volume,
)
from bundle_spec.model.playbook import MappingRules
from bundle_spec.model.router import RouterInterface
from bundle_spec.progress import NULL
from downpour_import import undo
from downpour_import.cloud import TargetCloud
from downpour_import.preflight import Preflight, preflight
from downpour_import.preflight.survey import survey
from downpour_import.recreate import RECREATORS, recreate
from downpour_import.recreate.image import disk_ref
from tests.unit.fake_cloud import PROJECT, Call, FakeCloud, response
from tests.unit.importer.every_type import Import, write_bundle
from tests.unit.importer.things import NET, SUBNET, Target, context, source_id

PUBLIC = NetworkReference(id="n1", name="public", external=True)
UBUNTU = ImageReference(id="i1", name="ubuntu", hash_algo="sha512", hash_value="aa")
GOLD = QosPolicyReference(id="q1", name="gold")


def look(fake: FakeCloud, references: References) -> Preflight:
    target = survey(TargetCloud(fake.connection), references, Resources())
    return preflight(references, Resources(), MappingRules(), target)


def external(fake: FakeCloud, name: str, project: str, **more: Any) -> None:
    flags = {"router:external": True, "shared": False, **more}
    fake.add("/networks", id=f"of-{project}", name=name, project_id=project, **flags)


def publish(fake: FakeCloud, owner: str) -> None:
    fake.add("/images", owner=owner, visibility="public", status="active", name="x", size=1)


# --- networks that another project has opened to this one ---


@pytest.mark.parametrize("name", ["public", "internet"])
def test_the_only_external_network_may_be_another_tenants_and_is_asked_for(name: str) -> None:
    fake = FakeCloud()
    external(fake, name, "tenant")
    publish(fake, "operator")
    found = look(fake, References(networks=(PUBLIC,)))
    assert found.targets == {}
    (fault,) = found.faults
    assert "nothing shows that it is the operator's" in fault.message
    assert yaml.safe_load(found.proposal(MappingRules())) == {"networks": {"public": name}}


@pytest.mark.parametrize("is_default", [False, True])
def test_the_only_one_is_taken_if_its_owner_does_what_only_an_operator_can(
    is_default: bool,
) -> None:
    fake = FakeCloud()
    external(fake, "internet", "operator", is_default=is_default)
    if not is_default:
        publish(fake, "operator")
    found = look(fake, References(networks=(PUBLIC,)))
    assert found.taken == ["network 'public' -> 'internet' (the only external network)"]


@pytest.mark.parametrize("visibility", ["community", "shared", "private"])
def test_an_image_that_any_project_can_show_makes_no_operator(visibility: str) -> None:
    fake = FakeCloud()
    external(fake, "public", "tenant")
    fake.add("/images", owner="tenant", visibility=visibility, status="active")
    # Also where the service knows no such filters.
    images = list(fake.of("/images").values())
    fake.handlers["GET", "/images"] = lambda call, match: response(200, {"images": images})
    assert look(fake, References(networks=(PUBLIC,))).targets == {}


def test_beside_the_operators_network_one_of_the_sources_name_is_not_taken() -> None:
    fake = FakeCloud()
    external(fake, "internet", "operator", is_default=True)
    external(fake, "public", "tenant")
    publish(fake, "operator")
    found = look(fake, References(networks=(PUBLIC,)))
    assert found.targets == {}
    text = found.proposal(MappingRules())
    for candidate in ("of-operator", "of-tenant"):
        assert candidate in text


# --- images and policies of another project ---


@pytest.mark.parametrize(
    ("visibility", "owner", "taken"),
    [
        ("public", "operator", True),
        ("private", PROJECT, True),
        ("shared", PROJECT, True),
        ("shared", "tenant", False),
        ("community", "tenant", False),
        ("private", "tenant", False),  # an administrator sees it
    ],
)
def test_an_image_of_the_same_bytes_must_be_public_or_ours(
    visibility: str, owner: str, taken: bool
) -> None:
    fake = FakeCloud()
    hashed = {"os_hash_algo": "sha512", "os_hash_value": "aa", "size": 5, "disk_format": "raw"}
    more = {"owner": owner, "visibility": visibility, "status": "active", **hashed}
    fake.add("/images", id="it", name="ubuntu", **more)
    found = look(fake, References(images=(UBUNTU,)))
    assert found.targets == ({UBUNTU.ref: "it"} if taken else {})
    if not taken:
        assert "those of another project" in found.faults[0].message
        assert yaml.safe_load(found.proposal(MappingRules())) == {"images": {"ubuntu": "ubuntu"}}


@pytest.mark.parametrize(
    ("owner", "taken"), [(PROJECT, True), ("operator", True), ("tenant", False)]
)
def test_a_qos_policy_of_the_same_name_must_be_ours_or_an_operators(
    owner: str, taken: bool
) -> None:
    fake = FakeCloud()
    publish(fake, "operator")
    policies = [{"id": "it", "name": "gold", "project_id": owner, "shared": True}]
    fake.handlers["GET", "/extensions/qos"] = lambda call, match: response(200, {"extension": {}})
    fake.handlers["GET", "/qos/policies"] = lambda call, match: response(
        200, {"policies": policies}
    )
    found = look(fake, References(qos_policies=(GOLD,)))
    assert found.targets == ({GOLD.ref: "it"} if taken else {})


# --- the mark of this import on objects of another project ---


@pytest.fixture
def work(tmp_path: Path) -> Import:
    return Import(write_bundle(tmp_path / "b.dpbundle"), tmp_path)


def foreign(work: Import) -> None:
    """Let all that stands belong to another project, in a cloud that filters nothing."""
    for kind in RECREATORS.values():
        for item in work.cloud.of(kind.path).values():
            item[kind.owner_key] = "tenant"

    def unfiltered(call: Call) -> Any:
        if call.method == "GET" and isinstance(call.params, dict):
            for key in ("project_id", "owner"):
                call.params.pop(key, None)

    work.cloud.before.append(unfiltered)


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_what_bears_our_mark_in_another_project_is_neither_adopted_nor_deleted(
    work: Import, journal: str
) -> None:
    work.run()
    foreign(work)
    if journal == "lost":
        (work.state / "journal.jsonl").unlink()
    here = work.process()
    for record in work.resources:
        recreator = RECREATORS[record.type]
        if recreator.can_be_marked:
            assert recreator.find(here, record) is None, record.type
            assert recreate(recreator, here, record, check=True).state == "planned", record.type
    # A keypair is a user's, not a project's.
    assert {each.record.type for each in undo.find(here, NULL)} <= {"keypair"}


@pytest.mark.parametrize("kind", ["address_group", "server_group", "security_group"])
def test_an_equal_object_of_another_project_is_not_reused(work: Import, kind: str) -> None:
    (record,) = getattr(work.resources, f"{kind}s")
    if isinstance(record, SecurityGroup):
        record = replace(record, name="default", rules=())
    recreate(RECREATORS[kind], work.process(), record)
    for item in work.cloud.of(RECREATORS[kind].path).values():
        item.pop("members", None)
    (work.state / "journal.jsonl").unlink()
    assert recreate(RECREATORS[kind], work.process(), record, check=True).state in (
        "reused",
        "found",
    )
    foreign(work)
    assert recreate(RECREATORS[kind], work.process(), record, check=True).state == "planned"


def test_a_router_takes_no_port_of_another_project(tmp_path: Path) -> None:
    fake = Target()
    interface = RouterInterface(subnet_id=SUBNET.id, ip_address="10.0.0.7")
    router = Router(id=source_id(9), name="r", interfaces=(interface,))
    here = context(fake, tmp_path)
    for record in (NET, SUBNET):
        recreate(RECREATORS[record.type], here, record)
    network = here.target(NET.ref)
    fixed = [{"subnet_id": here.target(SUBNET.ref), "ip_address": "10.0.0.7"}]
    planted = fake.add(
        "/ports",
        network_id=network,
        description=here.marker(router.ref),
        fixed_ips=fixed,
        project_id="tenant",
        device_id="",
        device_owner="",
    )
    recreate(RECREATORS["router"], here, router)
    assert planted["device_id"] == ""


def test_an_image_that_only_the_journal_calls_ours_is_not_deleted(tmp_path: Path) -> None:
    fake = Target()
    volume = Volume(id=source_id(8), name="data", size=1, disk_id="0001")
    precious = fake.add("/images", id="precious", status="active")
    here = context(fake, tmp_path)
    here.journal.record("made", disk_ref(volume), "data", "precious")
    recreate(RECREATORS["volume"], here, volume)
    assert fake.of("/images") == {"precious": precious}
