"""What a session does when a cloud cannot answer now: real keystoneauth, over a wire of our own."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1.identity import v3
from urllib3.exceptions import MaxRetryError, NewConnectionError

from downpour_cloud import session
from downpour_cloud.session import RetryingSession

URL = "http://cloud/v2/things"
Answer = int | Exception | tuple[int, dict[str, str]]


class Wire(requests.adapters.BaseAdapter):
    """Answers as it is told to, then with 200; ``sent``: the methods that came."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self._left = list(answers)
        self.sent: list[str] = []
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(str(request.method))
        self.timeouts.append(kwargs.get("timeout"))
        answer = self._left.pop(0) if self._left else 200
        if isinstance(answer, Exception):
            raise answer
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        response = requests.Response()
        response.status_code, response.request = status, request
        response.url = str(request.url)
        response.headers.update(headers)
        response.raw = io.BytesIO(b"{}")
        return response

    def close(self) -> None:
        pass


def refused() -> Exception:
    """As requests tells that no connection could be made."""
    inner = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, URL, inner))  # type: ignore[arg-type]


def reset() -> Exception:
    return requests.ConnectionError("Connection reset by peer")


def session_on(wire: Wire, *, met: bool = True) -> RetryingSession:
    """A session that was answered before, unless ``met`` is False."""
    http = requests.Session()
    http.mount("http://", wire)
    made = RetryingSession(session=http)
    made.met = met
    return made


