"""What the proxy does without any fault: it is not there, but for the addresses."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.faults.small import DATA, FILE, MIB, Behind, behind
from tests.faults.wire import upstream

LARGE = 64 * MIB


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Behind]:
    with behind(tmp_path) as found:
        yield found


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield bytes(MIB)


def test_addresses_of_services_are_the_proxys_in_json_and_in_headers(plain: Behind) -> None:
    answer = requests.get(f"{plain.at}/v2/images", timeout=10)
    assert answer.json()["links"][0]["href"] == f"{plain.at}/v2/"
    assert answer.headers["Location"] == f"{plain.at}/v2/images"
    assert plain.service.origin not in answer.text


def test_the_service_is_asked_by_its_own_name(plain: Behind) -> None:
    requests.get(f"{plain.at}/v2/images", timeout=10)
    [(_, _, _, headers)] = plain.service.obeyed
    assert headers["Host"] == plain.service.origin.removeprefix("http://")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_methods_pass(plain: Behind, method: str) -> None:
    assert requests.request(method, f"{plain.at}/v2/images?limit=5", timeout=10).status_code == 200
    assert plain.service.obeyed[0][:2] == (method, "/v2/images?limit=5")


def test_data_is_not_changed(plain: Behind) -> None:
    assert requests.get(plain.at + FILE, timeout=10).content == DATA


def test_ranges_pass(plain: Behind) -> None:
    answer = requests.get(plain.at + FILE, headers={"Range": "bytes=1000-"}, timeout=10)
    assert (answer.status_code, answer.content) == (206, DATA[1000:])


@pytest.mark.parametrize("body", ["counted", "chunked"])
def test_an_upload_is_not_changed(plain: Behind, body: str) -> None:
    data = DATA if body == "counted" else iter([DATA[:5], DATA[5:]])
    answer = requests.put(plain.at + FILE, data=data, timeout=10).json()
    assert answer["sha256"] == hashlib.sha256(DATA).hexdigest()


def test_a_connection_is_used_again(plain: Behind) -> None:
    with requests.Session() as session:
        for _ in range(3):
            session.put(plain.at + FILE, data=iter([b"abc"]), timeout=10)
            assert session.get(f"{plain.at}/v2/images", timeout=10).ok
    assert len(plain.service.obeyed) == 6


def test_a_large_upload_takes_little_memory(plain: Behind) -> None:
    tracemalloc.start()
    try:
        answer = requests.put(plain.at + FILE, data=pieces(LARGE), timeout=60)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.json()["size"] == LARGE
    assert most < 8 * MIB


def test_json_without_end_is_not_held(plain: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MAX_JSON", 50)
    assert requests.get(f"{plain.at}/v2/images", timeout=10).status_code == 502
    assert plain.log.lines()[0]["broken"] == "TooLong()"


def test_a_service_that_is_gone_is_a_connection_that_breaks(plain: Behind) -> None:
    plain.service.shutdown()
    plain.service.server_close()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{plain.at}/v2/images", timeout=10)
