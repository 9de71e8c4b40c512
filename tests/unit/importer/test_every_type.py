"""One resource of each type: killed after any request nothing is made twice, and undo takes all."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import BundleWriter, open_bundle
from bundle_spec.errors import RecreateFaults
from bundle_spec.model import (
    AddressGroup,
    FlavorReference,
    FloatingIp,
    Image,
    Keypair,
    NetworkReference,
    Port,
    Ref,
    References,
    Resources,
    Router,
    SecurityGroup,
    Server,
    ServerGroup,
    Trunk,
    Volume,
    VolumeSnapshot,
)
from bundle_spec.model.port import FixedIp
from bundle_spec.model.resources import RESOURCE_TYPES
from bundle_spec.model.router import RouterInterface
from bundle_spec.model.security_group import SecurityGroupRule
from bundle_spec.model.server import AttachedVolume, Nic
from bundle_spec.model.subnet import HostRoute
from bundle_spec.progress import NULL
from downpour_import import undo
from downpour_import.recreate import (
    RECREATORS,
    STEPS,
    Context,
    differences,
    recreate,
    upload_volume_disk,
)
from tests.unit.bundle.samples import content, noise
from tests.unit.fake_cloud import PROJECT, Call, response
from tests.unit.importer.things import NET, SUBNET, Target, context, source_id

REFERENCES = References(
    flavors=(FlavorReference(id="m1", name="m1", vcpus=1, ram=1, disk=1),),
    networks=(NetworkReference(id="ext", name="ext", external=True),),
)
TARGETS = {Ref("flavor", "m1"): "target-flavor", Ref("network", "ext"): "target-ext"}


class Killed(BaseException):
    """The process is gone: nothing after the request is done."""


class Cloud(Target):
    """Knows what is asked of it beside plain objects."""

    def __init__(self) -> None:
        super().__init__()
        self.add("/networks", id="target-ext", project_id="other")
        self.handlers |= {
            ("POST", "/servers"): self._boot,
            ("POST", "/servers/(.*)/action"): self._act,
            ("POST", "/security-group-rules"): self._rule,
            ("DELETE", "/(servers|volumes)/(.*)/metadata/(.*)"): self._unset,
            ("PATCH", "/images/(.*)"): self._patch,
            ("PUT", "/routers/(.*)/remove_router_interface"): self._detach,
            ("DELETE", "/(networks|subnets|ports|volumes|images|routers)/([^/]*)"): self._in_use,
        }

    def _boot(self, call: Call, match: re.Match[str]) -> Any:
        asked = call.body["server"]
        volumes = [{"id": each["uuid"]} for each in asked["block_device_mapping_v2"]]
        item = self.add(
            "/servers",
            **asked,
            status="ACTIVE",
            tags=[],
            locked=False,
            accessIPv4="",
            accessIPv6="",
            **{"os-extended-volumes:volumes_attached": volumes},
        )
        for nic in asked["networks"]:
            self.of("/ports")[nic["port"]]["device_id"] = item["id"]
        return response(202, {"server": {"id": item["id"]}})

    def _rule(self, call: Call, match: re.Match[str]) -> Any:
        several = call.body.get("security_group_rules", [call.body.get("security_group_rule")])
        for rule in several:
            found = self.add("/security-group-rules", **rule)
            group = self.of("/security-groups")[rule["security_group_id"]]
            group["security_group_rules"].append(found)
        return response(201, {})

    def _act(self, call: Call, match: re.Match[str]) -> Any:
        item = self.of("/servers")[match[1]]
        if "os-stop" in call.body:
            item["status"] = "SHUTOFF"
        if "lock" in call.body or "unlock" in call.body:
            item["locked"] = "lock" in call.body
        return response(202)

    def _unset(self, call: Call, match: re.Match[str]) -> Any:
        item = self.of(f"/{match[1]}")[match[2]]
        if item.get("locked"):
            return response(409, {})
        del item["metadata"][match[3]]
        return response(204)

    def _patch(self, call: Call, match: re.Match[str]) -> Any:
        for change in call.body:
            item, key = self.of("/images")[match[1]], change["path"].strip("/")
            if change["op"] == "remove":
                del item[key]
            else:
                item[key] = change["value"]
        return response(200, {})

    def _detach(self, call: Call, match: re.Match[str]) -> Any:
        del self.of("/ports")[call.body["port_id"]]
        return response(200, {})

    def _in_use(self, call: Call, match: re.Match[str]) -> Any:
        """Whatever something else names cannot go."""
        identity = match[2]
        users = {
            "networks": self.of("/subnets"),
            "subnets": self.of("/ports"),
            "ports": self.of("/servers") | self.of("/trunks") | self.of("/floatingips"),
            "volumes": self.of("/servers"),
            "routers": {
                key: port
                for key, port in self.of("/ports").items()
                if port["device_owner"] == "network:router_interface"
            },
            "images": {},
        }[match[1]]
        protected = self.of(f"/{match[1]}").get(identity, {}).get("protected")
        if protected or any(identity in str(item) for item in users.values()):
            return response(409, {})
        return None


def records(disk_id: str) -> Resources:
    key = Keypair(id="key", name="key", public_key="ssh-rsa AAA me")
    addresses = AddressGroup(id=source_id(20), name="office", addresses=("10.9.0.0/24",))
    rule = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4")
    group = SecurityGroup(id=source_id(21), name="web", rules=(rule,))
    fixed = (FixedIp(subnet_id=SUBNET.id, ip_address="10.0.0.5"),)
    port = Port(
        id=source_id(23),
        name="p",
        network_id=NET.id,
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=fixed,
        security_group_ids=(group.id,),
    )
    free = replace(port, id=source_id(24), name="free", fixed_ips=())
    volume = Volume(id=source_id(26), name="data", size=1, disk_id=disk_id)
    server_group = ServerGroup(id=source_id(28), name="apart", policy="anti-affinity")
    return Resources(
        keypairs=(key,),
        address_groups=(addresses,),
        security_groups=(group,),
        networks=(NET,),
        subnets=(SUBNET,),
        routers=(
            Router(
                id=source_id(22),
                name="r",
                external_network_id="ext",
                interfaces=(RouterInterface(subnet_id=SUBNET.id, ip_address="10.0.0.1"),),
                routes=(HostRoute(destination="10.8.0.0/16", nexthop="10.0.0.9"),),
            ),
        ),
        ports=(port, free),
        trunks=(Trunk(id=source_id(30), name="t", port_id=free.id),),
        images=(
            Image(
                id=source_id(25),
                name="golden",
                disk_id=disk_id,
                disk_format="raw",
                container_format="bare",
                protected=True,
            ),
        ),
        volumes=(volume,),
        volume_snapshots=(
            VolumeSnapshot(id=source_id(27), name="then", size=1, volume_id=volume.id),
        ),
        server_groups=(server_group,),
        servers=(
            Server(
                id=source_id(29),
                name="web",
                flavor="m1",
                key_name=key.id,
                locked=True,
                server_group_id=server_group.id,
                nics=(Nic(port_id=port.id),),
                volumes=(AttachedVolume(volume_id=volume.id, boot_index=0),),
            ),
        ),
        floating_ips=(
            FloatingIp(id=source_id(31), name="", floating_network_id="ext", port_id=port.id),
        ),
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "b.dpbundle"
    with BundleWriter(path) as writer:
        disk = writer.disk("raw")
        disk.write(noise(70_000))
        whole = replace(content(records(disk.finish().id)), references=REFERENCES)
        writer.finish(whole)
    return path


class Import:
    """Processes that come one after the other, on one target with one state."""

    def __init__(self, bundle: Path, state: Path) -> None:
        self.cloud = Cloud()
        self.bundle = bundle
        self.state = state
        self.resources = records("0001")

    def process(self) -> Context:
        here = context(self.cloud, self.state, TARGETS, self.bundle)
        with open_bundle(self.bundle) as reader:
            here.bundle_uuid = reader.manifest.uuid
        return here

    def run(self) -> Context:
        here = self.process()
        for volume in self.resources.volumes:
            upload_volume_disk(here, volume, lambda amount: None)
        for record in self.resources:
            recreate(RECREATORS[record.type], here, record)
        for group in self.resources.security_groups:
            STEPS["security_group_rules"](here, group)
        for subnet in self.resources.subnets:
            STEPS["subnet_dhcp"](here, subnet)
        return here

    def made(self) -> dict[str, int]:
        """Objects by collection; what the cloud had from the start aside."""
        return {
            path: len([each for each in self.cloud.of(path) if each != "target-ext"])
            for path in PATHS
        }

    def find(self) -> tuple[Context, list[undo.Thing]]:
        here = self.process()
        return here, undo.find(here, NULL, self.resources)


PATHS = sorted({kind.path for kind in RECREATORS.values()})
ONE_OF_EACH = dict.fromkeys(PATHS, 1) | {"/ports": 3, "/volumes": 2}
"""The router's interface is a port."""


