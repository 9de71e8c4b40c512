"""Making a record true at most once, whatever happened before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec.model import Image, Keypair, Ref, SecurityGroup, Server, Volume
from downpour_import.errors import RecreateError
from downpour_import.recreate import RECREATORS, differences, recreate
from downpour_import.recreate.context import MARKER_KEY
from downpour_import.state.journal import Journal
from tests.unit.fake_cloud import PROJECT, Call, response
from tests.unit.importer.things import NET, NET_REF, Target, context, source_id

NETWORKS = RECREATORS["network"]
KEY = Keypair(id="k", name="k", public_key="ssh-rsa AAA me")
DEFAULT = SecurityGroup(id=source_id(9), name="default", description="ours", tags=("t",))


@pytest.fixture
def fake() -> Target:
    return Target()


def test_a_resource_is_made_with_its_marker_and_is_then_as_the_record_says(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    outcome = recreate(NETWORKS, here, NET)
    assert (outcome.state, outcome.changed) == ("made", True)
    (post,) = fake.sent("POST")
    marker = here.marker(NET.ref)
    assert post.body["network"]["description"] == marker
    (item,) = fake.of("/networks").values()
    assert (item["description"], item["tags"]) == ("the net", ["t", marker])
    assert outcome.target == item["id"] == here.journal.target(NET.ref)
    assert differences(here, NET) == []
    item.update(name="other", tags=[])
    assert differences(here, NET) == ["name is 'other', not 'net'", "tags is [], not ['t']"]


def test_a_second_run_changes_nothing(fake: Target, tmp_path: Path) -> None:
    first = recreate(NETWORKS, context(fake, tmp_path), NET)
    fake.calls.clear()
    again = recreate(NETWORKS, context(fake, tmp_path), NET)
    assert (again.state, again.changed, again.target) == ("unchanged", False, first.target)
    assert fake.writes == []


def test_the_intent_is_on_disk_before_the_post(fake: Target, tmp_path: Path) -> None:
    known: list[str] = []

    def look(call: Call) -> None:
        entry = Journal(tmp_path).entry(NET.ref)
        known.append(f"{call.method} {entry.event if entry else None}")

    fake.before.append(look)
    recreate(NETWORKS, context(fake, tmp_path), NET)
    assert [each for each in known if "GET" not in each] == ["POST intent", "PUT made", "PUT made"]


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_after_a_lost_answer_the_marker_finds_what_was_made(
    fake: Target, tmp_path: Path, lost: int
) -> None:
    """The POST, the tags, and the description: each answer may be the one that is lost."""
    writes = 0

    def lose(call: Call) -> None:
        nonlocal writes
        writes += call.method != "GET"
        if writes == lost and call.method != "GET":
            raise ks_exceptions.ConnectionError("reset")

    fake.after.append(lose)
    with pytest.raises(RecreateError, match="the target does not answer"):
        recreate(NETWORKS, context(fake, tmp_path), NET)
    fake.after.clear()
    here = context(fake, tmp_path)
    assert recreate(NETWORKS, here, NET).state == ("found" if lost == 1 else "made")
    assert len(fake.of("/networks")) == 1
    assert len(fake.sent("POST")) == 1
    assert differences(here, NET) == []
    assert Journal(tmp_path).target(NET.ref) == next(iter(fake.of("/networks")))


def test_a_finished_resource_is_found_by_its_tag_when_the_journal_lost_it(
    fake: Target, tmp_path: Path
) -> None:
    first = recreate(NETWORKS, context(fake, tmp_path), NET).target
    (tmp_path / "journal.jsonl").unlink()
    here = context(fake, tmp_path)
    here.journal.record("intent", NET.ref, NET.name)
    assert recreate(NETWORKS, here, NET).target == first
    assert len(fake.of("/networks")) == 1


def test_a_target_that_knows_no_such_filter_gives_nothing_away(
    fake: Target, tmp_path: Path
) -> None:
    foreign = fake.add("/networks", description="theirs", tags=[], name="net")
    fake.handlers["GET", "/networks"] = lambda call, match: response(200, {"networks": [foreign]})
    here = context(fake, tmp_path)
    here.journal.record("intent", NET.ref, NET.name)
    assert recreate(NETWORKS, here, NET).target != foreign["id"]
    assert foreign["description"] == "theirs"


def test_the_mark_of_another_bundle_or_resource_is_not_ours(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    here.journal.record("intent", NET.ref, NET.name)
    for foreign in ("dpb-ffffffffffff-" + "0" * 32, here.marker(Ref("network", source_id(7)))):
        fake.add("/networks", description=foreign, tags=[], name="net")
    assert recreate(NETWORKS, here, NET).state == "made"
    assert len(fake.of("/networks")) == 3


def test_the_marker_tells_what_was_made_when_the_journal_was_lost(
    fake: Target, tmp_path: Path
) -> None:
    first = recreate(NETWORKS, context(fake, tmp_path), NET)
    (tmp_path / "journal.jsonl").unlink()
    here = context(fake, tmp_path)
    assert recreate(NETWORKS, here, NET, check=True).state == "found"
    assert here.journal.entry(NET.ref) is None
    again = recreate(NETWORKS, here, NET)
    assert (again.state, again.target) == ("found", first.target)
    assert len(fake.sent("POST")) == 1
    assert recreate(NETWORKS, context(fake, tmp_path), NET).state == "unchanged"


def test_one_list_call_tells_the_marks_of_all_records_of_a_type(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    for number in range(20, 25):
        recreate(NETWORKS, here, replace(NET, id=source_id(number)))
    assert len([call for call in fake.sent("GET") if call.path == "/networks"]) == 1


def test_what_is_gone_is_made_again(fake: Target, tmp_path: Path) -> None:
    first = recreate(NETWORKS, context(fake, tmp_path), NET).target
    fake.of("/networks").clear()
    again = recreate(NETWORKS, context(fake, tmp_path), NET)
    assert again.state == "made"
    assert again.target not in (None, first)
    text = (tmp_path / "uuids.csv").read_text()
    assert str(again.target) in text
    assert str(first) not in text


@pytest.mark.parametrize("standing", [True, False])
def test_check_mode_writes_nothing(fake: Target, tmp_path: Path, standing: bool) -> None:
    if standing:
        recreate(NETWORKS, context(fake, tmp_path), NET)
        fake.of("/networks").clear()
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    fake.calls.clear()
    outcome = recreate(NETWORKS, context(fake, tmp_path), NET, check=True)
    assert (outcome.state, outcome.changed) == ("planned", True)
    assert fake.writes == []
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_what_is_mapped_is_not_made_but_stands_in_uuids_csv(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path, {NET_REF: "theirs"})
    outcome = recreate(NETWORKS, here, NET)
    assert (outcome.state, outcome.target, outcome.changed) == ("mapped", "theirs", False)
    assert fake.calls == []
    entry = here.journal.entry(NET_REF)
    assert entry is not None
    assert (entry.target, entry.made) == ("theirs", False)
    size = here.journal.path.stat().st_size
    recreate(NETWORKS, context(fake, tmp_path, {NET_REF: "theirs"}), NET)
    assert here.journal.path.stat().st_size == size


def test_check_mode_writes_nothing_of_what_is_mapped(fake: Target, tmp_path: Path) -> None:
    outcome = recreate(NETWORKS, context(fake, tmp_path, {NET_REF: "x"}), NET, check=True)
    assert outcome.state == "mapped"
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_names_the_call_and_nothing_is_expected_of_it_later(
    fake: Target, tmp_path: Path
) -> None:
    fake.handlers["POST", "/networks"] = lambda call, match: response(
        409, {"NeutronError": {"message": "Quota exceeded"}}
    )
    with pytest.raises(RecreateError, match=r"/networks: .*refused POST with 409.*Quota exceeded"):
        recreate(NETWORKS, context(fake, tmp_path), NET)
    entry = Journal(tmp_path).entry(NET.ref)
    assert entry is not None
    assert entry.event == "gone"


# --- what stood before ---


def test_the_default_group_is_reused_and_not_touched(fake: Target, tmp_path: Path) -> None:
    fake.add("/security-groups", id="d", name="default", project_id="other")
    own = fake.add("/security-groups", name="default", project_id=PROJECT, description="theirs")
    outcome = recreate(RECREATORS["security_group"], context(fake, tmp_path), DEFAULT)
    assert (outcome.state, outcome.target) == ("reused", own["id"])
    assert fake.writes == []


def test_a_reused_group_is_not_touched_after_a_kill_either(fake: Target, tmp_path: Path) -> None:
    own = fake.add("/security-groups", name="default", project_id=PROJECT, description="theirs")
    Journal(tmp_path).record("reused", DEFAULT.ref, "default", own["id"])
    outcome = recreate(RECREATORS["security_group"], context(fake, tmp_path), DEFAULT)
    assert outcome.target == own["id"]
    assert fake.writes == []
    assert own["description"] == "theirs"
    entry = Journal(tmp_path).entry(DEFAULT.ref)
    assert entry is not None
    assert (entry.event, entry.made) == ("done", False)


def test_a_keypair_is_made_or_the_same_one_is_reused(fake: Target, tmp_path: Path) -> None:
    keypairs = RECREATORS["keypair"]
    assert recreate(keypairs, context(fake, tmp_path), KEY).state == "made"
    (post,) = fake.sent("POST")
    assert post.body["keypair"] == {"name": "k", "public_key": KEY.public_key, "type": "ssh"}
    other = tmp_path / "other"
    other.mkdir()
    assert recreate(keypairs, context(fake, other), KEY).state == "reused"
    changed = replace(KEY, public_key="ssh-rsa BBB")
    third = tmp_path / "third"
    third.mkdir()
    with pytest.raises(RecreateError, match="another key under this name"):
        recreate(keypairs, context(fake, third), changed)
    assert len(fake.sent("POST")) == 1


# --- broken ones ---

VOLUME = Volume(id=source_id(5), name="data", size=1, metadata={"kept": "yes"})
SERVER = Server(id=source_id(6), name="web", flavor="m1", metadata={"role": "web"})


def test_a_broken_volume_is_removed_and_made_again(fake: Target, tmp_path: Path) -> None:
    volumes = RECREATORS["volume"]

    def fails(call: Call) -> None:
        if call.method == "POST":
            for item in fake.of("/volumes").values():
                item["status"] = "error"

    fake.after.append(fails)
    with pytest.raises(RecreateError, match="the target could not make it, it is error"):
        recreate(volumes, context(fake, tmp_path), VOLUME)
    fake.after.clear()
    here = context(fake, tmp_path)
    assert recreate(volumes, here, VOLUME).state == "made"
    (item,) = fake.of("/volumes").values()
    assert len(fake.sent("DELETE", "/volumes/")) == 1
    assert item["metadata"] == {"kept": "yes", "dpb-marker": here.marker(VOLUME.ref)}


def test_what_breaks_after_it_was_done_is_left_to_the_proof(fake: Target, tmp_path: Path) -> None:
    recreate(RECREATORS["volume"], context(fake, tmp_path), VOLUME)
    (item,) = fake.of("/volumes").values()
    item["status"] = "error"
    here = context(fake, tmp_path)
    assert recreate(RECREATORS["volume"], here, VOLUME).state == "unchanged"
    assert fake.sent("DELETE") == []
    assert differences(here, VOLUME) == ["it is error"]


@pytest.mark.parametrize("in_use", [False, True])
def test_the_image_that_filled_a_volume_goes_unless_it_is_in_use(
    fake: Target, tmp_path: Path, in_use: bool
) -> None:
    disk = Ref("disk", VOLUME.id)
    here = context(fake, tmp_path)
    fake.add("/images", id="filler", status="active", **{MARKER_KEY: here.marker(disk)})
    here.journal.record("made", disk, "data", "filler")
    if in_use:
        fake.handlers["DELETE", "/images/filler"] = lambda call, match: response(409, {})
    recreate(RECREATORS["volume"], here, replace(VOLUME, disk_id="0001"))
    (post,) = fake.sent("POST")
    assert post.body["volume"]["imageRef"] == "filler"
    assert ("filler" in fake.of("/images")) == in_use
    assert here.journal.target(disk) == ("filler" if in_use else None)


def test_a_server_is_made_on_its_flavor_and_found_by_its_metadata(
    fake: Target, tmp_path: Path
) -> None:
    servers, targets = RECREATORS["server"], {Ref("flavor", "m1"): "f-target"}
    here = context(fake, tmp_path, targets)
    outcome = recreate(servers, here, SERVER)
    (post,) = fake.sent("POST")
    body = post.body["server"]
    assert (body["flavorRef"], body["networks"]) == ("f-target", "none")
    assert body["metadata"] == {"role": "web", "dpb-marker": here.marker(SERVER.ref)}
    (tmp_path / "journal.jsonl").unlink()
    again = context(fake, tmp_path, targets)
    again.journal.record("intent", SERVER.ref, "web")
    assert recreate(servers, again, SERVER).target == outcome.target
    assert len(fake.sent("POST")) == 1


def test_a_reference_that_was_not_made_yet_is_told(fake: Target, tmp_path: Path) -> None:
    with pytest.raises(RecreateError, match="flavor m1 has not been made yet"):
        recreate(RECREATORS["server"], context(fake, tmp_path), SERVER)
    assert differences(context(fake, tmp_path), SERVER) == ["it was not made"]


def test_what_was_deleted_behind_our_back_is_a_difference(fake: Target, tmp_path: Path) -> None:
    here = context(fake, tmp_path)
    recreate(NETWORKS, here, NET)
    fake.of("/networks").clear()
    assert differences(here, NET) == ["it is gone"]


def test_a_snapshot_of_a_server_is_not_taken_for_the_image_it_was_made_from(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    image = Image(
        id=source_id(8), name="i", disk_id="0001", disk_format="raw", container_format="bare"
    )
    mark = {"dpb-marker": here.marker(image.ref), "status": "active", "owner": PROJECT}
    ours = fake.add("/images", **mark)
    fake.add("/images", **mark, image_type="snapshot")
    assert RECREATORS["image"].find(here, image) == ours["id"]
