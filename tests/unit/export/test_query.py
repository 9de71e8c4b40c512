"""Looking for resources: what fits, by which name it is found again, and what the command says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundle_spec.cli.arguments import parse
from bundle_spec.errors import UsageError
from downpour_export import cli
from downpour_export.discover import Inventory
from downpour_export.resource_file.query import Query, all_principal, as_matches, matches
from downpour_export.usage import PROGRAM
from tests.unit.export.things import image, inventory, server, volume


def project() -> Inventory:
    whole = inventory()
    db = server("id-db", ports=("p-db",))
    db = replace(
        db,
        record=replace(db.record, name="db", tags=("prod",), metadata={"role": "db", "a": "b=c"}),
    )
    twin = replace(db, record=replace(db.record, id="id-twin", tags=(), metadata={}, nics=()))
    port = whole.ports["p-web"]
    other = replace(port, record=replace(port.record, id="p-db", network_id="n-shared"))
    return replace(
        whole,
        servers={**whole.servers, "id-db": db, "id-twin": twin},
        ports={**whole.ports, "p-db": other},
        images={
            **whole.images,
            "i-temp": image("downpour-0123456789ab-web"),
            "i-queued": image("i-queued", status="queued"),
        },
        volumes={**whole.volumes, "v-gone": volume("v-gone", "a server of another project")},
    )


def found(**wanted: object) -> list[str]:
    hits, fruitless = matches(Query(**wanted), project())  # type: ignore[arg-type]
    assert fruitless == []
    return [hit.record.id for hit in hits]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"server_names": ("w*",)}, ["web"]),
        ({"server_names": ("id-*",)}, ["id-db", "id-twin"]),
        ({"server_names": ("web", "id-twin")}, ["id-twin", "web"]),
        ({"flavors": ("m1",)}, ["id-db", "id-twin", "web"]),
        ({"tags": ("prod",)}, ["id-db"]),
        ({"metadata": (("role", "db"),)}, ["id-db"]),
        ({"metadata": (("a", "b=c"),)}, ["id-db"]),
        ({"networks": ("name of n-own",)}, ["web"]),
        ({"networks": ("n-shared",)}, ["id-db"]),
        ({"server_names": ("web", "db"), "tags": ("prod",)}, ["id-db"]),
        ({"image_names": ("i-*",)}, ["i-own"]),
        ({"volume_names": ("v-*",)}, ["v-free", "v-gone"]),
        ({"keypair_names": ("k", "l")}, ["k", "l"]),
        ({"keypair_names": ("k",), "volume_names": ("v-free",)}, ["k", "v-free"]),
    ],
)
def test_what_fits(wanted: dict[str, object], ids: list[str]) -> None:
    assert found(**wanted) == ids


def test_on_all_of_these_the_rest_of_the_project_hangs() -> None:
    whole = project()
    backed = replace(image("i-backed"), volume_backed=True)
    found = all_principal(replace(whole, images={**whole.images, "i-backed": backed}))
    assert {section: [each.id for each in records] for section, records in found.items()} == {
        "keypairs": ["k", "l"],
        "images": ["i-own", "downpour-0123456789ab-web"],
        "volumes": ["v-free", "v-gone"],
        "servers": ["web", "id-db", "id-twin"],
    }
    hits = as_matches(found, whole)
    assert [hit.record.id for hit in hits] == [
        "k", "l", "i-own", "v-free", "v-gone", "id-db", "id-twin", "web",
    ]  # fmt: skip


def test_what_fits_nothing_is_told_as_it_was_given() -> None:
    hits, fruitless = matches(
        Query(server_names=("web", "nothing*"), metadata=(("x", "y"),), volume_names=("v-data",)),
        project(),
    )
    assert hits == []  # the servers' options narrow each other
    assert fruitless == ["--server-name nothing*", "--server-metadata x=y", "--volume-name v-data"]


def test_a_name_that_two_have_does_not_find_one_again() -> None:
    hits, _ = matches(Query(server_names=("*",)), project())
    assert {hit.record.id: hit.by_name for hit in hits} == {
        "web": True,
        "id-db": False,
        "id-twin": False,
    }


def test_a_volume_of_that_name_within_a_server_makes_it_ambiguous_too() -> None:
    whole = project()
    attached = replace(whole.volumes["v-data"].record, name="v-free")
    whole.volumes["v-data"] = replace(whole.volumes["v-data"], record=attached)
    (hit,), _ = matches(Query(volume_names=("v-free",)), whole)
    assert not hit.by_name


def options(*arguments: str) -> Query:
    return cli.query_of(parse(PROGRAM, ["query", *arguments, "export.yml"]).arguments)


def test_every_option_arrives_once() -> None:
    assert options(
        "--server-name", "a", "--server-name", "b", "--server-flavor", "f", "--server-tag", "t",
        "--server-metadata", "k=v=w", "--network", "n", "--image-name", "i",
        "--volume-name", "v", "--keypair-name", "p", "--all",
    ) == Query(
        server_names=("a", "b"),
        flavors=("f",),
        tags=("t",),
        metadata=(("k", "v=w"),),
        networks=("n",),
        image_names=("i",),
        volume_names=("v",),
        keypair_names=("p",),
        everything=True,
    )  # fmt: skip


def test_a_query_for_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="--all for everything"):
        options()


def test_metadata_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match="KEY=VALUE, not 'role'"):
        options("--server-metadata", "role")


def test_a_mistake_in_the_file_is_told_before_the_cloud_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export.yml"
    path.write_text("serverz: []\n")
    assert cli.main(["query", "--all", str(path)]) == 3
    assert "did you mean servers?" in capsys.readouterr().err
    assert path.read_text() == "serverz: []\n"
