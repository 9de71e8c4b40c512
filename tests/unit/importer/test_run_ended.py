"""What ends the run for all: a target that is gone, a state that cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions
from urllib3.exceptions import MaxRetryError, NewConnectionError

from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from downpour_import.errors import RunEnded
from downpour_import.recreate import ending_the_run
from downpour_import.state.failures import Failures
from downpour_import.state.journal import Journal
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.failing import (
    failing,
    goes_on,
    named,
    posts_of,
)
from tests.unit.importer.project import DISKS, project
from tests.unit.importer.test_whole_import import Far, write_bundle


def from_the_first_port_on(far: Far, act: Callable[[], Any]) -> list[Call]:
    """``act`` answers from there on; the calls that get its answer."""
    answered: list[Call] = []

    def hook(call: Call) -> Any:
        if answered or (call.method == "POST" and call.path == "/ports"):
            answered.append(call)
            return act()
        return None

    far.cloud.before.append(hook)
    return answered


def gone() -> Any:
    """No connection can be made, as keystoneauth tells it."""
    inner = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    try:
        raise requests.ConnectionError(MaxRetryError(None, "/", inner))  # type: ignore[arg-type]
    except requests.ConnectionError:
        raise ks_exceptions.ConnectFailure("Unable to establish connection")  # noqa: B904


def unknown_user() -> Any:
    raise ks_exceptions.Unauthorized("The request you have made requires authentication.")


@pytest.mark.parametrize("act", [gone, unknown_user, lambda: response(401)])
def test_a_target_that_is_gone_ends_the_run(far: Far, act: Callable[[], Any]) -> None:
    answered = from_the_first_port_on(far, act)

    faults = failing(far)

    assert len(faults) == 1
    assert len(answered) == 1
    assert far.cloud.of("/servers") == {}
    goes_on(far)


def test_a_request_that_is_never_answered_costs_only_what_needs_it(far: Far) -> None:
    asks = posts_of(far, named("port", "p"))

    def lose(call: Call) -> None:
        if asks(call):
            raise ks_exceptions.ConnectFailure("reset by peer")

    far.cloud.before.append(lose)
    faults = failing(far)
    assert faults[0].startswith("port 'p': /ports: the target does not answer POST")
    assert any(item["name"] == "db" for item in far.cloud.of("/servers").values())
    goes_on(far)


def test_a_state_directory_that_cannot_be_written_ends_the_run(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Journal.record

    def full(self: Journal, event: Any, ref: Ref, *more: Any) -> None:
        if ref.type == "router":
            raise LocalError("cannot write: No space left on device", where="journal")
        record(self, event, ref, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "record", full)
        faults = failing(far)
    assert faults == ["router 'r': journal: cannot write: No space left on device"]
    assert far.cloud.of("/trunks") == {}
    goes_on(far)


def test_another_bundle_in_the_place_of_this_one_ends_the_run(far: Far, tmp_path: Path) -> None:
    far.bundle = write_bundle(tmp_path / "b.dpbundle", resources=project, disks=DISKS)
    another = write_bundle(tmp_path / "c.dpbundle", resources=project, disks=DISKS)

    def swap(call: Call) -> None:
        if call.path == "/images" and call.method == "POST" and another.exists():
            another.replace(far.bundle)

    far.cloud.before.append(swap)
    (fault,) = failing(far)
    assert "not the bundle that was verified" in fault
    assert far.cloud.of("/volumes") == {}


def test_after_what_ended_the_run_no_process_tries_anything(tmp_path: Path) -> None:
    first, second = Failures(tmp_path), Failures(tmp_path)
    first.begin(isolate=True)
    with pytest.raises(LocalError), ending_the_run(first):
        raise LocalError("cannot write")
    tried = False
    with pytest.raises(RunEnded, match="the run has ended: cannot write"), ending_the_run(second):
        tried = True
    assert not tried
