"""What the connection does when the source cannot answer now."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec.errors import CaptureError, OverQuota
from downpour_export.cloud import TRIES, SourceCloud
from tests.unit.fake_cloud import Call, FakeCloud, response


def answering(first: Sequence[int | Exception]) -> FakeCloud:
    """A cloud with one volume, whose first answers are these."""
    fake = FakeCloud()
    fake.add("/volumes", id="v1", size=1)
    left = list(first)

    def hook(call: Call) -> requests.Response | None:
        if not left:
            return None
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return response(answer)

    fake.before.append(hook)
    return fake


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_sent_again_until_it_is_answered(status: int) -> None:
    fake = answering([status, ks_exceptions.ConnectFailure("reset"), status])

    found = SourceCloud(fake.connection).get("block_storage", "/volumes/v1")

    assert found["volume"]["id"] == "v1"
    assert len(fake.sent("GET")) == 4


def test_a_read_is_not_sent_for_ever() -> None:
    fake = answering([503] * 100)

    with pytest.raises(CaptureError, match="refused GET"):
        SourceCloud(fake.connection).get("block_storage", "/volumes/v1")

    assert len(fake.sent("GET")) == TRIES


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_is_sent_again_where_nothing_was_done(status: int) -> None:
    fake = answering([status])

    SourceCloud(fake.connection).post("block_storage", "/volumes", {"volume": {"size": 1}})

    assert len(fake.of("/volumes")) == 2


@pytest.mark.parametrize("answer", [500, 502, 504, ks_exceptions.ConnectFailure("reset")])
def test_a_write_that_may_have_been_obeyed_is_not_sent_again(answer: int | Exception) -> None:
    fake = answering([answer])

    with pytest.raises(CaptureError):
        SourceCloud(fake.connection).post("block_storage", "/volumes", {"volume": {"size": 1}})

    assert len(fake.sent("POST")) == 1


def test_a_refusal_is_not_asked_about_again() -> None:
    fake = answering([403])

    with pytest.raises(CaptureError, match="refused GET"):
        SourceCloud(fake.connection).get("block_storage", "/volumes/v1")

    assert len(fake.sent("GET")) == 1


def test_a_used_up_quota_is_an_error_of_its_own() -> None:
    fake = answering([413])

    with pytest.raises(OverQuota):
        SourceCloud(fake.connection).post("block_storage", "/volumes", {"volume": {"size": 1}})
