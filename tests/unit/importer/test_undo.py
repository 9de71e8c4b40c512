"""An import taken back, or its marks taken off: what it made, and nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec.model import Resources
from bundle_spec.progress import NULL
from downpour_import import cli, undo
from downpour_import.errors import RecreateFaults, StateError
from downpour_import.recreate import RECREATORS, Context
from tests.unit.fake_cloud import PROJECT, Call
from tests.unit.importer.every_type import ONE_OF_EACH, PATHS, Import, Killed, writes
from tests.unit.importer.test_whole_import import Far, write_bundle
from tests.unit.importer.things import NET, source_id

pytestmark = pytest.mark.usefixtures("no_disk")


def test_undo_takes_everything_back_in_an_order_that_the_target_accepts(work: Import) -> None:
    work.run()
    here, things = work.find()
    assert [thing.kept for thing in things] == [None] * len(list(work.resources))
    undo.undo(here, things, NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)
    assert list(here.journal.rows()) == []
    assert work.find()[1] == []


def test_the_question_names_the_project_and_its_cloud(
    work: Import, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work.run()
    here, things = work.find()
    networks = [thing for thing in things if thing.record.type == "network"]
    asked: list[str] = []

    @contextmanager
    def opened(options: object, progress: object) -> Iterator[tuple[Context, Resources]]:
        yield here, Resources()

    def no(question: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(undo, "opened", opened)
    monkeypatch.setattr(undo, "find", lambda *arguments: networks)
    monkeypatch.setattr(cli, "agreed", no)
    assert cli.main(["undo", "b"]) == 0
    (question,) = asked
    place = f"project demo ({PROJECT}) at {here.cloud.auth_url}"
    assert question == f"Delete these {len(networks)} from {place} for good?"
    assert capsys.readouterr().out.endswith("nothing was done\n")


def test_after_undo_the_same_import_makes_all_of_it_again(work: Import) -> None:
    work.run()
    here, things = work.find()
    undo.undo(here, things, NULL)
    work.run()
    assert work.made() == ONE_OF_EACH
    assert work.differences() == []


def test_after_undo_a_check_plans_all_of_it_again(work: Import) -> None:
    addresses = work.resources.address_groups[0]
    (group,) = work.resources.security_groups
    rules = (replace(group.rules[0], remote_address_group_id=addresses.id),)
    named = replace(group, rules=rules)
    default = replace(
        named, id=source_id(90), name="default", rules=(replace(rules[0], id="added"),)
    )
    work.cloud.add("/security-groups", name="default", project_id=PROJECT, description="", tags=[])
    work.resources = replace(work.resources, security_groups=(named, default))
    work.run()
    undo.undo(*work.find(), NULL)
    work.cloud.calls.clear()
    states = work.check()
    assert (states.count("unchanged"), set(states)) == (1, {"planned", "unchanged"})
    assert work.cloud.writes == []


def test_undo_takes_back_what_an_edit_had_added(work: Import) -> None:
    added = replace(NET, id=source_id(99), name="added by hand")
    work.resources = replace(work.resources, networks=(NET, added))
    work.run()
    undo.undo(*work.find(), NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)


def test_undo_may_be_killed_at_any_request_and_goes_on(
    everything: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    number, done = 1, False
    while not done:
        work = Import(everything, tmp_path_factory.mktemp("state"))
        work.run()
        before = len(work.cloud.writes)
        with work.killed(writes(number)):
            undo.undo(*work.find(), NULL)
        done = len(work.cloud.writes) - before < number
        undo.undo(*work.find(), NULL)
        assert work.made() == dict.fromkeys(PATHS, 0), number
        assert len((work.state / "uuids.csv").read_text().splitlines()) == 1, number
        number += 1
    assert number > len(PATHS)


@pytest.mark.parametrize("take_back", [undo.undo, undo.forget])
def test_uuids_csv_is_true_after_a_kill_at_any_write_to_the_journal(
    everything: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    take_back: Callable[..., None],
) -> None:
    sync, number, killed = os.fsync, 1, True
    while killed:
        work = Import(everything, tmp_path_factory.mktemp("state"))
        work.run()
        here, things = work.find()
        left = number

        def fsync(descriptor: int) -> None:
            nonlocal left
            sync(descriptor)
            left -= 1
            if left == 0:
                raise Killed

        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(os, "fsync", fsync)
            take_back(here, things, NULL)
        killed = left <= 0
        take_back(*work.find(), NULL)
        rows = len((work.state / "uuids.csv").read_text().splitlines()) - 1
        assert rows == (0 if take_back is undo.undo else len(list(work.resources))), number
        number += 7
    assert number > 30


def test_undo_also_finds_what_a_killed_import_had_begun(work: Import) -> None:
    with work.killed(lambda call: str(call) == "POST /servers"):
        work.run()
    here, things = work.find()
    assert "server" in {thing.record.type for thing in things}
    undo.undo(here, things, NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)


def test_undo_leaves_what_was_reused_and_what_is_not_ours(work: Import) -> None:
    work.cloud.add("/os-keypairs", id="key", name="key", public_key="ssh-rsa AAA me")
    work.cloud.add("/security-groups", name="default", project_id=PROJECT, description="", tags=[])
    group = replace(work.resources.security_groups[0], name="default", rules=())
    work.resources = replace(work.resources, security_groups=(group,))
    work.run()
    (router,) = work.cloud.of("/routers").values()
    router["tags"] = []  # somebody has made it their own
    here, things = work.find()
    kept = {thing.record.type: thing.kept for thing in things if thing.kept}
    rest = "others that this import made bear no mark, as after forget"
    assert kept == {
        "router": "it bears no mark of this bundle",
        "address_group": rest,
        "server_group": rest,
    }
    with pytest.raises(RecreateFaults) as caught:
        undo.undo(here, things, NULL)
    # The router that stays holds its subnet, and that its network.
    assert [str(each.where).split()[0] for each in caught.value.faults] == ["subnet", "network"]
    assert len(work.cloud.of("/os-keypairs")) == 1
    assert [each["name"] for each in work.cloud.of("/security-groups").values()] == ["default"]
    assert len(work.cloud.of("/routers")) == 1
    assert work.cloud.of("/servers") == {}


def test_forget_takes_the_marks_off_and_then_undo_leaves_all_alone(work: Import) -> None:
    work.run()
    here, things = work.find()
    undo.forget(here, things, NULL)
    marks = [
        mark
        for record in work.resources
        for mark, _ in RECREATORS[record.type].marks(here)
        if mark and mark.startswith("dpb-")
    ]
    assert marks == []
    assert work.differences() == []
    assert work.find()[1] == []
    work.cloud.calls.clear()
    work.run()
    assert work.cloud.writes == []


def test_what_was_forgotten_through_one_state_is_not_undone_through_another(
    work: Import, tmp_path: Path
) -> None:
    work.run()
    other = Import(work.bundle, tmp_path / "other")
    other.state.mkdir()
    other.cloud, other.resources = work.cloud, work.resources
    other.run()  # finds all by the marks, and uses the keypair and the groups
    undo.forget(*other.find(), NULL)
    before = work.made()
    here, things = work.find()
    assert [thing.record.type for thing in things if thing.kept is None] == []
    assert {thing.record.type for thing in things} >= {"keypair", "address_group", "server"}
    undo.undo(here, things, NULL)
    assert work.made() == before


def test_the_state_of_another_bundle_is_refused_as_by_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Far(tmp_path)
    far.run()
    other = write_bundle(tmp_path / "other.dpbundle")
    monkeypatch.setattr(undo, "connect", far.connect)
    with (
        pytest.raises(StateError, match=r"belongs to bundle .*name another one with --state"),
        undo.opened(far.options(source=other), NULL),
    ):
        pass
    with undo.opened(far.options(), NULL) as (here, edited):
        assert undo.find(here, NULL, edited)


def test_undo_deletes_port_forwardings_before_their_floating_ip(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    far.run()
    monkeypatch.setattr(undo, "connect", far.connect)
    with undo.opened(far.options(), NULL) as (here, edited):
        undo.undo(here, undo.find(here, NULL, edited), NULL)
    assert set(far.made().values()) == {0}


def test_undo_ends_where_the_target_has_gone_and_goes_on_later(work: Import) -> None:
    work.run()
    here, things = work.find()

    def gone(call: Call) -> None:
        if call.method == "DELETE":
            raise ks_exceptions.ConnectFailure("no route")

    work.cloud.before.append(gone)
    work.cloud.calls.clear()
    with pytest.raises(RecreateFaults, match="not everything could be deleted") as caught:
        undo.undo(here, things, NULL)
    assert len(caught.value.faults) == 1
    assert len(work.cloud.sent("DELETE")) == 1
    work.cloud.before.clear()
    undo.undo(*work.find(), NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)