def ask(wire: Wire, method: str = "GET", **kwargs: Any) -> int:
    response = session_on(wire).request(URL, method, raise_exc=False, **kwargs)
    return int(response.status_code)


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which take no time; the clock goes on by them."""
    pauses: list[float] = []
    monkeypatch.setattr(session, "sleep", pauses.append)
    monkeypatch.setattr(session, "monotonic", lambda: sum(pauses))
    return pauses


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_is_safe_is_sent_again_until_it_is_answered(method: str, status: int) -> None:
    wire = Wire(status, reset(), status)

    assert ask(wire, method) == 200
    assert wire.sent == [method] * 4


@pytest.mark.parametrize("broken", [reset(), requests.ReadTimeout(), refused()])
def test_a_read_survives_a_connection_that_breaks(broken: Exception) -> None:
    assert ask(Wire(broken)) == 200


def test_a_read_that_stalled_once_is_sent_again(slept: list[float]) -> None:
    class Stalled(Wire):
        def send(self, *args: Any, **kwargs: Any) -> Any:
            if not self.sent:
                slept.append(session.DEFAULT_TIMEOUT + 1)
            return super().send(*args, **kwargs)

    assert ask(Stalled(requests.ReadTimeout())) == 200


def test_a_body_that_was_cut_short_is_asked_for_again() -> None:
    cut = requests.exceptions.ChunkedEncodingError("incomplete")

    assert ask(Wire(cut)) == 200


def test_nothing_is_repeated_for_ever(slept: list[float]) -> None:
    assert ask(Wire(*[503] * 1000)) == 503
    assert session.RETRY_SECONDS < sum(slept) < session.RETRY_SECONDS + session.LONGEST_PAUSE


def test_an_outage_of_a_minute_is_waited_for(slept: list[float]) -> None:
    class Down(Wire):
        def send(self, *args: Any, **kwargs: Any) -> Any:
            if sum(slept) < 60:
                raise refused()
            return super().send(*args, **kwargs)

    assert ask(Down(), "POST") == 200


def test_an_error_of_the_service_itself_is_not_waited_for_long(slept: list[float]) -> None:
    wire = Wire(*[500] * 100)

    assert ask(wire) == 500
    assert len(wire.sent) == session.TRIES_OF_500
    assert sum(slept) < 5


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("answer", [429, 503, refused()])
def test_a_write_is_sent_again_where_nothing_was_done(method: str, answer: Answer) -> None:
    wire = Wire(answer)

    assert ask(wire, method) == 200
    assert wire.sent == [method] * 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_write_that_may_have_been_obeyed_is_not_sent_again(method: str, status: int) -> None:
    wire = Wire(status)

    assert ask(wire, method) == status
    assert wire.sent == [method]


@pytest.mark.parametrize("broken", [reset(), requests.ReadTimeout()])
def test_a_write_whose_answer_was_lost_is_not_sent_again(broken: Exception) -> None:
    wire = Wire(broken)

    with pytest.raises(ks_exceptions.ConnectionError):
        ask(wire, "POST")
    assert wire.sent == ["POST"]


@pytest.mark.parametrize("answer", [429, 502, 503])
def test_a_stream_is_sent_once(answer: int) -> None:
    wire = Wire(answer)

    assert ask(wire, "PUT", data=iter([b"x"])) == answer
    assert wire.sent == ["PUT"]


def test_a_stream_of_which_nothing_went_is_sent_again() -> None:
    assert ask(Wire(refused()), "PUT", data=iter([b"x"])) == 200


def test_a_refusal_is_not_asked_about_again() -> None:
    wire = Wire(403)

    assert ask(wire) == 403
    assert wire.sent == ["GET"]


def test_a_wrong_address_is_told_at_once(slept: list[float]) -> None:
    with pytest.raises(ks_exceptions.ConnectFailure):
        session_on(Wire(refused()), met=False).get(URL)
    assert not slept


@pytest.mark.parametrize("answer", [500, 503, 429, reset()])
def test_a_look_is_never_repeated(answer: Answer) -> None:
    wire = Wire(answer)
    if isinstance(answer, Exception):
        with pytest.raises(ks_exceptions.ConnectFailure):
            ask(wire, repeat=False)
    else:
        assert ask(wire, repeat=False) == answer
    assert wire.sent == ["GET"]


def test_an_error_is_raised_for_whoever_wants_one() -> None:
    with pytest.raises(ks_exceptions.NotFound):
        session_on(Wire(404)).get(URL)


@pytest.mark.parametrize(
    ("told", "waited"),
    [("7", 7), ("0", 0), ("1000000000", 60), ("Fri, 31 Dec 1999 23:59:59 GMT", 0)],
)
def test_retry_after_is_kept_to_within_bounds(told: str, waited: float, slept: list[float]) -> None:
    ask(Wire((429, {"Retry-After": told})))

    assert slept == [waited]


@pytest.mark.parametrize("told", ["-5", "soon", "", "1e9", "٣"])
def test_a_retry_after_that_says_nothing_is_passed_over(told: str, slept: list[float]) -> None:
    ask(Wire((429, {"Retry-After": told})))

    assert 0.5 <= slept[0] <= 1


def test_every_request_has_a_timeout() -> None:
    wire = Wire()
    ask(wire)
    assert wire.timeouts == [(session.CONNECT_TIMEOUT, session.DEFAULT_TIMEOUT)]


def test_a_timeout_of_clouds_yaml_is_kept() -> None:
    assert RetryingSession(timeout=7).timeout == 7


def test_a_long_wait_is_told_once(slept: list[float]) -> None:
    words: list[str] = []
    patient = session_on(Wire(503, 503, 503, 503, 503, 503))
    patient.tell = words.append

    patient.get(URL)

    assert words == [f"waiting for the cloud to answer GET {URL}: it answers 503"]


def test_a_short_wait_is_not_worth_a_word() -> None:
    words: list[str] = []
    patient = session_on(Wire(503))
    patient.tell = words.append

    patient.get(URL)

    assert words == []


# --- a service that does not answer ---


def test_after_one_request_in_vain_those_like_it_get_less_time(slept: list[float]) -> None:
    wire, words = Wire(*[503] * 1000), list[str]()
    patient = session_on(wire)
    patient.tell = words.append

    def seconds(method: str, service: str = "compute") -> float:
        before = sum(slept)
        patient.request(URL, method, raise_exc=False, endpoint_filter={"service_type": service})
        return sum(slept) - before

    assert seconds("POST") > session.RETRY_SECONDS
    most = session.SHORT_SECONDS + session.LONGEST_PAUSE
    assert seconds("POST") < most
    assert seconds("GET") > session.RETRY_SECONDS
    assert seconds("POST", "network") > session.RETRY_SECONDS
    assert [line for line in words if "does not answer POST" in line] == [
        f"the service {service} does not answer POST: until it does, it is asked for 10 s each time"
        for service in ("compute", "network")
    ]
    wire._left.clear()
    assert seconds("POST") == 0
    wire._left.extend([503] * 1000)
    assert seconds("POST") > session.RETRY_SECONDS


def test_a_request_without_an_answer_is_told_while_it_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "SILENT_AFTER", 0.01)
    told = threading.Event()
    words: list[str] = []

    def tell(text: str) -> None:
        words.append(text)
        told.set()

    class Silent(Wire):
        def send(self, *args: Any, **kwargs: Any) -> Any:
            assert told.wait(10)
            return super().send(*args, **kwargs)

    patient = session_on(Silent())
    patient.tell = tell
    patient.get(URL)
    assert words == [f"waiting for the cloud to answer GET {URL}: nothing came for a minute"]


# --- tokens ---


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_that_does_not_know_a_new_token_yet_is_asked_again(method: str) -> None:
    wire = Wire(401, 401)

    assert ask(wire, method) == 200
    assert wire.sent == [method] * 3


def test_credentials_that_are_refused_are_not_sent_again_and_again() -> None:
    wire = Wire(*[401] * 9)

    assert ask(wire) == 401
    assert len(wire.sent) == session.TRIES_OF_401
    token = Wire(401)
    patient = session_on(token)
    patient.request("http://cloud/v3/auth/tokens", "POST", raise_exc=False)
    assert token.sent == ["POST"]
    assert ask(Wire(401), "PUT", data=iter([b"x"])) == 401


class Keystone(Wire):
    """Gives tokens, when it answers at all; and is the service, too."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().send(request, *args, **kwargs)
        if str(request.url).endswith("/auth/tokens") and response.status_code == 200:
            response.headers["X-Subject-Token"] = "secret"
            response.raw = io.BytesIO(
                b'{"token": {"methods": ["password"], "expires_at": "2999-01-01T00:00:00Z",'
                b' "user": {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}}}}'
            )
        return response


