"""The preflight as a whole: what stands already needs neither room nor addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from bundle_spec.model import (
    Network,
    NetworkReference,
    Port,
    References,
    Resources,
    SecurityGroup,
)
from bundle_spec.model.playbook import MappingRules, PlaybookData, Settings
from bundle_spec.model.port import FixedIp
from downpour_cloud import CloudError
from downpour_import import session
from downpour_import.cloud import TargetCloud
from downpour_import.errors import TargetFaults
from downpour_import.playbook import events
from downpour_import.preflight import Preflight
from downpour_import.recreate import RECREATORS, differences, recreate
from downpour_import.session import connect_within_playbook, prepare, run_preflight
from downpour_import.state.directory import save_targets
from tests.unit.fake_cloud import PROJECT, Call, response
from tests.unit.importer.every_type import write_bundle
from tests.unit.importer.things import BUNDLE, NET, SUBNET, Target, context, source_id

NETS = (NET, Network(id=source_id(50), name="second"))
PORT = Port(
    id=source_id(51),
    name="p",
    network_id=NET.id,
    mac_address="fa:16:3e:00:00:01",
    fixed_ips=(FixedIp(subnet_id=SUBNET.id, ip_address="10.0.0.5"),),
)


@pytest.fixture
def fake() -> Target:
    fake = Target()
    details = {"network": {"limit": 1, "used": 0, "reserved": 0}}

    def quota(call: Call, match: re.Match[str]) -> requests.Response:
        details["network"]["used"] = len(fake.of("/networks"))
        return response(200, {"quota": details})

    fake.handlers["GET", f"/quotas/{PROJECT}/details"] = quota
    return fake


def preflight(
    fake: Target, state: Path, resources: Resources, rules: MappingRules | None = None
) -> Preflight:
    mapping = rules or MappingRules()
    settings = Settings(bundle="b.dpbundle", state=str(state), mapping=mapping)
    data = PlaybookData(bundle=BUNDLE, resources=resources)
    return run_preflight(settings, data, TargetCloud(fake.connection), (), None)


def told(found: Preflight) -> list[str]:
    return [f"{each.where}: {each.message}" for each in found.faults]


def test_room_is_asked_for_what_is_still_to_be_made(fake: Target, tmp_path: Path) -> None:
    resources = Resources(networks=NETS)
    (line,) = told(preflight(fake, tmp_path, resources))
    assert line == "quota of networks: 2 more needed, and it has room for 1"
    recreate(RECREATORS["network"], context(fake, tmp_path), NET)
    (line,) = told(preflight(fake, tmp_path, resources))
    assert line == "quota of networks: 1 more needed, and it has room for 0"
    recreate(RECREATORS["network"], context(fake, tmp_path), NETS[1])
    assert told(preflight(fake, tmp_path, resources)) == []
    # Also when only the marks tell what stands.
    (tmp_path / "journal.jsonl").unlink()
    assert told(preflight(fake, tmp_path, resources)) == []


def test_the_default_group_needs_no_room(fake: Target, tmp_path: Path) -> None:
    full = {"security_group": {"limit": 1, "used": 1, "reserved": 0}}
    fake.handlers["GET", f"/quotas/{PROJECT}/details"] = lambda call, match: response(
        200, {"quota": full}
    )
    fake.add(
        "/security-groups",
        name="default",
        project_id=PROJECT,
        description="",
        tags=[],
        security_group_rules=[],
    )
    default = SecurityGroup(id=source_id(60), name="default")
    assert told(preflight(fake, tmp_path, Resources(security_groups=(default,)))) == []
    other = replace(default, id=source_id(61), name="web")
    (line,) = told(preflight(fake, tmp_path, Resources(security_groups=(default, other))))
    assert line == "quota of security groups: 1 more needed, and it has room for 0"


def test_our_own_port_does_not_occupy_its_own_address(fake: Target, tmp_path: Path) -> None:
    fake.add("/networks", id="T", name="theirs", project_id=PROJECT)
    fake.add("/subnets", id="TS", name="t", network_id="T", cidr=SUBNET.cidr, project_id=PROJECT)
    resources = Resources(networks=(NET,), subnets=(SUBNET,), ports=(PORT,))
    rules = MappingRules(networks={NET.name: "theirs"})
    found = preflight(fake, tmp_path, resources, rules)
    assert told(found) == []
    here = context(fake, tmp_path, found.targets)
    recreate(RECREATORS["port"], here, PORT)
    assert told(preflight(fake, tmp_path, resources, rules)) == []
    other = Resources(
        networks=(NET,),
        subnets=(SUBNET,),
        ports=(PORT, replace(PORT, id=source_id(52))),
    )
    (line,) = told(preflight(fake, tmp_path, other, rules))
    assert line == "port 'p': 10.0.0.5 is in use on network 'theirs'"


def test_an_address_that_was_dropped_is_not_missed_later(fake: Target, tmp_path: Path) -> None:
    fake.add("/networks", id="T", name="theirs", project_id=PROJECT)
    fake.add("/subnets", id="TS", name="t", network_id="T", cidr=SUBNET.cidr, project_id=PROJECT)
    fake.add("/ports", network_id="T", fixed_ips=[{"ip_address": "10.0.0.5", "subnet_id": "TS"}])
    resources = Resources(networks=(NET,), subnets=(SUBNET,), ports=(PORT,))
    rules = MappingRules(networks={NET.name: "theirs"}, fixed_ips="drop")
    first = preflight(fake, tmp_path, resources, rules)
    assert first.faults == []
    save_targets(tmp_path, first.targets)
    here = context(fake, tmp_path, first.targets)
    recreate(RECREATORS["port"], here, PORT)
    (port,) = (each for each in fake.of("/ports").values() if each.get("name") == "p")
    assert port["fixed_ips"] == [{"subnet_id": "TS"}]
    port["fixed_ips"][0]["ip_address"] = "10.0.0.77"
    again = preflight(fake, tmp_path, resources, rules)
    assert differences(context(fake, tmp_path, again.targets), PORT) == []


def test_nothing_is_written(fake: Target, tmp_path: Path) -> None:
    preflight(fake, tmp_path / "state", Resources(networks=NETS, ports=(PORT,), subnets=(SUBNET,)))
    assert fake.writes == []
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("cloud", "clouds", "told"),
    [
        (
            None,
            "{}",
            "no cloud is named (name one with OS_CLOUD or cloud in settings.yml, and its "
            "clouds.yaml with OS_CLIENT_CONFIG_FILE or config_file in settings.yml; or set "
            "OS_AUTH_URL and so on)",
        ),
        (
            None,
            "{a: {}, b: {}}",
            "no cloud is named (name one with OS_CLOUD or cloud in settings.yml: it has a, b)",
        ),
        (
            "target",
            "{}",
            "there is no cloud 'target' (name its clouds.yaml with OS_CLIENT_CONFIG_FILE or "
            "config_file in settings.yml)",
        ),
    ],
)
def test_a_playbook_without_a_cloud_is_told_what_ansible_can_be_given(
    cloud: str | None, clouds: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OS_CLOUD", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "clouds.yaml"
    path.write_text(f"clouds: {clouds}\n")
    with pytest.raises(CloudError) as caught:
        connect_within_playbook(Settings(cloud=cloud, config_file=str(path)))
    assert str(caught.value) == f"{path}: {told}"


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_run_by_hand_tells_where_a_token_goes(
    by_hand: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that an importer drives does not: that importer told it before."""
    asked: dict[str, Any] = {}

    def connect(options: object, tell: Callable[[str], None], *, met: bool) -> None:
        asked["met"] = met
        tell("elsewhere")

    monkeypatch.setattr(session, "connect", connect)
    monkeypatch.setenv(events.VARIABLE, "" if by_hand else "/dev/null")
    told: list[str] = []
    connect_within_playbook(Settings(cloud="c"), told.append)
    assert told == (["elsewhere"] if by_hand else [])
    assert asked["met"] is not by_hand


