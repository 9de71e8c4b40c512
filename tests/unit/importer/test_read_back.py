"""What was made is read back: many of a type with one list call, and the same is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bundle_spec.model import Network
from downpour_import.recreate import MANY, RECREATORS, Context, differences, list_many, recreate
from tests.unit.fake_cloud import PROJECT
from tests.unit.importer.things import NET, Target, context, source_id

NETS = [replace(NET, id=source_id(100 + n), name=f"net-{n}") for n in range(MANY)]


def made(fake: Target, tmp_path: Path, nets: list[Network]) -> Context:
    here = context(fake, tmp_path)
    for net in nets:
        recreate(RECREATORS["network"], here, net)
    for item in fake.of("/networks").values():
        item["project_id"] = PROJECT
    fake.calls.clear()
    return here


def test_many_are_read_with_one_call(tmp_path: Path) -> None:
    fake = Target()
    here = made(fake, tmp_path, NETS)
    listed = list_many(here, NETS)
    assert [differences(here, net, listed) for net in NETS] == [[]] * MANY
    assert [str(call) for call in fake.calls] == ["GET /networks"]


def test_few_are_read_one_by_one(tmp_path: Path) -> None:
    fake = Target()
    here = made(fake, tmp_path, NETS[1:])
    listed = list_many(here, NETS[1:])
    assert listed == {}
    assert [differences(here, net, listed) for net in NETS[1:]] == [[]] * (MANY - 1)
    assert len(fake.calls) == MANY - 1


def test_what_differs_or_is_gone_is_seen_in_the_list_too(tmp_path: Path) -> None:
    fake = Target()
    here = made(fake, tmp_path, NETS)
    first, second, *_ = fake.of("/networks").values()
    first["name"] = "other"
    del fake.of("/networks")[second["id"]]
    listed = list_many(here, NETS)
    found = [differences(here, net, listed) for net in NETS]
    assert found[:2] == [["name is 'other', not 'net-0'"], ["it is gone"]]
    assert found[2:] == [[]] * (MANY - 2)
