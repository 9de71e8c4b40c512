"""Requests of one cloud: pages, answers that are none, refusals, microversions."""

from __future__ import annotations

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec.errors import DownpourError
from downpour_cloud import Cloud
from downpour_cloud.cloud import MAX_REASON, PAGE_SIZE, TRIES_OF_ANSWERS
from downpour_cloud.microversions import NEWEST
from tests.unit.fake_cloud import Call, FakeCloud, response


class Failure(DownpourError):
    def __init__(self, message: str, where: str, status: int | None) -> None:
        super().__init__(message, where=where)
        self.status = status


class Lost(Failure):
    pass


class Unanswered(Failure):
    pass


class AnyCloud(Cloud):
    side = "cloud"

    def unanswered(self, message: str, *, where: str, status: int | None) -> Unanswered:
        return Unanswered(message, where, status)

    def failure(self, message: str, *, where: str, status: int | None) -> Failure:
        return Failure(message, where, status)

    def lost(self, message: str, *, where: str) -> Lost:
        return Lost(message, where, None)


@pytest.fixture
def fake() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def cloud(fake: FakeCloud) -> AnyCloud:
    return AnyCloud(fake.connection)


def answering(fake: FakeCloud, *answers: requests.Response) -> None:
    left = list(answers)
    fake.before.append(lambda call: left.pop(0) if left else None)


def page(text: bytes, status: int = 200) -> requests.Response:
    answer = response(status, content=text)
    answer.headers["Content-Type"] = "text/html"
    answer.reason = {403: "Forbidden", 500: "Internal Server Error"}.get(status, "")
    return answer


def test_every_page_of_a_list_is_read(fake: FakeCloud, cloud: AnyCloud) -> None:
    for number in range(7):
        fake.add("/volumes", id=f"v{number}")
    fake.page_size = 3

    found = [item["id"] for item in cloud.list("block_storage", "/volumes/detail", "volumes")]

    assert found == [f"v{number}" for number in range(7)]
    assert [call.params["limit"] for call in fake.calls] == [PAGE_SIZE] * 3


def test_a_page_without_items_ends_the_list(fake: FakeCloud, cloud: AnyCloud) -> None:
    links = [{"rel": "next", "href": "http://cloud/volumes?marker=v"}]
    answering(fake, *[response(200, {"volumes": [], "volumes_links": links})] * 2)

    assert list(cloud.list("block_storage", "/volumes/detail", "volumes")) == []


def test_what_is_not_there_is_none_only_where_one_may_ask_so(cloud: AnyCloud) -> None:
    assert cloud.get_or_none("network", "/networks/x") is None
    with pytest.raises(Failure, match="with 404"):
        cloud.get("network", "/networks/x")


@pytest.mark.parametrize("status", [403, 404, 500, 501])
def test_what_is_only_good_to_know_may_be_missing(
    fake: FakeCloud, cloud: AnyCloud, status: int
) -> None:
    answering(fake, response(status))

    assert cloud.get_optional("image", "/info/usage") is None


@pytest.mark.parametrize("text", [b'{"volume": {"id"', b"<html>busy</html>", b""])
def test_an_answer_that_is_no_json_is_asked_for_again(
    fake: FakeCloud, cloud: AnyCloud, text: bytes
) -> None:
    fake.add("/volumes", id="v")
    answering(fake, page(text))

    assert cloud.get("block_storage", "/volumes/v") == {"volume": {"id": "v"}}


def test_an_answer_that_never_is_json_names_the_request(fake: FakeCloud, cloud: AnyCloud) -> None:
    answering(fake, *[page(b"<html>") for _ in range(10)])

    with pytest.raises(Failure, match="answer to GET is not whole") as caught:
        cloud.get("block_storage", "/volumes/v")

    assert caught.value.where == "/volumes/v"
    assert len(fake.calls) == TRIES_OF_ANSWERS


def test_a_page_in_answer_to_a_delete_deletes_nothing(fake: FakeCloud, cloud: AnyCloud) -> None:
    answering(fake, page(b"<html>"), page(b"<html>"), response(204))
    assert cloud.delete("network", "/networks/n")
    assert [call.method for call in fake.calls] == ["DELETE"] * 3
    answering(fake, *[page(b"<html>") for _ in range(10)])
    with pytest.raises(Unanswered, match="answer to DELETE is not whole"):
        cloud.delete("network", "/networks/n")


def test_a_write_whose_answer_is_no_json_is_not_sent_again(
    fake: FakeCloud, cloud: AnyCloud
) -> None:
    answering(fake, page(b"<html>"))

    with pytest.raises(Unanswered, match="answer to POST is not whole"):
        cloud.post("block_storage", "/volumes", {"volume": {"size": 1}})
    assert len(fake.calls) == 1


