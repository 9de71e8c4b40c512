"""Each fault does what its docstring says, to a client that asks a small service."""

from __future__ import annotations

import email.utils
import hashlib
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.faults.exchange import Answer, Request
from tests.faults.kinds.altered import (
    Clock,
    Cut,
    FlipData,
    FlipJson,
    RangeIgnored,
    ShortToken,
    Slow,
)
from tests.faults.kinds.call import Call
from tests.faults.kinds.instead import Down, Html, Redirect, Reset, Stalled, Status, Unauthorized
from tests.faults.kinds.repeated import Late, Twice
from tests.faults.rules import nth
from tests.faults.small import DATA, FILE, Behind, behind

LIST = "/v2/images"
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def get(found: Behind, path: str = LIST, **more: Any) -> requests.Response:
    return requests.get(found.at + path, timeout=10, **more)


# --- instead of an answer ---


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_comes_and_the_service_is_not_asked(tmp_path: Path, status: int) -> None:
    with behind(tmp_path, Status(status)) as found:
        answer = get(found)
        assert (answer.status_code, "Retry-After" in answer.headers) == (status, False)
        assert not found.service.obeyed


def test_a_status_comes_though_the_service_has_obeyed(tmp_path: Path) -> None:
    with behind(tmp_path, Status(504, is_obeyed=True)) as found:
        assert requests.post(found.at + LIST, json={}, timeout=10).status_code == 504
        assert found.methods == ["POST"]


def test_retry_after_is_a_number_or_a_date(tmp_path: Path) -> None:
    with behind(tmp_path, Status(429, "seconds", seconds=3)) as found:
        assert get(found).headers["Retry-After"] == "3"
    with behind(tmp_path, Status(429, "date", seconds=3)) as found:
        when = email.utils.parsedate_to_datetime(get(found).headers["Retry-After"])
        assert abs(when.timestamp() - time.time()) < 30


def test_an_upload_that_is_refused_is_still_answered(tmp_path: Path) -> None:
    with behind(tmp_path, Status(503)) as found:
        assert requests.put(found.at + FILE, data=iter([DATA]), timeout=10).status_code == 503
        assert not found.service.obeyed


@pytest.mark.parametrize("is_obeyed", [False, True])
def test_a_reset_is_one_before_or_behind_the_service(tmp_path: Path, is_obeyed: bool) -> None:
    with behind(tmp_path, Reset(is_obeyed=is_obeyed)) as found:
        with pytest.raises(requests.ConnectionError) as caught:
            requests.post(found.at + LIST, json={}, timeout=10)
        assert "reset" in str(caught.value)
        assert found.methods == ["POST"] * is_obeyed


@pytest.mark.parametrize("is_begun", [False, True])
def test_what_stalls_neither_answers_nor_hangs_up(tmp_path: Path, is_begun: bool) -> None:
    with behind(tmp_path, Stalled(is_begun=is_begun)) as found:
        with pytest.raises((requests.ReadTimeout, requests.ConnectionError)) as caught:
            requests.get(found.at + LIST, timeout=0.5)
        assert "timed out" in str(caught.value)
        assert found.methods == ["GET"] * is_begun


def test_a_page_comes_as_if_all_were_well(tmp_path: Path) -> None:
    with behind(tmp_path, Html()) as found:
        answer = get(found)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


def test_a_token_is_refused_in_the_middle_but_not_by_keystone(tmp_path: Path) -> None:
    with behind(tmp_path, Unauthorized(), by=nth(2)) as found:
        assert [get(found).status_code for _ in range(3)] == [200, 401, 200]
    assert not Unauthorized().fits(Request("keystone", "POST", "/v3/auth/tokens"))


def test_a_redirect_leads_to_the_same_answer_on_another_path(tmp_path: Path) -> None:
    with behind(tmp_path, Redirect(is_elsewhere=False)) as found:
        answer = get(found)
        assert len(answer.history) == 1
        assert answer.json()["links"]
        assert found.service.obeyed[0][1] == LIST


def test_who_follows_a_redirect_to_another_host_is_caught(tmp_path: Path) -> None:
    with behind(tmp_path, Redirect(is_elsewhere=True)) as found:
        assert get(found, headers={"X-Auth-Token": "secret"}).status_code == 404
        [line] = found.log.trapped
        assert line["trapped"] == LIST
        assert "X-Auth-Token" in line["headers"]
        assert not found.service.obeyed


def test_a_service_that_is_down_refuses_connections_and_comes_back(tmp_path: Path) -> None:
    with behind(tmp_path, Down(2.0, is_refused=True), by=nth(1)) as found:
        with pytest.raises(requests.ConnectionError):
            get(found)
        wait_until(lambda: refuses(found))
        wait_until(lambda: not refuses(found))
        assert get(found).ok


def test_a_service_that_is_down_answers_503_and_comes_back(tmp_path: Path) -> None:
    with behind(tmp_path, Down(0.3, is_refused=False), by=nth(1)) as found:
        assert get(found).status_code == 503
        wait_until(lambda: get(found).ok)


def refuses(found: Behind) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", int(found.at.rpartition(":")[2]))) != 0


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline


# --- an answer that is changed ---


