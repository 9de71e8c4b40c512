"""What goes, which disks are read, what is left out, and what cannot be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundle_spec.model import FlavorReference, Ref
from downpour_export.discover import Inventory
from downpour_export.errors import PlanFaults
from downpour_export.plan import Plan, make_plan
from downpour_export.plan.stopped import stopped_by_another
from tests.unit.export.things import (
    group,
    image,
    inventory,
    port,
    rule,
    server,
    volume,
    wanted,
)


def plan(text: str, found: Inventory | None = None) -> Plan:
    return make_plan(wanted(text), found or inventory())


def faults(text: str, found: Inventory) -> list[str]:
    with pytest.raises(PlanFaults) as caught:
        plan(text, found)
    return [str(each) for each in caught.value.faults]


def disks(made: Plan) -> list[str]:
    return [f"{each.type} {each.id} {each.consistency}" for each in made.captures]


def ids(made: Plan) -> set[str]:
    return {f"{each.type} {each.id}" for each in made.resources}


def test_a_server_goes_with_its_own_disk_instead_of_its_image() -> None:
    made = plan("servers: [{name: web}]\n")
    (web,) = made.resources.servers
    assert web.image_id is None
    assert disks(made) == ["server web live", "volume v-data live"]
    assert [each.server_id for each in made.captures] == ["web", "web"]
    assert [each.size for each in made.captures] == [2 << 30, 1 << 30]
    assert made.references.images == ()


def test_save_state_false_makes_a_server_from_its_image_and_its_volumes_empty() -> None:
    made = plan("servers: [{name: web, save_state: false}]\n")
    assert made.resources.servers[0].image_id == "i-public"
    assert disks(made) == []
    assert [each.id for each in made.references.images] == ["i-public"]
    assert "volume v-data" in ids(made)


def test_an_image_of_the_project_goes_with_a_server_that_is_made_from_it() -> None:
    found = inventory(servers={"web": server("web", image_id="i-own")})
    made = plan("servers: [{name: web, save_state: false}]\n", found)
    assert disks(made) == ["image i-own idle"]
    assert made.captures[0].size == 5


@pytest.mark.parametrize(("of_server", "of_volume"), [("true", "false"), ("false", "true")])
def test_a_volumes_own_item_decides_over_its_servers(of_server: str, of_volume: str) -> None:
    made = plan(
        f"servers: [{{name: web, save_state: {of_server}}}]\n"
        f"volumes: [{{name: v-data, save_state: {of_volume}}}]\n"
    )
    assert ("volume v-data live" in disks(made)) == (of_volume == "true")
    assert ("server web live" in disks(made)) == (of_server == "true")


def test_another_key_goes_instead_of_the_old_one() -> None:
    made = plan("servers: [{name: web, key_name: l}]\n")
    assert [each.id for each in made.resources.keypairs] == ["l"]
    assert made.resources.servers[0].key_name == "l"


def test_a_key_that_the_project_does_not_have_is_a_reference() -> None:
    made = plan("servers: [{name: web, key_name: elsewhere}]\n")
    assert [each.id for each in made.references.keypairs] == ["elsewhere"]
    assert any("the keypair 'elsewhere', which this user does not have" in w for w in made.warnings)


def test_without_its_disk_a_server_may_be_in_any_settled_state() -> None:
    text = "servers: [{name: web, save_state: false}]\n"
    shelved = inventory(servers={"web": server("web", status="SHELVED_OFFLOADED")})
    assert disks(plan(text, shelved)) == []
    building = inventory(servers={"web": server("web", status="BUILD")})
    assert ["is BUILD: its intended state is not known" in told for told in faults(text, building)]


def test_an_image_that_a_server_is_made_from_must_be_active() -> None:
    found = inventory(
        servers={"web": server("web", image_id="late")},
        images={"late": image("late", status="saving")},
    )
    (told,) = faults("servers: [{name: web, save_state: false}]\n", found)
    assert "booted from is saving, not active" in told


@pytest.mark.parametrize(
    ("status", "consistency"),
    [("ACTIVE", "live"), ("SHUTOFF", "stopped"), ("PAUSED", "paused"), ("SUSPENDED", "paused")],
)
def test_the_state_of_a_server_is_the_consistency_of_its_disks(
    status: str, consistency: str
) -> None:
    found = inventory(servers={"web": server("web", status=status, volumes=("v-data",))})
    made = plan("servers: [{name: web}]\n", found)
    assert disks(made) == [f"server web {consistency}", f"volume v-data {consistency}"]
    assert any("as after a power cut" in each for each in made.warnings) == (status == "ACTIVE")


def test_a_volume_that_several_servers_write_to_is_live_if_one_of_them_runs() -> None:
    servers = {
        "a": server("a", status="SHUTOFF", volumes=("v",)),
        "b": server("b", status="ACTIVE", volumes=("v",)),
    }
    found = inventory(servers=servers, volumes={"v": volume("v", "a", "b", status="in-use")})
    assert "volume v live" in disks(plan("servers: [{name: a}, {name: b}]\n", found))


def test_a_detached_volume_is_idle() -> None:
    assert disks(plan("volumes: [{name: v-free}]\n")) == ["volume v-free idle"]


def test_every_fault_is_told_at_once_and_where() -> None:
    found = inventory(
        servers={
            "sick": server("sick", status="ERROR"),
            "boots": server("boots", image_id=None),
            "orphan": server("orphan", image_id="gone"),
        },
        images={"late": image("late", status="saving")},
        volumes={
            "secret": volume("secret", encrypted=True),
            "broken": volume("broken", status="error"),
        },
    )
    told = faults(
        "servers:\n  - name: sick\n  - {name: boots, save_state: false}\n"
        "  - {name: orphan, save_state: false}\n  - name: missing\n"
        "images: [{name: late}]\nvolumes: [{name: secret}, {name: broken}]\n",
        found,
    )
    assert len(told) == 7
    assert "export.yml:2:5: server 'sick' is ERROR" in " ".join(told)
    assert "export.yml:3:5: server 'boots' boots from a volume" in " ".join(told)
    assert "export.yml:4:5: the image gone that server 'orphan' booted from" in " ".join(told)
    assert "no server of this project is named 'missing'" in " ".join(told)
    assert "image 'late' is saving, not active" in " ".join(told)
    assert "volume 'secret' (secret) is encrypted" in " ".join(told)
    assert "volume 'broken' (broken) is error" in " ".join(told)


def test_an_encrypted_volume_can_go_without_its_contents() -> None:
    found = inventory(volumes={"v": volume("v", encrypted=True, status="error")})
    made = plan("volumes: [{name: v, save_state: false}]\n", found)
    assert (disks(made), ids(made)) == ([], {"volume v"})


def test_an_encrypted_volume_of_a_server_is_a_fault_too() -> None:
    found = inventory(volumes={"v-data": volume("v-data", "web", encrypted=True)})
    assert ["encrypted" in each for each in faults("servers: [{name: web}]\n", found)] == [True]


def test_a_volume_of_a_server_that_is_not_listed_goes_alone_with_a_warning() -> None:
    made = plan("volumes: [{name: v-data}]\n")
    assert ids(made) == {"volume v-data"}
    assert made.captures[0].server_id is None
    (warning,) = made.warnings
    assert "attached to server web, which is not listed" in warning
    assert plan("servers: [{name: web}]\nvolumes: [{name: v-data}]\n").warnings == (
        "server 'web': captured while it runs: its disks are as after a power cut",
    )


def test_what_is_to_be_said_of_many_servers_is_said_once() -> None:
    many = {f"s{number}": server(f"s{number}") for number in range(40)}
    text = "servers:\n" + "".join(f"  - name: {name}\n" for name in many)
    assert plan(text, inventory(servers=many)).warnings == (
        "server 's0', 's1', 's2' and 37 more: captured while it runs: its disks are as after a "
        "power cut",
    )


def test_a_volume_without_a_name_is_called_by_its_id() -> None:
    nameless = volume("v-data", "web")
    nameless = replace(nameless, record=replace(nameless.record, name=""))
    (warning,) = plan("volumes: [{id: v-data}]\n", inventory(volumes={"v-data": nameless})).warnings
    assert warning.startswith("volume 'v-data': attached to server web")


def test_a_router_keeps_only_interfaces_on_carried_subnets_and_says_so() -> None:
    made = plan("servers: [{name: web}]\n")
    (router,) = made.resources.routers
    assert [each.subnet_id for each in router.interfaces] == ["s-own"]
    (omission,) = [each for each in made.omissions if each.type == "router"]
    assert (omission.type, omission.id, omission.attribute) == ("router", "r-edge", "interfaces")
    assert omission.reason == "10.1.0.1: subnet s-other is not carried"


def test_groups_of_other_projects_are_left_out_and_told() -> None:
    web = replace(
        group("g-web", "foreign"),
        rules=(rule("r1", remote_group_id="foreign"), rule("r2", remote_ip_prefix="::/0")),
    )
    found = inventory(
        security_groups={"g-web": web},
        ports={"p-web": port("p-web", "n-own", "s-own", "web", ("g-web", "theirs"))},
    )
    made = plan("servers: [{name: web}]\n", found)
    assert [each.id for each in made.resources.security_groups[0].rules] == ["r2"]
    assert made.resources.ports[0].security_group_ids == ("g-web",)
    reasons = {each.reason for each in made.omissions}
    assert "rule r1 names a group of another project" in reasons
    assert "group theirs belongs to another project" in reasons


def test_disks_that_no_api_reads_are_omissions() -> None:
    flavor = FlavorReference(id="big", name="big", vcpus=1, ram=1, disk=0, ephemeral=7, swap=64)
    made = plan("servers: [{name: w}]\n", inventory(servers={"w": server("w", flavor=flavor)}))
    told = [each for each in made.omissions if each.attribute != "user_data"]
    assert [(each.attribute, each.reason.split(":")[0][:19]) for each in told] == [
        ("ephemeral disk", "7 GiB made again em"),
        ("swap disk", "64 MiB made again e"),
    ]


def test_what_the_target_must_have_is_told_so_that_it_can_be_recognised() -> None:
    found = inventory()
    data = replace(found.volumes["v-data"].record, volume_type="fast", availability_zone="az1")
    web = replace(found.servers["web"].record, availability_zone="zone")
    found = replace(
        found,
        volumes={"v-data": replace(found.volumes["v-data"], record=data)},
        servers={"web": replace(found.servers["web"], record=web)},
        default_volume_type="fast",
    )
    made = plan("servers: [{name: web}]\n", found).references
    assert {each.ref for each in made} == {
        Ref("flavor", "m1"),
        Ref("network", "n-ext"),
        Ref("volume_type", "fast"),
        Ref("availability_zone", "volume/az1"),
        Ref("availability_zone", "compute/zone"),
    }
    assert made.volume_types[0].is_default
    assert made.networks[0].external
    assert {each.service for each in made.availability_zones} == {"compute", "volume"}


def test_a_port_whose_subnet_cannot_be_seen_goes_without_the_address() -> None:
    """A tenant may have a port right on an external network and not see its subnets."""
    found = inventory(
        ports={"p": port("p", "n-ext", "s-hidden", "w")}, servers={"w": server("w", ports=("p",))}
    )
    made = plan("servers: [{name: w}]\n", found)
    assert made.resources.ports[0].fixed_ips == ()
    assert made.references.subnets == ()
    assert ("port", "fixed_ips") in [(each.type, each.attribute) for each in made.omissions]


def test_what_no_server_needs_goes_when_it_is_named_with_what_it_needs() -> None:
    text = "networks: [{name: name of n-other}]\nsecurity_groups: [{name: g-web}]\n"
    plan = make_plan(wanted(text), inventory())
    assert {each.ref for each in plan.resources} == {
        Ref("network", "n-other"),
        Ref("subnet", "s-other"),
        Ref("router", "r-edge"),
        Ref("security_group", "g-web"),
        Ref("security_group", "g-db"),
    }
    assert plan.captures == ()


def test_a_server_that_another_export_stopped_is_told_and_not_taken_for_one_that_is_off() -> None:
    text = "servers: [{name: web}, {name: up}, {name: down}]\n"
    found = inventory(
        servers={
            each.record.id: each
            for each in (
                server("web", status="SHUTOFF", stopped_by="one"),
                server("up", stopped_by="one"),  # somebody has started it since
                server("down", status="SHUTOFF"),
            )
        }
    )
    made = plan(text, found)
    assert made.stopped_by == {"web": "one"}
    (fault,) = stopped_by_another(made)
    assert str(fault).startswith("server 'web' (web): an export has stopped it and did not start")
    assert "cleanup" in str(fault)
    assert list(stopped_by_another(made, "one")) == []


def test_a_name_that_begins_like_a_mark_is_told_before_anything_is_read() -> None:
    """[M-16]"""
    marked = volume("v-free")
    name = "dpb-0123456789ab-" + "0" * 32
    found = inventory(volumes={"v-free": replace(marked, record=replace(marked.record, name=name))})
    (fault,) = faults(f"volumes: [{{name: {name}}}]\n", found)
    assert "volumes[0].name: a text is reserved for downpour's own marks" in fault