@pytest.fixture
def work(bundle: Path, tmp_path: Path) -> Import:
    return Import(bundle, tmp_path)


def test_the_records_are_of_every_type() -> None:
    assert {record.type for record in records("0001")} == RESOURCE_TYPES


def test_each_is_made_once_and_is_as_the_record_says(work: Import) -> None:
    here = work.run()
    assert work.made() == ONE_OF_EACH
    assert [line for record in work.resources for line in differences(here, record)] == []
    work.cloud.calls.clear()
    work.run()
    assert work.cloud.writes == []


def requests_of_a_run(bundle: Path, state: Path) -> int:
    work = Import(bundle, state)
    work.run()
    return len(work.cloud.writes)


def test_killed_after_any_request_nothing_is_made_twice(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The kill comes when the target has done it and before anything is written down."""
    posts = set()
    for number in range(requests_of_a_run(bundle, tmp_path_factory.mktemp("whole"))):
        work = Import(bundle, tmp_path_factory.mktemp("state"))
        left = number

        def kill(call: Call) -> None:
            nonlocal left
            if call.method != "GET":
                left -= 1
                if left < 0:
                    if call.method == "POST":
                        posts.add(call.path)
                    raise Killed

        work.cloud.after.append(kill)
        with pytest.raises(Killed):
            work.run()
        work.cloud.after.clear()
        here = work.run()
        assert work.made() == ONE_OF_EACH, number
        assert [line for each in work.resources for line in differences(here, each)] == [], number
    assert posts >= set(PATHS)


def test_undo_takes_everything_back_in_an_order_that_the_target_accepts(work: Import) -> None:
    work.run()
    here, things = work.find()
    assert [thing.kept for thing in things] == [None] * len(list(work.resources))
    undo.undo(here, things, NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)
    assert list(here.journal.rows()) == []
    assert work.find()[1] == []


def test_after_undo_the_same_import_makes_all_of_it_again(work: Import) -> None:
    work.run()
    here, things = work.find()
    undo.undo(here, things, NULL)
    here = work.run()
    assert work.made() == ONE_OF_EACH
    assert [line for record in work.resources for line in differences(here, record)] == []


@pytest.mark.parametrize("path", ["/security-groups", "/subnets", "/images"])
def test_what_was_deleted_behind_our_back_is_made_again_with_its_later_steps(
    work: Import, path: str
) -> None:
    work.run()
    for identity in list(work.cloud.of(path)):
        del work.cloud.of(path)[identity]
    here = work.run()
    kind = {"/security-groups": "security_group", "/subnets": "subnet", "/images": "image"}[path]
    (record,) = (each for each in work.resources if each.type == kind)
    assert differences(here, record) == []


def test_undo_takes_back_what_an_edit_had_added(work: Import) -> None:
    added = replace(NET, id=source_id(99), name="added by hand")
    work.resources = replace(work.resources, networks=(NET, added))
    work.run()
    undo.undo(*work.find(), NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)


def test_undo_may_be_killed_at_any_request_and_goes_on(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for number in range(0, 40, 3):
        work = Import(bundle, tmp_path_factory.mktemp("state"))
        work.run()
        left = number

        def kill(call: Call) -> None:
            nonlocal left
            if call.method != "GET":
                left -= 1
                if left < 0:
                    raise Killed

        here, things = work.find()
        work.cloud.after.append(kill)
        with contextlib.suppress(Killed):
            undo.undo(here, things, NULL)
        work.cloud.after.clear()
        here, things = work.find()
        undo.undo(here, things, NULL)
        assert work.made() == dict.fromkeys(PATHS, 0), number


def test_undo_also_finds_what_a_killed_import_had_begun(work: Import) -> None:
    def kill(call: Call) -> None:
        if str(call) == "POST /servers":
            raise Killed

    work.cloud.after.append(kill)
    with pytest.raises(Killed):
        work.run()
    work.cloud.after.clear()
    here, things = work.find()
    assert "server" in {thing.record.type for thing in things}
    undo.undo(here, things, NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)


def test_undo_leaves_what_was_reused_and_what_is_not_ours(work: Import) -> None:
    work.cloud.add("/os-keypairs", id="key", name="key", public_key="ssh-rsa AAA me")
    work.cloud.add("/security-groups", name="default", project_id=PROJECT, description="", tags=[])
    group = replace(work.resources.security_groups[0], name="default", rules=())
    work.resources = replace(work.resources, security_groups=(group,))
    here = work.run()
    (router,) = work.cloud.of("/routers").values()
    router["tags"] = []  # somebody has made it their own
    here, things = work.find()
    kept = {thing.record.type: thing.kept for thing in things if thing.kept}
    assert kept == {"router": "it bears no mark of this bundle"}
    with pytest.raises(RecreateFaults) as caught:
        undo.undo(here, things, NULL)
    # The router that stays holds its subnet, and that its network.
    assert [str(each.where).split()[0] for each in caught.value.faults] == ["subnet", "network"]
    assert len(work.cloud.of("/os-keypairs")) == 1
    assert [each["name"] for each in work.cloud.of("/security-groups").values()] == ["default"]
    assert len(work.cloud.of("/routers")) == 1
    assert work.cloud.of("/servers") == {}


def test_forget_takes_the_marks_off_and_then_undo_leaves_all_alone(work: Import) -> None:
    here = work.run()
    here, things = work.find()
    undo.forget(here, things, NULL)
    marks = [
        mark
        for record in work.resources
        for mark, _ in RECREATORS[record.type].marks(here)
        if mark and mark.startswith("dpb-")
    ]
    assert marks == []
    assert [line for record in work.resources for line in differences(here, record)] == []
    assert work.find()[1] == []
    work.cloud.calls.clear()
    work.run()
    assert work.cloud.writes == []