@pytest.mark.parametrize("path", [LIST, FILE])
def test_a_body_that_is_cut_is_shorter_than_promised(tmp_path: Path, path: str) -> None:
    with behind(tmp_path, Cut(is_fitting=False, of_data=path == FILE)) as found:
        with pytest.raises(BROKEN):
            get(found, path)
        assert len(found.log.faults) == 1


def test_json_is_cut_with_a_length_that_fits(tmp_path: Path) -> None:
    with behind(tmp_path, Cut(is_fitting=True, of_data=False)) as found:
        answer = get(found)
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with pytest.raises(ValueError, match=r"."):
            answer.json()
        assert get(found, FILE).content == DATA


def test_data_is_cut_with_a_length_that_fits(tmp_path: Path) -> None:
    with behind(tmp_path, Cut(is_fitting=True, of_data=True)) as found:
        content = get(found, FILE).content
        assert DATA.startswith(content)
        assert len(content) < len(DATA)
        assert get(found).json()


def test_one_bit_of_data_is_flipped(tmp_path: Path) -> None:
    with behind(tmp_path, FlipData()) as found:
        content = get(found, FILE).content
        differing = [a ^ b for a, b in zip(content, DATA, strict=True) if a != b]
        assert len(differing) == 1
        assert differing[0].bit_count() == 1
        assert get(found).json()


def test_json_is_flipped_so_that_it_is_none_and_as_long(tmp_path: Path) -> None:
    with behind(tmp_path, FlipJson()) as found:
        answer = get(found)
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with pytest.raises(ValueError, match=r"."):
            answer.json()


def test_a_range_is_ignored(tmp_path: Path) -> None:
    with behind(tmp_path, RangeIgnored()) as found:
        answer = get(found, FILE, headers={"Range": "bytes=1000-"})
        assert (answer.status_code, answer.content) == (200, DATA)


def test_what_could_not_be_harmed_is_not_told(tmp_path: Path) -> None:
    with behind(tmp_path, RangeIgnored(), Cut(is_fitting=True, of_data=True)) as found:
        assert get(found).ok
        assert not found.log.lines()


def test_a_slow_line_takes_its_time_both_ways(tmp_path: Path) -> None:
    slow = Slow(3 * len(DATA), longest=5)
    with behind(tmp_path, slow) as found:
        began = time.monotonic()
        assert get(found, FILE).content == DATA
        answer = requests.put(found.at + FILE, data=iter([DATA]), timeout=20)
        assert time.monotonic() - began >= 0.5
        assert answer.json()["sha256"] == hashlib.sha256(DATA).hexdigest()


def test_a_clock_is_off_in_dates_and_in_objects(tmp_path: Path) -> None:
    with behind(tmp_path, Clock(-5)) as found:
        answer = get(found)
        when = email.utils.parsedate_to_datetime(answer.headers["Date"])
        assert 4 < (time.time() - when.timestamp()) / 3600 < 6
        assert answer.json()["created_at"] == "2026-01-01T22:04:05Z"


def test_a_token_expires_early() -> None:
    body = b'{"token": {"issued_at": "2026-01-02T03:04:05.000000Z", "expires_at": "2027"}}'
    answer = Answer(201, (("Content-Type", "application/json"),)).with_body(body)
    found = ShortToken(40).play(call_of(Request("keystone", "POST", "/v3/auth/tokens"), answer))
    assert b'"expires_at": "2026-01-02T03:04:45.000000Z"' in found.whole_body()


def call_of(request: Request, answer: Answer) -> Call:
    def nothing(*_: Any) -> None:
        raise AssertionError

    return Call(request, lambda _: answer, nothing, nothing, random.Random(1), "", "")


# --- at another time ---


def test_a_post_arrives_twice_with_its_body(tmp_path: Path) -> None:
    with behind(tmp_path, Twice()) as found:
        assert requests.post(found.at + LIST, json={"a": 1}, timeout=10).ok
        assert get(found).ok
        assert [(method, size) for method, _, size, _ in found.service.obeyed] == [
            ("POST", 8),
            ("POST", 8),
            ("GET", 0),
        ]


def test_a_post_arrives_when_the_client_is_gone(tmp_path: Path) -> None:
    with behind(tmp_path, Late(0.5)) as found:
        with pytest.raises(requests.ConnectionError):
            requests.post(found.at + LIST, json={}, timeout=10)
        assert not found.service.obeyed
    # The proxy ends when all that is late has come.
    assert found.methods == ["POST"]


# --- the log ---


def test_each_fault_is_told_to_whoever_reads_the_log(tmp_path: Path) -> None:
    with behind(tmp_path, Status(503), by=nth(2)) as found:
        for _ in range(3):
            get(found)
        [line] = found.log.faults
        assert line.pop("at") >= 0
        assert line == {
            "fault": "Status(status=503, retry_after=None, seconds=2, is_obeyed=False)",
            "service": "glance",
            "method": "GET",
            "path": LIST,
            "count": 2,
            "status": 503,
            "ending": "KEPT",
        }


def test_threads_count_together(tmp_path: Path) -> None:
    statuses: list[int] = []

    def ask(found: Behind) -> None:
        statuses.append(get(found).status_code)

    with behind(tmp_path, Status(503), by=nth(3, 7)) as found:
        threads = [threading.Thread(target=ask, args=(found,)) for _ in range(10)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert sorted(statuses) == [200] * 8 + [503] * 2
