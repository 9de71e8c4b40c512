"""One resource of each type, over a way on which any request goes wrong: each is made once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec.progress import NULL
from downpour_import import undo
from downpour_import.errors import AnswerLost, RecreateError
from downpour_import.recreate import RECREATORS, recreate
from downpour_import.recreate.patience import LOOKS, TRIES
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.conftest import Clock
from tests.unit.importer.every_type import ONE_OF_EACH, PATHS, Import, Killed
from tests.unit.importer.things import NET, Target, context
from tests.unit.importer.unreliable import (
    KilledLate,
    Late,
    Lost,
    TwiceFirst,
    TwiceSecond,
    Unreliable,
    VeryLate,
)

pytestmark = pytest.mark.usefixtures("no_disk")


@pytest.fixture
def fake() -> Target:
    return Target()


@pytest.mark.parametrize("fault", [Lost, Late, VeryLate, TwiceFirst, TwiceSecond, KilledLate])
def test_whatever_request_goes_wrong_each_thing_stands_once_and_undo_leaves_nothing(
    everything: Path, tmp_path_factory: pytest.TempPathFactory, fault: type[Unreliable]
) -> None:
    number, met = 0, True
    while met:
        number += 1
        work = Import(everything, tmp_path_factory.mktemp("state"))
        # What the session sends again by itself comes twice in any case.
        way = fault(work.cloud, number, posts=fault not in (Lost, KilledLate))
        with contextlib.suppress(Killed):
            work.run()
        if fault is KilledLate:
            way.no_more()
            work.run()
        way.end()
        case = (number, str(way.met))
        assert work.remove_doubles()[0] == [], case
        assert work.made() == ONE_OF_EACH, case
        assert work.differences() == [], case
        undo.undo(*work.find(), NULL)
        assert work.made() == dict.fromkeys(PATHS, 0), case
        met = way.met is not None
    assert number > len(PATHS)  # of each type one is made


def test_undo_waits_for_a_request_of_the_import_that_was_killed(
    everything: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    number, met = 0, True
    while met:
        number += 1
        work = Import(everything, tmp_path_factory.mktemp("state"))
        way = KilledLate(work.cloud, number)
        with contextlib.suppress(Killed):
            work.run()
        way.no_more()
        undo.undo(*work.find(), NULL)
        way.end()
        assert work.made() == dict.fromkeys(PATHS, 0), (number, str(way.met))
        met = way.met is not None


@pytest.mark.parametrize("fault", [VeryLate, TwiceFirst])
def test_undo_takes_what_stands_twice(
    everything: Path, tmp_path_factory: pytest.TempPathFactory, fault: type[Unreliable]
) -> None:
    number, met = 0, True
    while met:
        number += 1
        work = Import(everything, tmp_path_factory.mktemp("state"))
        way = fault(work.cloud, number, posts=True)
        work.run()
        way.end()
        undo.undo(*work.find(), NULL)
        assert work.made() == dict.fromkeys(PATHS, 0), (number, str(way.met))
        met = way.met is not None


@pytest.mark.parametrize(
    "answer",
    [
        response(200, content=b"<html>busy</html>"),
        response(201, content=b'{"network": {"id": "00'),
        response(201, {}),
        response(201, {"network": None}),
        response(201, []),
        response(201, {"network": {"name": "net"}}),
        response(201, {"network": {"id": 7}}),
        response(500),
        response(502),
        response(504),
    ],
)
@pytest.mark.parametrize("obeyed", [True, False])
def test_an_answer_that_does_not_tell_what_was_made_is_no_answer(
    fake: Target, tmp_path: Path, answer: requests.Response, obeyed: bool
) -> None:
    left = [answer]

    def instead(call: Call) -> requests.Response | None:
        return left.pop() if left and call.method == "POST" else None

    (fake.after if obeyed else fake.before).append(instead)
    here = context(fake, tmp_path)
    assert recreate(RECREATORS["network"], here, NET).state == "made"
    assert list(fake.of("/networks")) == [here.journal.target(NET.ref)]
    assert len(fake.sent("POST")) == (1 if obeyed else 2)


def test_a_request_that_is_never_answered_is_sent_a_few_times(
    fake: Target, tmp_path: Path, clock: Clock
) -> None:
    def nothing(call: Call) -> None:
        if call.method == "POST":
            raise ks_exceptions.ConnectFailure("reset by peer")

    fake.before.append(nothing)
    here = context(fake, tmp_path)
    with pytest.raises(AnswerLost, match=r"does not answer POST.*run the same command again"):
        recreate(RECREATORS["network"], here, NET)
    assert len(fake.sent("POST")) == TRIES
    assert sum(clock.slept) == TRIES * sum(LOOKS)
    entry = here.journal.entry(NET.ref)
    assert entry is not None
    assert entry.event == "intent"


def test_an_object_without_itself_in_the_answer_is_an_error_of_ours(
    fake: Target, tmp_path: Path
) -> None:
    here = context(fake, tmp_path)
    recreate(RECREATORS["network"], here, NET)
    fake.after.append(lambda call: response(200, {"networks": []}))
    with pytest.raises(RecreateError, match="answer to GET is not whole: it has no network"):
        recreate(RECREATORS["network"], here, NET)
