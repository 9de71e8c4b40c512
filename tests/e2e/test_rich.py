"""Every attribute that a tenant can set arrives, compared through the APIs of both clouds."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bundle_spec import verify_bundle
from bundle_spec.model import Manifest
from tests.devcloud import Devcloud
from tests.e2e.conftest import Shell, read_csv
from tests.e2e.holdings import holdings
from tests.e2e.rich import EXPORT_YML, build, policies
from tests.e2e.rich.tenant import MAC, POLICY, USER_DATA, Rich, call

MAPPING = "volume_types: {ssd: fast, hdd: bulk}\navailability_zones: {nova: zone-a}\n"


@dataclass(frozen=True)
class Moved:
    """``everything``: the plan of ``query --all``.  ``new``: (type, old ID) -> new ID."""

    rich: Rich
    manifest: Manifest
    plan: Any
    everything: Any
    told: str
    new: Mapping[tuple[str, str], str]
    before: Any
    after: Any


@pytest.fixture(scope="module")
def moved(clouds: Devcloud, connect: Any, shell: Shell) -> Moved:
    """Out of the source's other project, into the target's other one."""
    for side in ("source", "target"):
        policies(connect(f"{side}-admin"))
    source = connect("source-other")
    rich = build(source)
    (shell.directory / "init.sh").write_bytes(USER_DATA)
    address = f"floating_ips:\n  - id: {rich.id('spare-fip')}\n"
    (shell.directory / "rich.yml").write_text(EXPORT_YML + address)
    (shell.directory / "rich-map.yml").write_text(MAPPING)
    cloud = ("--cloud", "source-other")
    plan = shell.run("downpour-export", "plan", "--json", *cloud, "rich.yml")
    shell.run("downpour-export", "query", "--all", *cloud, "all.yml")
    everything = shell.run("downpour-export", "plan", "--json", *cloud, "all.yml")
    before = holdings(source)
    exported = shell.run("downpour-export", *cloud, "rich.yml", "rich.dpbundle")
    after = holdings(source)
    shell.run(
        "downpour-import", "rich.dpbundle", "--cloud", "target-other", "--map", "rich-map.yml"
    )
    rows = read_csv(shell.directory / "rich.target-other" / "uuids.csv")[1:]
    return Moved(
        rich=rich,
        manifest=verify_bundle(shell.directory / "rich.dpbundle", read_data=True).manifest,
        plan=json.loads(plan.stdout),
        everything=json.loads(everything.stdout),
        told=exported.stderr,
        new={(kind, old): new for kind, _, old, new in rows},
        before=before,
        after=after,
    )


class Pair:
    """One resource on both clouds."""

    def __init__(self, moved: Moved, connect: Any) -> None:
        self._moved = moved
        self._clouds = connect("source-other"), connect("target-other")
        self.target = self._clouds[1]

    def of(
        self,
        kind: str,
        name: str,
        service: str,
        path: str,
        key: str | None = None,
        version: str | None = None,
    ) -> tuple[Any, Any]:
        old = self._moved.rich.id(name)
        ids = old, self._moved.new[kind, old]
        found = [
            call(getattr(cloud, service), "GET", f"{path}/{identity}", version=version)
            for cloud, identity in zip(self._clouds, ids, strict=True)
        ]
        return (found[0][key], found[1][key]) if key else (found[0], found[1])

    def network(self, kind: str, name: str) -> tuple[Any, Any]:
        key = kind.replace(" ", "_").replace("floating_ip", "floatingip")
        return self.of(kind, name, "network", "/" + key.replace("_", "-") + "s", key)

    def server(self, name: str) -> tuple[Any, Any]:
        return self.of("server", name, "compute", "/servers", "server", "2.96")

    def lists(self, service: str, path: str, name: str, version: str | None = None) -> list[Any]:
        old = self._moved.rich.id(name)
        kind = "server" if service == "compute" else "floating ip"
        ids = old, self._moved.new[kind, old]
        return [
            call(getattr(cloud, service), "GET", path.format(identity), version=version)
            for cloud, identity in zip(self._clouds, ids, strict=True)
        ]


@pytest.fixture(scope="module")
def pair(moved: Moved, connect: Any) -> Pair:
    return Pair(moved, connect)


def equal(pair: tuple[Any, Any], *names: str) -> None:
    old, new = pair
    assert {name: plain(old[name]) for name in names} == {name: plain(new[name]) for name in names}


def plain(value: Any) -> Any:
    """Lists in any order: the APIs give them so."""
    return sorted(value, key=str) if isinstance(value, list) else value


def tags(item: Any) -> list[str]:
    return sorted(tag for tag in item["tags"] if not tag.startswith("dpb-"))


def test_the_source_is_as_it_was_but_for_what_was_stopped_for_good(moved: Moved) -> None:
    before, after = moved.before, moved.after
    kept = moved.rich.id("to-volume")
    assert before["servers"].pop(kept)["status"] == "ACTIVE"
    assert after["servers"].pop(kept)["status"] == "SHUTOFF"
    for servers in (before["servers"], after["servers"]):
        for each in servers.values():
            each.pop("launched_at", None)
    assert after == before


def test_what_was_planned_is_what_went(moved: Moved) -> None:
    assert {each["id"] for each in moved.plan["resources"]} <= {
        *(each.id for each in moved.manifest.resources),
        moved.rich.id("to-image-root"),  # it went as an image
    }
    assert moved.plan["stops"] == {
        moved.rich.id("rich"): "during",
        moved.rich.id("to-volume"): "keep",
    }
    assert moved.plan["boots"] == {
        moved.rich.id("to-volume"): "volume",
        moved.rich.id("to-image"): "image",
    }
    assert moved.plan["temporary"]["lacks"] == []


@pytest.mark.parametrize("name", ["lab", "bare", "spare"])
def test_networks(pair: Pair, name: str) -> None:
    found = pair.network("network", name)
    equal(found, "name", "description", "mtu", "port_security_enabled", "admin_state_up")
    equal(found, "dns_domain")
    assert tags(found[0]) == tags(found[1])
    assert bool(found[0]["qos_policy_id"]) == bool(found[1]["qos_policy_id"]) == (name == "lab")


@pytest.mark.parametrize("name", ["lab-v4", "lab-v6", "bare-v4", "bare-agents", "spare-v4"])
def test_subnets(pair: Pair, name: str) -> None:
    found = pair.network("subnet", name)
    equal(
        found,
        "name",
        "description",
        "cidr",
        "ip_version",
        "gateway_ip",
        "enable_dhcp",
        "host_routes",
        "dns_nameservers",
        "ipv6_address_mode",
        "ipv6_ra_mode",
        "service_types",
    )
    assert tags(found[0]) == tags(found[1])
    pools = [sorted(map(str, each["allocation_pools"])) for each in found]
    assert pools[0] == pools[1]


def test_the_router(pair: Pair, moved: Moved) -> None:
    found = pair.network("router", "edge")
    equal(found, "name", "description", "admin_state_up", "routes")
    assert tags(found[0]) == tags(found[1])
    assert found[1]["external_gateway_info"]


def test_ports(pair: Pair, moved: Moved) -> None:
    found = pair.network("port", "front-port")
    equal(
        found,
        "name",
        "description",
        "mac_address",
        "admin_state_up",
        "dns_name",
        "port_security_enabled",
        "binding:vnic_type",
    )
    assert found[1]["mac_address"] == MAC
    assert tags(found[0]) == tags(found[1])
    addresses = [[ip["ip_address"] for ip in each["fixed_ips"]] for each in found]
    assert sorted(addresses[0]) == sorted(addresses[1])
    for name in ("allowed_address_pairs", "extra_dhcp_opts"):
        assert sorted(map(str, found[0][name])) == sorted(map(str, found[1][name]))
    groups = {moved.new["security group", group] for group in found[0]["security_groups"]}
    assert groups == set(found[1]["security_groups"])
    assert found[1]["qos_policy_id"]
    equal(pair.network("port", "back-port"), "name", "admin_state_up", "port_security_enabled")


def test_the_trunk(pair: Pair, moved: Moved) -> None:
    found = pair.network("trunk", "trunk")
    equal(found, "name", "description", "admin_state_up")
    assert tags(found[0]) == tags(found[1])
    assert found[1]["port_id"] == moved.new["port", moved.rich.id("front-port")]
    (sub_port,) = found[1]["sub_ports"]
    assert sub_port == {
        "port_id": moved.new["port", moved.rich.id("vlan-port")],
        "segmentation_type": "vlan",
        "segmentation_id": 101,
    }


RULE = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max",
        "remote_ip_prefix", "description")  # fmt: skip


@pytest.mark.parametrize("name", ["front", "default"])
def test_security_groups(pair: Pair, moved: Moved, name: str) -> None:
    found = pair.network("security group", name)
    equal(found, "name", "stateful")

    def rules(item: Any, new: bool) -> list[Any]:
        def other(kind: str, identity: str | None) -> str | None:
            return identity if new or identity is None else moved.new[kind, identity]

        return sorted(
            (
                [str(rule[key]) for key in RULE]
                + [
                    str(other("security group", rule["remote_group_id"])),
                    str(other("address group", rule["remote_address_group_id"])),
                ]
                for rule in item["security_group_rules"]
            ),
            key=str,
        )

    assert rules(found[0], False) == rules(found[1], True)


def test_address_groups(pair: Pair) -> None:
    old, new = pair.network("address group", "partners")
    equal((old, new), "name", "description")
    assert sorted(old["addresses"]) == sorted(new["addresses"])


def test_the_floating_ip_forwards_its_port(pair: Pair, moved: Moved) -> None:
    found = pair.network("floating ip", "fip")
    equal(found, "description")
    assert tags(found[0]) == tags(found[1])
    old, new = (
        each["port_forwardings"][0]
        for each in pair.lists("network", "/floatingips/{}/port_forwardings", "fip")
    )
    equal(
        (old, new),
        "protocol",
        "internal_port",
        "external_port",
        "internal_ip_address",
        "description",
    )
    assert new["internal_port_id"] == moved.new["port", old["internal_port_id"]]


def test_what_hangs_on_no_server_arrives(pair: Pair, moved: Moved) -> None:
    equal(pair.network("floating ip", "spare-fip"), "description", "port_id")
    equal(pair.network("port", "spare-port"), "name", "mac_address", "device_owner")
    old, new = pair.network("trunk", "spare-trunk")
    assert new["port_id"] == moved.new["port", old["port_id"]]
    equal(pair.network("address group", "unused"), "name", "addresses")
    identity = moved.new["volume snapshot", moved.rich.id("again-before")]
    volume = call(pair.target.block_storage, "GET", f"/volumes/{identity}")["volume"]
    assert (volume["name"], volume["bootable"]) == ("again-before", "true")


def test_all_takes_all_and_a_part_names_the_rest(moved: Moved) -> None:
    rich = moved.rich
    carried = {each["id"] for each in moved.everything["resources"]}
    assert {made["id"] for made in rich.made.values()} - {rich.id("edge-port")} <= carried
    left = moved.everything["left_behind"]
    assert left == {"resources": [], "more": [], "not_asked": {}, "unknown_services": []}
    rest = moved.plan["left_behind"]["resources"]
    assert ("security_group", rich.id("loose")) in {(each["type"], each["id"]) for each in rest}
    assert {each["reason"] for each in rest} == {"not in the resource file"}


def test_a_snapshot_is_captured_when_it_was_taken(moved: Moved) -> None:
    captures = {disk.capture.id: disk.capture for disk in moved.manifest.disks if disk.capture}
    for name in ("before", "again-before"):
        created = moved.rich.made[name]["created_at"].partition(".")[0]
        assert captures[moved.rich.id(name)].at == f"{created}+00:00"


def test_the_image(pair: Pair, moved: Moved) -> None:
    found = pair.of("image", "rich-image", "image", "/images")
    equal(
        found,
        "name",
        "min_disk",
        "min_ram",
        "protected",
        "os_hidden",
        "tags",
        "hw_disk_bus",
        "os_distro",
        "my_own",
        "disk_format",
        "container_format",
        "os_hash_value",
    )
    assert found[1]["kernel_id"] == moved.new["image", moved.rich.id("rich-kernel")]


def test_the_volume_and_its_snapshot(pair: Pair, moved: Moved) -> None:
    found = pair.of("volume", "rich-data", "block_storage", "/volumes", "volume")
    equal(found, "name", "description", "size", "bootable")
    have = found[1]["volume_image_metadata"].items()
    assert have >= found[0]["volume_image_metadata"].items()
    assert found[1]["metadata"].items() >= {"kept": "{{ yes }}"}.items()
    assert (found[1]["volume_type"], found[1]["availability_zone"]) == ("bulk", "zone-a")
    # A snapshot becomes a volume.
    identity = moved.new["volume snapshot", moved.rich.id("before")]
    volume = call(pair.target.block_storage, "GET", f"/volumes/{identity}")["volume"]
    assert (volume["name"], volume["description"], volume["size"]) == ("before", "as it was", 1)
    assert volume["metadata"]["why"] == "upgrade"


def test_the_server(pair: Pair, moved: Moved) -> None:
    found = pair.server("rich")
    equal(
        found,
        "name",
        "description",
        "config_drive",
        "key_name",
        "tags",
        "accessIPv4",
        "accessIPv6",
        "OS-DCF:diskConfig",
        "OS-EXT-SRV-ATTR:hostname",
        "status",
    )
    assert found[1]["metadata"]["role"] == "{{ rich }}"
    assert found[1]["server_groups"] == [moved.new["server group", moved.rich.id("spread")]]
    nics = pair.lists("compute", "/servers/{}/os-interface", "rich", "2.70")
    by_port = {each["port_id"]: each["tag"] for each in nics[1]["interfaceAttachments"]}
    assert by_port == {
        moved.new["port", moved.rich.id("front-port")]: "front",
        moved.new["port", moved.rich.id("back-port")]: "back",
    }
    volumes = pair.lists("compute", "/servers/{}/os-volume_attachments", "rich", "2.79")
    (attached,) = volumes[1]["volumeAttachments"]
    assert (attached["tag"], attached["delete_on_termination"]) == ("data", True)
    record = next(each for each in moved.manifest.resources.servers if each.name == "rich")
    assert base64.b64decode(record.user_data or "") == USER_DATA


def test_server_groups(pair: Pair) -> None:
    for name in ("spread", "nobody"):
        found = pair.of(
            "server group", name, "compute", "/os-server-groups", "server_group", "2.64"
        )
        equal(found, "name", "policy", "rules")


def test_a_server_boots_from_what_it_was_told_to(pair: Pair, moved: Moved) -> None:
    _, to_volume = pair.server("to-volume")
    assert not to_volume["image"]
    assert len(to_volume["os-extended-volumes:volumes_attached"]) == 1
    assert to_volume["status"] == "ACTIVE"  # it ran before it was stopped for good
    _, to_image = pair.server("to-image")
    assert to_image["image"]
    assert to_image["os-extended-volumes:volumes_attached"] == []


def test_a_server_without_contents_is_made_from_the_image_of_its_volume(
    pair: Pair, moved: Moved
) -> None:
    found = pair.server("again")
    equal(found, "locked", "locked_reason")
    assert found[1]["locked_reason"] == "not on a Sunday"
    root = pair.of("volume", "again-root", "block_storage", "/volumes", "volume")[1]
    assert root["bootable"] == "true"
    assert root["volume_image_metadata"]["image_name"] == "tiny-linux"


def test_a_shelved_server_arrives_stopped(pair: Pair, moved: Moved) -> None:
    old, new = pair.server("shelf")
    assert (old["status"], new["status"]) == ("SHELVED_OFFLOADED", "SHUTOFF")
    captures = {disk.capture.id: disk.capture for disk in moved.manifest.disks if disk.capture}
    assert captures[moved.rich.id("shelf")].consistency == "stopped"
    assert captures[moved.rich.id("rich")].consistency == "stopped"
    assert captures[moved.rich.id("rich-data")].consistency == "stopped"


def test_the_policy_of_the_same_name_is_taken(moved: Moved) -> None:
    assert [each.name for each in moved.manifest.references.qos_policies] == [POLICY]


def test_what_is_not_carried_is_told(moved: Moved) -> None:
    told = {(each.type, each.attribute) for each in moved.manifest.omissions}
    assert {
        ("server", "user_data"),
        ("server", "boot volume"),
        ("volume", "contents"),
        ("keypair", "private key"),
        ("floating_ip", "address"),
    } <= told
    assert (
        "not carried: server 'to-volume', 'to-image', 'again' and 1 more: user_data" in moved.told
    )
