"""Servers that are stopped for their capture run again, whatever ends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import requests

from bundle_spec import BundleWriter
from downpour_export.capture import Captured
from downpour_export.discover.marks import Mark
from downpour_export.errors import CaptureError
from downpour_export.plan import StopMode
from tests.unit.export.capture_source import (
    ALONE,
    DB,
    WEB,
    Killed,
    Source,
    kill_at,
    on_read,
    revive,
    run,
)
from tests.unit.fake_cloud import Call, response
from tests.unit.quiet import Notes

OFF = [replace(each, consistency="stopped") for each in WEB]
"""The disks of the server, as they are planned when it is to be stopped."""


def consistencies(found: Captured) -> list[str | None]:
    """In which state each of these disks was captured."""
    captures = [found.disks[each.ref].capture for each in OFF]
    return [capture.consistency if capture else None for capture in captures]


def actions(fake: Source, server: str) -> list[str]:
    calls = fake.sent("POST", f"/servers/{server}/action")
    return [next(iter(call.body)) for call in calls]


def test_a_server_is_stopped_before_its_snapshots_and_started_after_them(
    fake: Source, writer: BundleWriter
) -> None:
    found, _ = run(fake, writer, [*WEB, *DB], stops={"web": "during"})
    order = [str(each) for each in fake.calls if each.method == "POST"]
    stop, image, start = [i for i, call in enumerate(order) if call == "POST /servers/web/action"]
    assert actions(fake, "web") == ["os-stop", "createImage", "os-start"]
    assert stop < order.index("POST /snapshots") < start or image < start
    assert (fake.status("web"), fake.status("db")) == ("ACTIVE", "ACTIVE")
    assert actions(fake, "db") == ["createImage"]
    assert fake.marks() == {}
    assert found.stopped == {"web"}


def test_it_is_marked_before_it_is_stopped(fake: Source, writer: BundleWriter) -> None:
    run(fake, writer, WEB, stops={"web": "during"})
    order = [f"{each.method} {each.path}" for each in fake.calls if "/servers/web/" in each.path]
    assert order[:2] == ["POST /servers/web/metadata", "POST /servers/web/action"]
    (mark,) = fake.sent("POST", "/servers/web/metadata")
    assert list(mark.body["metadata"]) == ["dpb-stopped"]
    assert Mark.of(mark.body["metadata"]["dpb-stopped"]).bundle == writer.uuid


def test_one_that_is_to_stay_stopped_is_not_marked_and_not_started(
    fake: Source, writer: BundleWriter
) -> None:
    found, _ = run(fake, writer, WEB, stops={"web": "keep"})
    assert fake.status("web") == "SHUTOFF"
    assert actions(fake, "web") == ["os-stop", "createImage"]
    assert fake.sent("POST", "/servers/web/metadata") == []
    assert found.stopped == {"web"}


def test_one_that_was_off_when_its_turn_came_is_left_off(
    fake: Source, writer: BundleWriter
) -> None:
    fake.of("/servers")["web"]["status"] = "SHUTOFF"
    found, _ = run(fake, writer, WEB, stops={"web": "during"})
    assert actions(fake, "web") == ["createImage"]
    assert found.stopped == set()


@pytest.mark.parametrize("broken", ["/servers/web/action", "/snapshots", "/images/"])
def test_it_runs_again_after_an_error(fake: Source, writer: BundleWriter, broken: str) -> None:
    def refuse(call: Call) -> requests.Response | None:
        wrong = call.path.startswith(broken) and call.method in ("POST", "GET")
        return response(403) if wrong and "os-start" not in (call.body or {}) else None

    fake.before.append(refuse)
    with pytest.raises(CaptureError):
        run(fake, writer, WEB, stops={"web": "during"})
    assert fake.status("web") == "ACTIVE"
    assert fake.marks() == {}


def test_it_runs_again_after_an_interrupt(fake: Source, writer: BundleWriter) -> None:
    def interrupt(call: Call) -> None:
        if call.path == "/snapshots" and call.method == "POST":
            assert fake.status("web") == "SHUTOFF"
            raise KeyboardInterrupt

    fake.before.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(fake, writer, WEB, stops={"web": "during"})
    assert fake.status("web") == "ACTIVE"
    assert (fake.marks(), fake.left()) == ({}, [])


def test_a_start_waits_for_what_nova_does_with_the_server(
    fake: Source, writer: BundleWriter
) -> None:
    refusals = iter([response(409), response(409)])

    def busy(call: Call) -> requests.Response | None:
        return next(refusals, None) if "os-start" in (call.body or {}) else None

    fake.before.append(busy)
    run(fake, writer, WEB, stops={"web": "during"})
    assert actions(fake, "web").count("os-start") == 3
    assert fake.status("web") == "ACTIVE"


def test_a_server_that_does_not_start_is_told_and_keeps_its_mark(
    fake: Source, writer: BundleWriter
) -> None:
    def fails(call: Call) -> requests.Response | None:
        return response(500) if "os-start" in (call.body or {}) else None

    fake.before.append(fails)
    notes = Notes()
    with pytest.raises(CaptureError):
        run(fake, writer, WEB, stops={"web": "during"}, notes=notes)
    (told,) = [each for each in notes.said if each.startswith("cannot start server 'web' (web)")]
    assert told.endswith("the same command again or `downpour-export cleanup` sets it right")
    assert Mark.of(fake.marks()["web"]["dpb-stopped"]).bundle == writer.uuid


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/servers/web/metadata", ""),
        ("POST", "/servers/web/action", "os-stop"),
        ("POST", "/servers/web/action", "createImage"),
        ("POST", "/snapshots", ""),
        ("POST", "/servers/web/action", "os-start"),
    ],
)
def test_the_next_run_starts_what_a_killed_one_had_stopped(
    fake: Source, tmp_path: Path, method: str, path: str, body: str
) -> None:
    kill_at(fake, method, path, body)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, [*ALONE, *WEB], jobs=1, stops={"web": "during"})
    revive(fake)
    assert fake.marks()
    # Discovery sees a server that is off and plans no stop.
    status = fake.status("web")
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(
            fake, writer, [*ALONE, *WEB], stops={"web": "during"} if status == "ACTIVE" else {}
        )
    assert found.stopped == {"web"}
    assert fake.status("web") == "ACTIVE"
    assert (fake.marks(), fake.left()) == ({}, [])


def test_a_server_that_is_not_wanted_any_more_is_started_too(fake: Source, tmp_path: Path) -> None:
    kill_at(fake, "POST", "/snapshots")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, [*ALONE, *WEB], jobs=1, stops={"web": "during"})
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, ALONE)
    assert fake.status("web") == "ACTIVE"
    assert (fake.marks(), fake.left()) == ({}, [])


def test_a_run_that_begins_again_starts_what_a_killed_one_had_stopped(
    fake: Source, tmp_path: Path
) -> None:
    kill_at(fake, "POST", "/snapshots")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, jobs=1, stops={"web": "during"})
    revive(fake)
    with BundleWriter(tmp_path / "x", resume=False) as writer:
        found, _ = run(fake, writer, [*OFF, *ALONE])
    assert found.stopped == {"web"}
    assert fake.status("web") == "ACTIVE"
    assert (fake.marks(), fake.left()) == ({}, [])


@pytest.mark.parametrize("how", ["during", "keep"])
def test_what_was_read_of_a_running_server_is_read_again_when_it_shall_be_stopped(
    fake: Source, tmp_path: Path, how: StopMode
) -> None:
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, [*WEB, *ALONE])
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(fake, writer, [*OFF, *ALONE], stops={"web": how})
        assert len(writer.ended_disks()) == len(OFF) + len(ALONE)
    assert "os-stop" in actions(fake, "web")
    assert consistencies(found) == ["stopped"] * len(OFF)
    assert found.stopped == {"web"}
    assert fake.status("web") == ("SHUTOFF" if how == "keep" else "ACTIVE")


def test_what_was_read_of_a_stopped_server_is_read_again_only_if_it_runs_and_shall_stay_off(
    fake: Source, tmp_path: Path
) -> None:
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, OFF, stops={"web": "during"})
    fake.calls.clear()
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, OFF, stops={"web": "during"})
    assert actions(fake, "web") == []
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, OFF, stops={"web": "keep"})
    assert actions(fake, "web") == ["os-stop", "createImage"]
    assert fake.status("web") == "SHUTOFF"
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, OFF)
    assert actions(fake, "web") == ["os-stop", "createImage"]


def test_snapshots_of_a_running_server_are_not_gone_on_with_when_it_shall_be_stopped(
    fake: Source, tmp_path: Path
) -> None:
    kill_at(fake, "GET", "/file")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, jobs=1)
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(fake, writer, OFF, stops={"web": "during"})
    assert "os-stop" in actions(fake, "web")
    assert consistencies(found) == ["stopped"] * len(OFF)
    assert fake.left() == []


def test_one_that_stays_stopped_is_remembered_as_running(fake: Source, tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, WEB, stops={"web": "keep"})
    on_read(fake, "web", lambda n: response(500))
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(fake, writer, WEB)
    assert found.stopped == {"web"}
    assert fake.status("web") == "SHUTOFF"


def test_that_it_ran_is_remembered_through_a_kill_and_a_failure(
    fake: Source, tmp_path: Path
) -> None:
    """The first run is killed before a byte is read, the second fails before it reads any."""
    kill_at(fake, "POST", "/snapshots")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, OFF, stops={"web": "keep"})
    revive(fake)
    assert fake.status("web") == "SHUTOFF"
    fake.before.append(lambda call: response(403) if "createImage" in str(call.body) else None)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(CaptureError):
        run(fake, writer, OFF)
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(fake, writer, OFF)
    assert found.stopped == {"web"}


def test_that_it_ran_is_known_to_a_run_that_begins_afresh(fake: Source, tmp_path: Path) -> None:
    """It is off since the first run, for good: only the journal that is forgotten tells."""
    kill_at(fake, "GET", "/file")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, stops={"web": "keep"})
    revive(fake)
    for _ in range(2):
        with BundleWriter(tmp_path / "x", resume=False) as writer:
            found, _ = run(fake, writer, WEB, stops={"web": "keep"})
            assert found.stopped == {"web"}