def authenticated(wire: Wire) -> RetryingSession:
    patient = session_on(wire, met=False)
    patient.auth = v3.Password("http://cloud/v3", username="u", password="p", user_domain_id="d")
    return patient


@pytest.mark.parametrize("answer", [500, 502, 503, 504, 429, reset()])
def test_a_token_is_asked_for_again_though_that_is_a_post(answer: Answer) -> None:
    wire = Keystone(answer)

    assert authenticated(wire).get_token() == "secret"
    assert wire.sent == ["POST", "POST"]


@pytest.mark.parametrize("body", [b'{"token": {"methods"', b"<html>busy</html>", b""])
def test_a_token_whose_answer_is_cut_is_asked_for_again(body: bytes) -> None:
    class Cut(Keystone):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
            response = super().send(request, *args, **kwargs)
            if len(self.sent) < 3:
                response.raw = io.BytesIO(body)
            return response

    wire = Cut()
    assert authenticated(wire).get_token() == "secret"
    assert wire.sent == ["POST", "POST", "POST"]


def test_a_request_and_its_token_share_their_patience(slept: list[float]) -> None:
    with pytest.raises(ks_exceptions.HttpError):
        authenticated(Keystone(*[503] * 1000)).get(URL)

    assert sum(slept) < session.RETRY_SECONDS + session.LONGEST_PAUSE


def test_pauses_grow_and_are_never_all_the_same() -> None:
    def many(tries: int) -> Iterator[float]:
        return (session._pause(tries) for _ in range(50))

    assert max(many(1)) <= 1
    assert min(many(3)) >= 2
    assert max(many(1000)) <= session.LONGEST_PAUSE
    assert len(set(many(2))) > 40
