"""A request whose answer was lost: its effect is looked for before it is sent again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec import BundleWriter
from downpour_export.errors import CaptureError
from tests.unit.bundle.samples import content
from tests.unit.export.capture_source import WEB, Source, run
from tests.unit.fake_cloud import Call, response
from tests.unit.quiet import Notes

REQUESTS = [
    ("/servers/web/action", "createImage"),
    ("/servers/web/action", "os-stop"),
    ("/servers/web/action", "os-start"),
    ("/servers/web/metadata", "dpb-stopped"),
    ("/snapshots", "snapshot"),
    ("/volumes", "volume"),
    ("/action", "os-volume_upload_image"),
]
"""Path and a word of the body of each POST that makes or changes something."""

BY_STATE = ("os-stop", "os-start", "dpb-stopped")


def is_it(call: Call, path: str, word: str) -> bool:
    return call.method == "POST" and call.path.endswith(path) and word in str(call.body)


def broken(call: Call) -> requests.Response:
    raise ks_exceptions.ConnectFailure("Connection reset by peer")


def bad_gateway(call: Call) -> requests.Response:
    return response(502)


def cut(call: Call) -> requests.Response:
    return response(202, content=b'{"snapsh')


def of_something_else(call: Call) -> requests.Response:
    return response(202, {"hello": "world"})


Answer = Callable[[Call], requests.Response]


def lose(
    fake: Source, path: str, word: str, answer: Answer, *, obeyed: bool, times: int = 1
) -> None:
    """The first such requests get ``answer``, whether the source obeys them or not."""
    left = [times]

    def hook(call: Call) -> requests.Response | None:
        if not is_it(call, path, word) or not left[0]:
            return None
        left[0] -= 1
        return answer(call)

    (fake.after if obeyed else fake.before).append(hook)


def capture(fake: Source, writer: BundleWriter) -> Notes:
    found, notes = run(fake, writer, WEB, stops={"web": "during"})
    assert len(found.disks) == 2
    assert fake.left() == []
    assert (fake.status("web"), fake.marks()) == ("ACTIVE", {})
    writer.finish(content())
    return notes


def number_of(fake: Source, path: str, word: str) -> int:
    return sum(is_it(call, path, word) for call in fake.calls)


@pytest.mark.parametrize(("path", "word"), REQUESTS)
@pytest.mark.parametrize("answer", [broken, bad_gateway])
def test_what_was_obeyed_is_not_asked_for_again(
    fake: Source, writer: BundleWriter, path: str, word: str, answer: Answer
) -> None:
    lose(fake, path, word, answer, obeyed=True)
    capture(fake, writer)
    # A mark that is set twice is one mark.
    assert number_of(fake, path, word) == (2 if word == "dpb-stopped" else 1)


@pytest.mark.parametrize(("path", "word"), REQUESTS)
def test_what_was_not_obeyed_is_asked_for_again(
    fake: Source, writer: BundleWriter, path: str, word: str
) -> None:
    lose(fake, path, word, broken, obeyed=False)
    notes = capture(fake, writer)
    assert number_of(fake, path, word) == 2
    if word not in BY_STATE:
        assert any("looking whether it was done" in each for each in notes.notes)


@pytest.mark.parametrize(("path", "word"), [each for each in REQUESTS if each[1] not in BY_STATE])
@pytest.mark.parametrize("answer", [cut, of_something_else])
def test_an_answer_that_names_nothing_is_a_lost_one(
    fake: Source, writer: BundleWriter, path: str, word: str, answer: Answer
) -> None:
    lose(fake, path, word, answer, obeyed=True)
    capture(fake, writer)
    assert number_of(fake, path, word) == 1


@pytest.mark.parametrize(("path", "word"), REQUESTS)
def test_there_is_an_end_to_asking(
    fake: Source, writer: BundleWriter, path: str, word: str
) -> None:
    lose(fake, path, word, broken, obeyed=False, times=3)
    with pytest.raises(CaptureError, match=r"does not answer POST") as caught:
        run(fake, writer, WEB, stops={"web": "during"})
    assert caught.value.where
    assert fake.left() == []
    assert fake.status("web") == "ACTIVE"


@pytest.mark.parametrize(
    ("path", "word"),
    [each for each in REQUESTS if each[1] in ("createImage", "snapshot", "volume")],
)
def test_a_request_that_arrives_after_the_second_one_leaves_nothing(
    fake: Source, writer: BundleWriter, path: str, word: str
) -> None:
    held: list[Call] = []

    def hold(call: Call) -> requests.Response | None:
        if not is_it(call, path, word):
            return None
        if not held:
            held.append(call)
            return broken(call)
        if len(held) == 1:
            held.append(call)
            fake._answer(held[0])
        return None

    fake.before.append(hold)
    capture(fake, writer)
    assert number_of(fake, path, word) == 2
    assert len(fake.sent("DELETE")) >= 5


def test_a_stop_that_arrives_late_is_no_refusal(fake: Source, writer: BundleWriter) -> None:
    """The second one is told that the server is off already."""
    held: list[Call] = []

    def hold(call: Call) -> requests.Response | None:
        if not is_it(call, "/servers/web/action", "os-stop"):
            return None
        held.append(call)
        if len(held) == 1:
            return broken(call)
        fake._answer(held[0])
        return None

    fake.before.append(hold)
    capture(fake, writer)
    assert len(held) == 2


def test_doubles_that_a_proxy_made_are_gone_in_the_end(fake: Source, writer: BundleWriter) -> None:
    def twice(call: Call) -> None:
        if any(is_it(call, path, word) for path, word in REQUESTS if word not in BY_STATE):
            fake._answer(call)

    fake.before.append(twice)
    capture(fake, writer)


def test_a_run_that_loses_one_answer_of_each_kind_comes_to_its_end(
    fake: Source, writer: BundleWriter
) -> None:
    for path, word in REQUESTS:
        lose(fake, path, word, broken, obeyed=True)
    capture(fake, writer)