def test_a_write_that_is_safe_to_repeat_is_sent_again_where_its_answer_is_no_json(
    fake: FakeCloud, cloud: AnyCloud
) -> None:
    fake.add("/networks", id="n")
    answering(fake, page(b"<html>"), page(b'{"network": {"na'))

    assert cloud.put("network", "/networks/n", {"network": {"name": "x"}})["network"]["id"] == "n"
    assert len(fake.calls) == 3


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH"])
@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 504])
def test_a_status_after_which_a_write_may_have_been_obeyed_is_told_from_others(
    fake: FakeCloud, cloud: AnyCloud, method: str, status: int
) -> None:
    answering(fake, response(status))

    with pytest.raises(Failure) as caught:
        cloud.request("network", method, "/networks")
    doubtful = method in ("POST", "PATCH") and status in (500, 502, 504)
    assert (type(caught.value) is Unanswered) == doubtful


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (response(403, {"forbidden": {"code": 403, "message": "not you"}}), "not you"),
        (response(403, {"NeutronError": {"type": "X", "message": "not you"}}), "not you"),
        (response(403, {"message": "not you", "title": "Forbidden"}), "not you"),
        (response(403, ["?"]), "it gives no reason"),
        (response(403, {"forbidden": {"message": 7}}), "it gives no reason"),
        (page(b"<title>403 Forbidden</title><h1>403 Forbidden</h1>not you<br/>", 403), "not you"),
        (page(b"<h1>500 Internal Server Error</h1>", 500), "Internal Server Error"),
        (response(404), "Not Found"),
    ],
)
def test_a_refusal_says_what_the_service_said(
    fake: FakeCloud, cloud: AnyCloud, answer: requests.Response, said: str
) -> None:
    answering(fake, answer)

    with pytest.raises(Failure) as caught:
        cloud.post("network", "/networks", {"network": {}})

    assert caught.value.message.endswith(f"refused POST with {answer.status_code}: {said}")
    assert caught.value.status == answer.status_code


def test_the_words_of_a_service_are_bounded(fake: FakeCloud, cloud: AnyCloud) -> None:
    answering(fake, response(400, {"badRequest": {"message": "x" * 10**6}}))

    with pytest.raises(Failure) as caught:
        cloud.post("network", "/networks", {})

    assert len(caught.value.message) < MAX_REASON + 100


@pytest.mark.parametrize(("status", "gone"), [(204, True), (404, True), (409, False), (400, False)])
def test_a_delete_tells_whether_it_will_be_gone(
    fake: FakeCloud, cloud: AnyCloud, status: int, gone: bool
) -> None:
    answering(fake, response(status))

    assert cloud.delete("network", "/networks/x") is gone


def test_the_newest_microversion_that_both_know_is_used(fake: FakeCloud, cloud: AnyCloud) -> None:
    fake.microversions = {"compute": "2.60", "block_storage": "3.999"}

    assert cloud.microversion("compute") == "2.60"
    assert cloud.microversion("block_storage") == NEWEST["block_storage"]
    assert cloud.microversion("network") is None
    assert cloud.supports("compute", "2.9")
    assert not cloud.supports("compute", "2.73")


def test_a_microversion_that_clouds_yaml_pins_is_kept_to(fake: FakeCloud, cloud: AnyCloud) -> None:
    fake.connection.compute.default_microversion = "2.19"

    assert cloud.microversion("compute") == "2.19"


def test_a_stream_that_breaks_is_a_failure_of_the_cloud(fake: FakeCloud, cloud: AnyCloud) -> None:
    class Cut:
        def stream(self, *args: object, **kwargs: object) -> object:
            raise requests.exceptions.ChunkedEncodingError("cut")

    def hook(call: Call) -> requests.Response:
        answer = response(200, content=b"")
        answer.iter_content = Cut().stream  # type: ignore[assignment, method-assign]
        return answer

    fake.before.append(hook)
    with (
        pytest.raises(Failure, match="the download broke off: cut"),
        cloud.stream("image", "/images/i/file", {}) as answer,
    ):
        list(answer.pieces(1))


BROKEN = ks_exceptions.ConnectFailure("reset by peer")


@pytest.mark.parametrize(
    ("method", "error", "kind"),
    [
        ("GET", BROKEN, Lost),
        ("PUT", BROKEN, Lost),
        ("POST", BROKEN, Unanswered),
        ("POST", ks_exceptions.Unauthorized("who are you?"), Lost),
        ("POST", ks_exceptions.EndpointNotFound("no such service"), Lost),
    ],
)
def test_one_answer_that_is_lost_is_told_from_a_cloud_that_is(
    fake: FakeCloud, cloud: AnyCloud, method: str, error: Exception, kind: type[Failure]
) -> None:
    """Whatever was asked for two minutes is not about one request."""

    def hook(call: Call) -> None:
        raise error

    fake.before.append(hook)
    with pytest.raises(Failure) as caught:
        cloud.request("network", method, "/networks")
    assert type(caught.value) is kind


def test_a_stream_that_breaks_on_its_way_out_says_nothing_of_the_cloud(
    fake: FakeCloud, cloud: AnyCloud
) -> None:
    def hook(call: Call) -> None:
        raise BROKEN

    fake.before.append(hook)
    with pytest.raises(Failure) as caught:
        cloud.request("image", "PUT", "/images/i/file", data=iter([b"x"]))
    assert type(caught.value) is Unanswered


def test_a_token_that_is_not_renewed_is_told(fake: FakeCloud, cloud: AnyCloud) -> None:
    def authorize() -> None:
        raise ks_exceptions.Unauthorized("the password is another one")

    fake.connection.authorize = authorize
    with pytest.raises(Lost, match="gives no new token: the password is another one"):
        cloud.renew_token()
