"""Server groups, address groups, trunks, forwardings, kernels: what is special about each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Image,
    PortForwarding,
    Ref,
    SecurityGroupRule,
    Server,
    ServerGroup,
    SubPort,
    Trunk,
    Volume,
    VolumeSnapshot,
)
from bundle_spec.model.server import AttachedVolume
from downpour_import.errors import RecreateError
from downpour_import.recreate import RECREATORS, STEPS, differences, recreate
from downpour_import.recreate.security_group_rule import wanted_rule
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.things import Target, context, source_id

GROUP = ServerGroup(id=source_id(1), name="spread", policy="anti-affinity", max_server_per_host=2)
ADDRESSES = AddressGroup(
    id=source_id(2), name="partners", description="d", addresses=("192.0.2.0/24",)
)
FLAVOR = {Ref("flavor", "m1"): "flavor-id"}


@pytest.fixture
def fake() -> Target:
    return Target()


# --- server groups ---


def test_a_server_group_is_made_as_the_microversion_wants_it(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    recreate(RECREATORS["server_group"], here, GROUP)
    (post,) = fake.sent("POST")
    rules = {"max_server_per_host": 2}
    assert post.body["server_group"] == {
        "name": "spread",
        "policy": "anti-affinity",
        "rules": rules,
    }
    assert differences(here, GROUP) == []


def test_an_older_nova_takes_a_list_of_policies(fake: Target, tmp_path: Path) -> None:
    fake.microversions["compute"] = "2.63"
    here = context(fake, tmp_path)
    recreate(RECREATORS["server_group"], here, GROUP)
    (post,) = fake.sent("POST")
    assert post.body["server_group"] == {"name": "spread", "policies": ["anti-affinity"]}
    assert differences(here, GROUP) == []


@pytest.mark.parametrize(
    ("there", "state"),
    [
        ({}, "reused"),
        ({"members": ["somebody's server"]}, "made"),
        ({"policy": "affinity"}, "made"),
        ({"rules": {}}, "made"),
        ({"name": "other"}, "made"),
    ],
)
def test_an_equal_group_without_members_serves_as_well(
    fake: Target, tmp_path: Path, there: dict[str, Any], state: str
) -> None:
    equal = {"name": "spread", "policy": "anti-affinity", "rules": {"max_server_per_host": 2}}
    fake.add("/os-server-groups", **{**equal, "members": [], **there})
    outcome = recreate(RECREATORS["server_group"], context(fake, tmp_path), GROUP)
    # What stood there may be what a killed run of ours had made: found or reused, but not made.
    assert (outcome.state == "made") == (state == "made")


def test_two_groups_that_are_alike_become_two(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    twin = ServerGroup(
        id=source_id(9), name="spread", policy="anti-affinity", max_server_per_host=2
    )
    targets = {recreate(RECREATORS["server_group"], here, each).target for each in (GROUP, twin)}
    assert len(targets) == 2


def test_a_server_is_made_in_its_group_with_all_that_was_told(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path, FLAVOR)
    group = recreate(RECREATORS["server_group"], here, GROUP).target
    server = Server(
        id=source_id(3), name="web", flavor="m1", user_data="IyE=", disk_config="MANUAL",
        access_ip_v4="192.0.2.1", locked=True, locked_reason="mine", server_group_id=GROUP.id,
    )  # fmt: skip
    recreate(RECREATORS["server"], here, server)
    post = next(each for each in fake.sent("POST", "/servers") if "server" in each.body)
    assert post.body["os:scheduler_hints"] == {"group": group}
    told = post.body["server"]
    assert (told["user_data"], told["OS-DCF:diskConfig"], told["accessIPv4"]) == (
        "IyE=",
        "MANUAL",
        "192.0.2.1",
    )
    assert "accessIPv6" not in told
    (lock,) = [each for each in fake.sent("POST") if each.path.endswith("/action")]
    assert lock.body == {"lock": {"locked_reason": "mine"}}


# --- address groups ---


def test_an_address_group_is_made_once(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    assert recreate(RECREATORS["address_group"], here, ADDRESSES).state == "made"
    assert differences(here, ADDRESSES) == []
    # Killed between the POST and its record: an equal one is there, and is taken.
    (tmp_path / "lost").mkdir()
    again = context(fake, tmp_path / "lost")
    assert recreate(RECREATORS["address_group"], again, ADDRESSES).state != "made"
    assert len(fake.of("/address-groups")) == 1


def test_a_rule_names_the_targets_address_group_and_only_where_it_has_one(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    target = recreate(RECREATORS["address_group"], here, ADDRESSES).target
    rule = SecurityGroupRule(
        id="r", direction="ingress", ether_type="IPv4", remote_address_group_id=ADDRESSES.id
    )
    assert wanted_rule(here, rule)["remote_address_group_id"] == target
    plain = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4")
    assert "remote_address_group_id" not in wanted_rule(here, plain)


# --- trunks and forwardings ---

PORTS = {Ref("port", "p1"): "t1", Ref("port", "p2"): "t2", Ref("network", "ext"): "out"}


def test_a_trunk_has_the_targets_ports(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path, PORTS)
    sub_port = SubPort(port_id="p2", segmentation_type="vlan", segmentation_id=7)
    trunk = Trunk(id=source_id(4), name="trunk", port_id="p1", tags=("t",), sub_ports=(sub_port,))
    recreate(RECREATORS["trunk"], here, trunk)
    body = fake.sent("POST")[0].body["trunk"]
    assert body["port_id"] == "t1"
    assert body["sub_ports"] == [
        {"port_id": "t2", "segmentation_type": "vlan", "segmentation_id": 7}
    ]
    assert differences(here, trunk) == []


def test_forwardings_are_made_once_and_compared(fake: Target, tmp_path: Path) -> None:
    have: list[dict[str, Any]] = []

    def post(call: Call, match: object) -> requests.Response:
        have.append({**call.body["port_forwarding"], "id": "x"})
        return response(201, {"port_forwarding": have[-1]})

    path = "/floatingips/.*/port_forwardings"
    fake.handlers["POST", path] = post
    fake.handlers["GET", path] = lambda call, match: response(200, {"port_forwardings": have})
    here = context(fake, tmp_path, PORTS)
    single = PortForwarding(
        protocol="tcp", internal_port_id="p1", internal_ip_address="10.0.0.5", internal_port=22,
        external_port=2222, description="ssh",
    )  # fmt: skip
    many = PortForwarding(
        protocol="udp", internal_port_id="p2", internal_ip_address="10.0.0.6",
        internal_port_range="10:20", external_port_range="10:20",
    )  # fmt: skip
    address = FloatingIp(
        id=source_id(5), name="192.0.2.9", floating_network_id="ext",
        port_forwardings=(single, many),
    )  # fmt: skip
    kind = RECREATORS["floating_ip"]
    target = recreate(kind, here, address).target
    assert target is not None
    assert [each["internal_port_id"] for each in have] == ["t1", "t2"]
    assert "internal_port_range" not in have[0]
    assert "internal_port" not in have[1]
    kind.complete(here, address, target)  # as after a crash in between
    assert len(have) == 2
    # A newer Neutron tells a single port also as a range.
    have[0] |= {"internal_port_range": "22:22", "external_port_range": "2222:2222"}
    assert differences(here, address) == []
    have.pop()
    assert any("port_forwardings" in each for each in differences(here, address))


# --- volumes and images ---


def test_a_volume_without_contents_is_made_from_its_image(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path, {Ref("image", "i"): "image-there"})
    volume = Volume(id=source_id(6), name="root", size=1, image_id="i")
    recreate(RECREATORS["volume"], here, volume)
    assert fake.sent("POST", "/volumes")[0].body["volume"]["imageRef"] == "image-there"


def test_an_empty_text_names_no_image(fake: Target, tmp_path: Path) -> None:
    """[M-14]"""
    volume = Volume(id=source_id(6), name="data", size=1, image_id="")
    recreate(RECREATORS["volume"], context(fake, tmp_path), volume)
    assert "imageRef" not in fake.sent("POST", "/volumes")[0].body["volume"]


def test_a_volume_that_several_servers_may_write_to_must_be_one(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    volume = Volume(id=source_id(6), name="shared", size=1, multiattach=True)
    recreate(RECREATORS["volume"], here, volume)
    assert differences(here, volume) == ["multiattach is None, not True"]


def test_what_a_snapshot_held_becomes_a_volume(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    snapshot = VolumeSnapshot(
        id=source_id(7), name="before", size=2, description="d", metadata={"a": "b"}, volume_id="v"
    )
    recreate(RECREATORS["volume_snapshot"], here, snapshot)
    (volume,) = fake.of("/volumes").values()
    assert (volume["name"], volume["description"], volume["size"]) == ("before", "d", 2)
    assert here.journal.target(snapshot.ref) == volume["id"]


def test_the_kernel_of_an_image_is_named_when_both_stand(fake: Target, tmp_path: Path) -> None:
    image = Image(
        id=source_id(8), name="i", disk_id="", disk_format="raw", container_format="bare",
        properties={"kernel_id": "kernel", "os_distro": "x"},
    )  # fmt: skip
    fake.add("/images", id="there", name="i")
    here = context(fake, tmp_path, {Ref("image", "kernel"): "kernel-there"})
    here.journal.record("done", image.ref, "i", "there")
    step = STEPS["image_kernel"]
    assert step(here, image, check=True).state == "planned"
    assert step(here, image).state == "made"
    (patch,) = fake.sent("PATCH")
    assert patch.body == [{"op": "add", "path": "/kernel_id", "value": "kernel-there"}]
    assert step(context(fake, tmp_path, here.targets), image).state == "unchanged"
    plain = Image(id=source_id(8), name="i", disk_id="", disk_format="raw", container_format="bare")
    assert step(here, plain).state == "unchanged"


# --- volumes that end with their server ---


def bound_to_its_end(fake: Target, tmp_path: Path) -> list[Call]:
    """Make a server of which a volume ends with it; the requests that write."""
    server = Server(
        id=source_id(60),
        name="web",
        flavor="m1",
        volumes=(
            AttachedVolume(volume_id=source_id(61), boot_index=0, delete_on_termination=True),
            AttachedVolume(volume_id=source_id(62)),
        ),
    )
    volumes = {Ref("volume", each.volume_id): f"v{each.volume_id[-2:]}" for each in server.volumes}
    recreate(RECREATORS["server"], context(fake, tmp_path, {**FLAVOR, **volumes}), server)
    return [call for call in fake.calls if call.method != "GET"]


def test_a_volume_is_bound_to_the_end_of_a_server_only_when_that_runs(
    fake: Target, tmp_path: Path
) -> None:
    """One that breaks while it is made would take its volumes with it."""
    post, put = bound_to_its_end(fake, tmp_path)
    devices = post.body["server"]["block_device_mapping_v2"]
    assert [device["delete_on_termination"] for device in devices] == [False, False]
    assert put.path.endswith("/os-volume_attachments/v61")
    asked = {"volumeId": "v61", "delete_on_termination": True}
    assert put.body == {"volumeAttachment": asked}


def test_an_older_nova_is_told_of_it_at_once(fake: Target, tmp_path: Path) -> None:
    fake.microversions["compute"] = "2.84"
    (post,) = bound_to_its_end(fake, tmp_path)
    devices = post.body["server"]["block_device_mapping_v2"]
    assert [device["delete_on_termination"] for device in devices] == [True, False]


def test_what_is_broken_and_cannot_be_deleted_is_not_made_a_second_time(
    fake: Target, tmp_path: Path
) -> None:
    volume = Volume(id=source_id(63), name="data", size=1)
    broken = fake.add("/volumes", status="error", metadata={})
    context(fake, tmp_path).journal.record("made", volume.ref, "data", broken["id"])
    fake.handlers["DELETE", "/volumes/(.*)"] = lambda call, match: response(409, {})
    with pytest.raises(RecreateError, match="it is broken, and the target does not delete it"):
        recreate(RECREATORS["volume"], context(fake, tmp_path), volume)
    assert fake.sent("POST") == []
