"""What follows from a resource, and what does not."""

from __future__ import annotations

from dataclasses import replace

from bundle_spec.model import Ref
from downpour_export.plan.graph import Closure, carried_record, closure
from tests.unit.export.things import group, inventory, network, port, server, subnet

WEB = inventory().servers["web"].record


def names(reached: object) -> set[str]:
    assert isinstance(reached, Closure)
    return {str(ref) for ref in reached.pulled_in_by}


def test_a_server_pulls_in_all_that_it_stands_on() -> None:
    reached = closure(inventory(), [WEB])
    assert names(reached) == {
        "server web",
        "flavor m1",
        "image i-public",
        "keypair k",
        "port p-web",
        "volume v-data",
        "network n-own",
        "subnet s-own",
        "security group g-web",
        "security group g-db",
        "router r-edge",
        "network n-ext",
        "floating ip f1",
    }


def test_each_reached_thing_says_what_pulled_it_in() -> None:
    why = closure(inventory(), [WEB]).pulled_in_by
    assert why[Ref("server", "web")] is None
    assert why[Ref("subnet", "s-own")] == Ref("port", "p-web")
    assert why[Ref("router", "r-edge")] == Ref("subnet", "s-own")
    assert why[Ref("network", "n-ext")] in (Ref("router", "r-edge"), Ref("floating_ip", "f1"))
    assert why[Ref("security_group", "g-db")] == Ref("security_group", "g-web")


def test_a_router_does_not_pull_in_the_other_networks_that_it_joins() -> None:
    reached = closure(inventory(), [WEB])
    assert Ref("subnet", "s-other") not in reached
    assert Ref("network", "n-other") not in reached


def test_a_network_brings_every_subnet_of_its_own() -> None:
    subnets = {each.id: each for each in (subnet("s-own", "n-own"), subnet("s-more", "n-own"))}
    reached = closure(inventory(subnets=subnets), [WEB])
    assert Ref("subnet", "s-more") in reached


def test_groups_that_name_each_other_or_themselves_end() -> None:
    groups = {each.id: each for each in (group("g-web", "g-db", "g-web"), group("g-db", "g-web"))}
    reached = closure(inventory(security_groups=groups), [WEB])
    assert sorted(ref.id for ref in reached.pulled_in_by if ref.type == "security_group") == [
        "g-db",
        "g-web",
    ]


def test_another_key_is_needed_instead_of_the_old_one() -> None:
    reached = closure(inventory(), [replace(WEB, key_name="l")])
    assert Ref("keypair", "l") in reached
    assert Ref("keypair", "k") not in reached


def test_a_port_on_a_shared_network_refers_to_it_and_to_its_subnet() -> None:
    changed = inventory(
        subnets={"s-shared": subnet("s-shared", "n-shared")},
        ports={"p": port("p", "n-shared", "s-shared", "w")},
        servers={"w": server("w", ports=("p",))},
    )
    reached = closure(changed, [changed.servers["w"].record])
    assert Ref("network", "n-shared") in reached
    assert carried_record(changed, Ref("network", "n-shared")) is None
    assert carried_record(changed, Ref("subnet", "s-shared")) is None


def test_what_belongs_to_the_project_can_be_made_again_and_what_does_not_cannot() -> None:
    whole = inventory()
    for ref in (
        Ref("network", "n-own"),
        Ref("subnet", "s-own"),
        Ref("port", "p-web"),
        Ref("image", "i-own"),
        Ref("volume", "v-data"),
        Ref("server", "web"),
        Ref("keypair", "k"),
        Ref("security_group", "g-db"),
        Ref("router", "r-edge"),
        Ref("floating_ip", "f1"),
    ):
        record = carried_record(whole, ref)
        assert record is not None
        assert record.ref == ref
    for ref in (
        Ref("network", "n-ext"),
        Ref("image", "i-public"),
        Ref("flavor", "m1"),
        Ref("port", "gone"),
        Ref("subnet", "gone"),
        Ref("security_group", "of another project"),
    ):
        assert carried_record(whole, ref) is None


def test_an_external_network_is_never_carried_even_if_the_project_owns_it() -> None:
    found = network("n", owned=False, external=True)
    assert carried_record(inventory(networks={"n": found}), Ref("network", "n")) is None
