"""What stands for what on the target: told, equivalent, or missing."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bundle_spec.model import (
    AvailabilityZoneReference,
    FlavorReference,
    Image,
    ImageReference,
    Keypair,
    KeypairReference,
    Network,
    NetworkReference,
    QosPolicyReference,
    Ref,
    References,
    Resources,
    Subnet,
    SubnetReference,
    VolumeTypeReference,
)
from bundle_spec.model.playbook import MappingRules
from downpour_import.preflight import Preflight, preflight
from downpour_import.preflight.survey import Survey


def flavor(name: str, vcpus: int = 1, ram: int = 512, disk: int = 5, **more: Any) -> Any:
    return {"id": f"id-{name}", "name": name, "vcpus": vcpus, "ram": ram, "disk": disk, **more}


def image(name: str, value: str | None) -> Any:
    return {
        "id": f"id-{name}-{value}",
        "name": name,
        "size": 5,
        "disk_format": "raw",
        "visibility": "public",
        "os_hash_algo": "sha512",
        "os_hash_value": value,
    }


def net(identity: str, name: str, *, router_external: bool = False, **more: Any) -> Any:
    return {"id": identity, "name": name, "router:external": router_external, **more}


def subnet(identity: str, network: str, cidr: str) -> Any:
    return {"id": identity, "name": f"name-{identity}", "network_id": network, "cidr": cidr}


SMALL = FlavorReference(id="m1", name="m1", vcpus=1, ram=512, disk=5)
PUBLIC = NetworkReference(id="n1", name="public", external=True)
SHARED = NetworkReference(id="n2", name="office", external=False, shared=True)
SHARED_SUBNET = SubnetReference(id="s2", name="s", network_id="n2", cidr="10.0.0.0/24")
UBUNTU = ImageReference(id="i1", name="ubuntu", hash_algo="sha512", hash_value="aa")
FAST = VolumeTypeReference(id="fast", name="fast")
ZONE = AvailabilityZoneReference(id="compute/z", name="z", service="compute")
KEY = KeypairReference(id="k", name="k")
OWN_KEY = Keypair(id="k", name="k", public_key="ssh-rsa AAA me@here")
OWN_NET = Network(id="n9", name="own")


def own_subnet(cidr: str) -> Subnet:
    return Subnet(id="s9", name="s", network_id="n9", ip_version=4, cidr=cidr, gateway_ip=None)


def check(
    references: References | None = None,
    resources: Resources | None = None,
    rules: MappingRules | None = None,
    **target: Any,
) -> Preflight:
    return preflight(
        references or References(),
        resources or Resources(),
        rules or MappingRules(),
        Survey(**target),
    )


def told(found: Preflight) -> list[str]:
    return [str(each) for each in found.faults]


# --- flavors ---


def test_a_flavor_of_the_same_numbers_is_taken_and_said() -> None:
    found = check(References(flavors=(SMALL,)), flavors=(flavor("big", 8), flavor("general")))
    assert found.targets == {SMALL.ref: "id-general"}
    assert found.taken == ["flavor 'm1' -> 'general' (1 vCPU, 512 MiB RAM, 5 GiB disk)"]
    assert not found.faults


def test_of_several_equal_flavors_the_one_of_the_same_name_is_taken() -> None:
    found = check(References(flavors=(SMALL,)), flavors=(flavor("a"), flavor("m1")))
    assert found.targets == {SMALL.ref: "id-m1"}


def test_a_flavor_of_the_same_name_but_other_numbers_is_not_taken() -> None:
    found = check(References(flavors=(SMALL,)), flavors=(flavor("m1", swap=64),))
    assert told(found) == [
        "flavor 'm1': no flavor of the target has 1 vCPU, 512 MiB RAM, 5 GiB disk"
    ]
    assert "64 MiB swap" in found.proposal(MappingRules())


def test_ambiguous_flavors_are_told_with_a_proposal() -> None:
    found = check(References(flavors=(SMALL,)), flavors=(flavor("a"), flavor("b")))
    assert "2 flavors of the target have" in told(found)[0]
    assert yaml.safe_load(found.proposal(MappingRules())) == {"flavors": {"m1": "a"}}


def test_the_nearest_flavor_that_is_large_enough_is_proposed() -> None:
    flavors = (flavor("tiny", 1, 511), flavor("huge", 64, 65536), flavor("next", 1, 1024))
    found = check(References(flavors=(SMALL,)), flavors=flavors)
    assert yaml.safe_load(found.proposal(MappingRules())) == {"flavors": {"m1": "next"}}


@pytest.mark.parametrize("value", ["general", "id-general"])
@pytest.mark.parametrize("key", ["m1", "the id"])
def test_a_mapping_by_name_or_id_decides(key: str, value: str) -> None:
    wanted = FlavorReference(id="the id", name="m1", vcpus=1, ram=512, disk=5)
    flavors = (flavor("general", 2), flavor("m1"))
    found = check(
        References(flavors=(wanted,)), rules=MappingRules(flavors={key: value}), flavors=flavors
    )
    assert (found.targets, found.taken, told(found)) == ({wanted.ref: "id-general"}, [], [])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"m1": "nowhere"}, "mapping flavors: 'm1': the target has no 'nowhere' (it has twin)"),
        ({"m1": "twinn"}, "mapping flavors: 'm1': the target has no 'twinn' (did you mean twin?)"),
        ({"m1": None}, "mapping flavors: 'm1': flavors cannot be mapped to drop"),
        ({"m1": "twin"}, "2 are named 'twin' on the target: x, y"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_a_fault(
    rule: dict[str, str | None], message: str
) -> None:
    twins = ({**flavor("twin"), "id": "x"}, {**flavor("twin"), "id": "y"})
    found = check(References(flavors=(SMALL,)), rules=MappingRules(flavors=rule), flavors=twins)
    (fault,) = told(found)
    assert message in fault
    assert not found.proposals


def test_a_rule_that_names_nothing_in_the_bundle_is_warned_of() -> None:
    rules = MappingRules(flavors={"m1": "m1", "m1.tinny": "m1"}, networks={"publik": "x"})
    found = check(References(flavors=(SMALL,)), rules=rules, flavors=(flavor("m1"),))
    assert found.warnings == [
        "mapping flavors: 'm1.tinny' names nothing of what is imported",
        "mapping networks: 'publik' names nothing of what is imported",
    ]


def test_a_key_is_never_proposed() -> None:
    wanted = KeypairReference(id="ops", name="ops")
    found = check(References(keypairs=(wanted,)), keypairs={"other": "ssh-rsa AAA"})
    assert yaml.safe_load(found.proposal(MappingRules())) == {"keypairs": {"ops": "FILL-IN"}}


# --- networks and subnets ---


def test_the_only_external_network_is_taken_whatever_its_name() -> None:
    outside = net("x", "internet", router_external=True, is_default=True)
    networks = (outside, net("y", "public"))
    found = check(References(networks=(PUBLIC,)), networks=networks)
    assert found.targets == {PUBLIC.ref: "x"}


def test_of_several_external_networks_none_is_taken_and_the_same_name_comes_first() -> None:
    networks = tuple(
        net(identity, name, router_external=True, is_default=True)
        for identity, name in (("x", "a"), ("y", "public"))
    )
    found = check(References(networks=(PUBLIC,)), networks=networks)
    assert found.targets == {}
    (line,) = told(found)
    assert "which external network of the target is it? it has 'public' (y, of project" in line
    text = found.proposal(MappingRules())
    assert yaml.safe_load(text) == {"networks": {"public": "public"}}
    assert "'a' (x," in text


def test_of_two_networks_of_one_name_an_id_is_proposed() -> None:
    twins = tuple(net(identity, "public", router_external=True) for identity in "xy")
    found = check(References(networks=(PUBLIC,)), networks=twins)
    assert yaml.safe_load(found.proposal(MappingRules())) == {"networks": {"public": "x"}}


def test_a_shared_network_is_never_taken_by_its_name() -> None:
    found = check(References(networks=(SHARED,)), networks=(net("x", "office", shared=True),))
    assert found.targets == {}
    assert yaml.safe_load(found.proposal(MappingRules())) == {"networks": {"office": "office"}}


@pytest.mark.parametrize(
    ("cidrs", "target"),
    [
        (["10.0.0.0/24", "10.9.0.0/24"], "s0"),
        (["fd00::/64", "10.9.0.0/24"], "s1"),
        (["10.8.0.0/24", "10.9.0.0/24"], None),
        ([], None),
    ],
)
def test_a_subnet_of_a_mapped_network_is_found_by_its_cidr_or_its_family(
    cidrs: list[str], target: str | None
) -> None:
    found = check(
        References(networks=(SHARED,), subnets=(SHARED_SUBNET,)),
        rules=MappingRules(networks={"office": "x"}),
        networks=(net("x", "there", shared=True),),
        subnets=(
            *(subnet(f"s{number}", "x", cidr) for number, cidr in enumerate(cidrs)),
            subnet("elsewhere", "y", "10.0.0.0/24"),
        ),
    )
    assert found.targets.get(SHARED_SUBNET.ref) == target
    assert len(found.faults) == (target is None)


def test_a_missing_network_is_one_fault_and_not_one_for_each_subnet() -> None:
    found = check(References(networks=(SHARED,), subnets=(SHARED_SUBNET,)))
    assert len(found.faults) == 1


def test_an_own_network_that_is_mapped_takes_its_subnets_along() -> None:
    resources = Resources(networks=(OWN_NET,), subnets=(own_subnet("10.0.0.0/24"),))
    target: Any = {
        "networks": (net("x", "theirs"),),
        "subnets": (subnet("sx", "x", "10.0.0.0/24"), subnet("sy", "x", "10.1.0.0/24")),
    }
    rules = MappingRules(networks={"own": "theirs"})
    found = check(resources=resources, rules=rules, **target)
    assert found.targets == {Ref("network", "n9"): "x", Ref("subnet", "s9"): "sx"}
    assert check(resources=resources, **target).targets == {}


def test_a_subnet_can_be_mapped_by_itself() -> None:
    found = check(
        resources=Resources(networks=(OWN_NET,), subnets=(own_subnet("10.0.0.0/24"),)),
        rules=MappingRules(networks={"own": "x"}, subnets={"s": "name-sy"}),
        networks=(net("x", "theirs"),),
        subnets=(subnet("sx", "x", "10.0.0.0/24"), subnet("sy", "x", "10.1.0.0/24")),
    )
    assert found.targets[Ref("subnet", "s9")] == "sy"


# --- images, types, zones, keypairs ---


def test_an_image_of_the_same_bytes_is_taken_best_under_the_same_name() -> None:
    images = (image("copy", "aa"), image("ubuntu", "aa"), image("ubuntu", "bb"))
    found = check(References(images=(UBUNTU,)), images=images)
    assert found.targets == {UBUNTU.ref: "id-ubuntu-aa"}
    assert check(References(images=(UBUNTU,)), images=images[:1]).targets == {
        UBUNTU.ref: "id-copy-aa"
    }


def test_an_image_of_the_same_name_is_only_proposed() -> None:
    found = check(References(images=(UBUNTU,)), images=(image("ubuntu2", "bb"),))
    assert told(found) == ["image 'ubuntu': no image of the target has the same bytes"]
    assert yaml.safe_load(found.proposal(MappingRules())) == {"images": {"ubuntu": "ubuntu2"}}


def test_no_hash_equals_no_hash() -> None:
    unknown = ImageReference(id="i", name="u", hash_algo=None, hash_value=None)
    found = check(
        References(images=(unknown,)),
        images=({**image("u", None), "os_hash_algo": None},),
    )
    assert found.targets == {}


def test_an_own_image_can_be_mapped() -> None:
    own = Image(id="i", name="mine", disk_id="1", disk_format="raw", container_format="bare")
    rules = MappingRules(images={"mine": "ubuntu"})
    found = check(resources=Resources(images=(own,)), rules=rules, images=(image("ubuntu", "b"),))
    assert found.targets == {own.ref: "id-ubuntu-b"}


def test_volume_types_by_name_by_default_by_mapping_or_not_at_all() -> None:
    default = VolumeTypeReference(id="lvm", name="lvm", is_default=True)
    both = References(volume_types=(FAST, default))
    found = check(both, volume_types=("fast", "ceph"), default_volume_type="ceph")
    assert found.targets == {FAST.ref: "fast", default.ref: "ceph"}
    missing = check(References(volume_types=(FAST,)), volume_types=("ceph", "faster"))
    assert "only ceph, faster" in told(missing)[0]
    assert yaml.safe_load(missing.proposal(MappingRules())) == {"volume_types": {"fast": "faster"}}
    dropped = check(
        References(volume_types=(FAST,)), rules=MappingRules(volume_types={"fast": None})
    )
    assert (dropped.targets, dropped.faults) == ({FAST.ref: None}, [])


def test_an_unknown_zone_is_left_to_the_cloud_and_said() -> None:
    found = check(References(availability_zones=(ZONE,)), zones={"compute": frozenset({"nova"})})
    assert (found.targets, found.faults) == ({ZONE.ref: None}, [])
    assert "the cloud's default" in found.taken[0]
    here = {"compute": frozenset({"nova", "z"})}
    assert check(References(availability_zones=(ZONE,)), zones=here).targets == {ZONE.ref: "z"}
    rules = MappingRules(availability_zones={"z": "nova"})
    assert check(References(availability_zones=(ZONE,)), rules=rules, zones=here).targets == {
        ZONE.ref: "nova"
    }


def test_the_zones_of_the_volumes_are_not_those_of_the_servers() -> None:
    found = check(References(availability_zones=(ZONE,)), zones={"volume": frozenset({"z"})})
    assert found.targets == {ZONE.ref: None}


def test_a_keypair_that_the_bundle_does_not_hold() -> None:
    assert check(References(keypairs=(KEY,)), keypairs={"k": "x"}).targets == {KEY.ref: "k"}
    assert "the target has none of this name" in told(check(References(keypairs=(KEY,))))[0]
    found = check(References(keypairs=(KEY,)), rules=MappingRules(keypairs={"k": None}))
    assert (found.targets, found.faults) == ({KEY.ref: None}, [])


def test_another_key_under_the_name_of_ours_is_a_conflict_and_a_comment_is_not() -> None:
    resources = Resources(keypairs=(OWN_KEY,))
    same = check(resources=resources, keypairs={"k": "ssh-rsa AAA you@there"})
    assert (same.targets, same.faults) == ({}, [])
    other = check(resources=resources, keypairs={"k": "ssh-rsa BBB me@here"})
    assert "the target has another key under this name" in told(other)[0]
    rules = MappingRules(keypairs={"k": "k"})
    mapped = check(resources=resources, rules=rules, keypairs={"k": "ssh-rsa BBB"})
    assert (mapped.targets, mapped.faults) == ({OWN_KEY.ref: "k"}, [])


def test_a_keypair_of_the_bundle_is_not_dropped_but_skipped() -> None:
    rules = MappingRules(keypairs={"k": None})
    (line,) = told(check(resources=Resources(keypairs=(OWN_KEY,)), rules=rules))
    assert line == (
        "mapping keypairs: 'k': it is in the bundle and is made "
        "(leave it out with --skip keypair/k)"
    )


def test_all_that_is_missing_is_told_at_once() -> None:
    found = check(
        References(
            flavors=(SMALL,),
            networks=(PUBLIC, SHARED),
            images=(UBUNTU,),
            volume_types=(FAST,),
            keypairs=(KEY,),
        )
    )
    assert len(found.faults) == 6
    filled = yaml.safe_load(found.proposal(MappingRules()))
    assert filled["networks"] == {"public": "FILL-IN", "office": "FILL-IN"}
    assert set(filled) == {"flavors", "networks", "images", "volume_types", "keypairs"}


GOLD = QosPolicyReference(id="q1", name="gold")


@pytest.mark.parametrize(
    ("policies", "rules", "target"),
    [
        (["gold", "silver"], {}, "id-gold"),
        (["silver"], {"gold": "silver"}, "id-silver"),
        ([], {"gold": None}, None),
    ],
)
def test_a_policy_of_the_same_name_is_taken_or_a_rule_decides(
    policies: list[str], rules: dict[str, str | None], target: str | None
) -> None:
    there = tuple({"id": f"id-{name}", "name": name, "project_id": "op"} for name in policies)
    found = preflight(
        References(qos_policies=(GOLD,)),
        Resources(),
        MappingRules(qos_policies=rules),
        Survey(qos_policies=there, operators=frozenset({"op"})),
    )
    assert found.faults == []
    assert found.targets == {GOLD.ref: target}


@pytest.mark.parametrize(
    ("names", "told", "proposed"),
    [
        ([], "the target has no QoS policy of this name", "FILL-IN"),
        (["golden"], "the target has no QoS policy of this name", "golden"),
        (["gold", "gold"], "2 QoS policies of the target have this name", "gold"),
    ],
)
def test_another_policy_is_proposed_and_not_taken(
    names: list[str], told: str, proposed: str
) -> None:
    there = tuple({"id": f"{number}", "name": name} for number, name in enumerate(names))
    found = preflight(
        References(qos_policies=(GOLD,)), Resources(), MappingRules(), Survey(qos_policies=there)
    )
    (fault,) = found.faults
    assert told in fault.message
    assert found.proposals["qos_policies"]["gold"][0] == proposed
