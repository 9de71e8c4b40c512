"""From names and IDs to the resources of the project."""

from __future__ import annotations

from dataclasses import replace

from bundle_spec.model import Ref
from downpour_export.plan.select import select
from tests.unit.export.things import inventory, server, volume, wanted

TWINS = {
    identity: replace(volume(identity), record=replace(volume(identity).record, name="data"))
    for identity in ("v2", "v1")
}


def test_names_and_ids_find_their_resources() -> None:
    text = "keypairs: [{name: k}]\nimages: [{id: i-own}]\nservers: [{name: web}]\n"
    selection, faults = select(wanted(text), inventory())
    assert faults == []
    assert [record.id for _, record in selection.keypairs] == ["k"]
    assert [record.id for _, record in selection.images] == ["i-own"]
    assert [(item.where, record.id) for item, record in selection.servers] == [
        ("export.yml:3:11", "web")
    ]


def test_a_missing_name_is_answered_with_the_nearest() -> None:
    _, faults = select(wanted("servers: [{name: wev}]\n"), inventory())
    assert [str(each) for each in faults] == [
        "export.yml:1:11: no server of this project is named 'wev' (did you mean 'web'?)"
    ]


def test_a_missing_id_is_told_and_a_name_is_not_an_id() -> None:
    _, faults = select(wanted("keypairs: [{id: x}]\nservers: [{name: x}]\n"), inventory())
    assert [each.message for each in faults] == [
        "no keypair of this project has the ID 'x'",
        "no server of this project is named 'x'",
    ]


def test_an_ambiguous_name_lists_the_ids() -> None:
    _, (fault,) = select(wanted("volumes: [{name: data}]\n"), inventory(volumes=TWINS))
    assert "2 volumes of this project are named 'data'" in str(fault)
    assert "write id: instead of name:, one of v1, v2" in str(fault)


def test_an_id_decides_between_twins() -> None:
    selection, faults = select(wanted("volumes: [{id: v1}]\n"), inventory(volumes=TWINS))
    assert (faults, [record.id for _, record in selection.volumes]) == ([], ["v1"])


def test_two_items_that_name_one_resource_are_told() -> None:
    servers = {"s1": replace(server("s1"), record=replace(server("s1").record, name="web"))}
    text = "servers:\n  - name: web\n  - id: s1\n"
    selection, (fault,) = select(wanted(text), inventory(servers=servers))
    assert str(fault).startswith(
        "export.yml:3:5: the server 's1' is the one that export.yml:2:5 names"
    )
    assert len(selection.servers) == 1


def test_an_image_of_another_project_cannot_be_named() -> None:
    _, (fault,) = select(wanted("images: [{name: i-public}]\n"), inventory())
    assert "no image of this project is named 'i-public'" in str(fault)


def test_network_resources_are_named_too_and_only_the_projects_own() -> None:
    text = (
        "networks: [{name: name of n-other}, {name: name of n-shared}]\n"
        "routers: [{name: lonely}]\n"
        "security_groups: [{id: g-db}]\n"
        "floating_ips: [{id: f2}]\n"
    )
    selection, faults = select(wanted(text), inventory())
    assert {each.ref for each in selection.others} == {
        Ref("network", "n-other"),
        Ref("router", "r-lonely"),
        Ref("security_group", "g-db"),
        Ref("floating_ip", "f2"),
    }
    (fault,) = faults
    assert fault.message == "no network of this project is named 'name of n-shared'"


def test_a_floating_ip_is_named_by_its_address() -> None:
    selection, faults = select(wanted("floating_ips: [{name: 192.0.2.9}]\n"), inventory())
    assert not selection.floating_ips
    assert "2 floating IPs of this project are named '192.0.2.9'" in faults[0].message