def test_a_name_that_stands_is_told_unless_this_import_made_it(
    fake: Target, tmp_path: Path
) -> None:
    fake.add("/networks", name="second", project_id=PROJECT, tags=[], description="")
    resources = Resources(networks=NETS)
    line = (
        "networks of these names stand already on the target, and others are made beside them: "
        "'second'; --skip leaves them out"
    )
    assert line in preflight(fake, tmp_path, resources).warnings
    recreate(RECREATORS["network"], context(fake, tmp_path), NETS[1])
    assert line not in preflight(fake, tmp_path, resources).warnings
    # Two of one name: the first is made, the second is still to come.
    twins = Resources(networks=(NET, replace(NET, id=source_id(70))))
    recreate(RECREATORS["network"], context(fake, tmp_path), NET)
    for journal in ("kept", "lost"):
        if journal == "lost":
            (tmp_path / "journal.jsonl").unlink()
        assert "stand already" not in str(preflight(fake, tmp_path, twins).warnings)


def test_by_hand_what_lacks_is_to_be_mapped_in_the_settings(fake: Target, tmp_path: Path) -> None:
    outside = NetworkReference(id="ext", name="ext", external=True)
    bundle = write_bundle(tmp_path / "b.dpbundle")
    settings = Settings(bundle=str(bundle), state=str(tmp_path / "state"))
    data = PlaybookData(bundle=BUNDLE, references=References(networks=(outside,)))
    with pytest.raises(TargetFaults, match=r"\(say what stands for it under mapping: in settings"):
        prepare(settings, data, TargetCloud(fake.connection))
