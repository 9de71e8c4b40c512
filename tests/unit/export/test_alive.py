"""``cleanup`` leaves alone what a live export needs, and takes the rest."""

from __future__ import annotations

import email.utils
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from bundle_spec import BundleWriter
from downpour_cloud import CloudOptions
from downpour_export import cleanup, cli
from downpour_export.capture import heart, process
from downpour_export.cloud import SourceCloud
from downpour_export.discover.marks import Life, Mark, Process
from downpour_export.errors import CaptureError, StillAlive, StillAliveFaults
from tests.unit.export.capture_source import ALONE, WEB, Killed, Source, kill_at, revive, run
from tests.unit.fake_cloud import Call, response
from tests.unit.quiet import Notes

UUID = "01234567-89ab-4def-8000-000000000000"
OTHER = "ffffffff-89ab-4def-8000-000000000000"
NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
ELSEWHERE = Process(machine="e" * 16, pid=7, started=7)


@pytest.fixture(autouse=True)
def _clock(fake: Source) -> None:
    """The cloud is at NOW, whatever the time is here."""
    fake.after.append(says(NOW))


def says(now: datetime, service: str | None = None) -> Callable[[Call], requests.Response | None]:
    def hook(call: Call) -> requests.Response | None:
        if call.params.get("limit") != 1 or service not in (None, call.service):
            return None
        answer = response(200, {"images": [], "volumes": [], "servers": []})
        answer.headers["Date"] = email.utils.format_datetime(now, usegmt=True)
        return answer

    return hook


def mark(minutes: float, *, ended: bool = False, by: Process = ELSEWHERE, of: str = UUID) -> str:
    """Of an export that said so many minutes ago that it lives."""
    life = Life(at=NOW - timedelta(minutes=minutes), ended=ended, process=by)
    return str(Mark(bundle=of, life=life))


def leave(fake: Source, text: str, identity: str = "s1") -> None:
    name = f"downpour-{text.replace('-', '')[:12]}-v1"
    metadata = {"downpour_temporary": text}
    fake.add("/snapshots", id=identity, name=name, status="available", metadata=metadata)


def found(fake: Source) -> cleanup.Found:
    return cleanup.find(SourceCloud(fake.connection))


@pytest.mark.parametrize(
    ("text", "alive"),
    [
        (mark(9), True),
        (mark(11), False),
        (mark(1, ended=True), False),
        (mark(-60), True),
        (UUID, False),
        (f"{UUID} live 2026-02-31T00:00:00Z {'e' * 16} 7 7", False),
        (f"{UUID} live for ever", False),
    ],
)
def test_an_export_is_alive_as_its_newest_mark_says(fake: Source, text: str, alive: bool) -> None:
    leave(fake, text)
    assert bool(found(fake).live) == alive
    assert bool(found(fake).dead) != alive


def test_of_an_export_on_this_machine_its_process_tells(fake: Source) -> None:
    me = process.this_process()
    leave(fake, mark(60, by=me))
    assert found(fake).live
    leave(fake, mark(1, by=Process(machine=me.machine, pid=2**30, started=1)))
    assert not found(fake).live


def test_one_sign_of_life_is_enough_for_all_that_an_export_has(fake: Source) -> None:
    leave(fake, mark(60), "old")
    leave(fake, mark(1), "new")
    leave(fake, mark(60, of=OTHER), "another")
    fake.of("/servers")["web"]["metadata"] = {"dpb-stopped": mark(60)}
    seen = found(fake)
    assert [each.id for each in seen.dead.all()] == ["another"]
    with pytest.raises(StillAlive) as caught:
        seen.refuse_live()
    told = str(caught.value)
    assert told.startswith("0123456789ab: an export was alive at 2026-11-28 01:59:00 UTC, 60 s ago")
    assert "needs 2 temporary objects and 1 stopped server" in told
    assert "clean up again in 10 min, or with --also-live" in told


def test_the_end_of_an_export_is_newer_than_its_signs_of_life(fake: Source) -> None:
    leave(fake, mark(2), "left")
    leave(fake, mark(1, ended=True), "said so")
    assert not found(fake).live


def test_each_live_export_is_told(fake: Source) -> None:
    leave(fake, mark(1), "a")
    leave(fake, mark(2, of=OTHER), "b")
    with pytest.raises(StillAliveFaults) as caught:
        found(fake).refuse_live()
    assert [each.where for each in caught.value.faults] == ["0123456789ab", "ffffffff89ab"]


def test_a_service_whose_clock_is_fast_makes_no_export_dead(fake: Source) -> None:
    leave(fake, mark(1))
    fake.after.append(says(NOW + timedelta(hours=1), "image"))
    assert found(fake).live


def test_an_image_that_has_no_mark_yet_is_as_old_as_it_is(fake: Source) -> None:
    fake.image("i", "downpour-0123456789ab-v1")
    fake.of("/images")["i"]["created_at"] = "2026-11-28T01:59:00Z"
    assert found(fake).live
    fake.of("/images")["i"]["created_at"] = "2026-11-28T01:49:00Z"
    assert not found(fake).live


@pytest.fixture
def connected(fake: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    def connect(options: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    monkeypatch.setattr(cli, "connect", connect)
    return fake


def test_cleanup_takes_the_dead_and_refuses_the_live(
    connected: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(connected, mark(60, of=OTHER), "dead")
    leave(connected, mark(1), "live")
    assert cli.main(["cleanup", "--yes"]) == StillAlive.exit_code == 15
    told = capsys.readouterr()
    assert "delete  snapshot  dead" in told.out
    assert "live" not in told.out
    assert "0123456789ab: an export was alive" in told.err
    assert set(connected.of("/snapshots")) == {"live"}
    assert cli.main(["cleanup", "--yes"]) == 15
    assert "nothing else of downpour is left" in capsys.readouterr().out
    assert cli.main(["cleanup", "--yes", "--also-live"]) == 0
    assert not connected.of("/snapshots")


def test_what_came_alive_while_a_person_thought_is_left_alone(
    connected: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(connected, mark(60), "resumed")
    leave(connected, mark(60, of=OTHER), "dead")

    def agreed(question: str) -> bool:
        connected.of("/snapshots")["resumed"]["metadata"] = {"downpour_temporary": mark(0)}
        leave(connected, mark(60, of=OTHER), "not listed")
        return True

    monkeypatch.setattr(cli, "agreed", agreed)
    assert cli.main(["cleanup"]) == 15
    assert set(connected.of("/snapshots")) == {"resumed", "not listed"}


# --- the export's half ---


def lives(fake: Source) -> list[Life]:
    """What the marks of all that is ours say."""
    return [
        each.life for each in cleanup.find(cloud_of(fake), also_live=True).dead.all() if each.life
    ]


def cloud_of(fake: Source) -> SourceCloud:
    return SourceCloud(fake.connection)


def on_first_read(fake: Source, act: Callable[[], None]) -> None:
    done: list[Call] = []

    def hook(call: Call) -> None:
        if call.path.endswith("/file") and not done:
            done.append(call)
            act()

    fake.before.append(hook)


def test_everything_that_an_export_makes_or_stops_says_so_by_the_clock_of_the_cloud(
    fake: Source, writer: BundleWriter
) -> None:
    seen: list[bool] = []

    def look(call: Call) -> None:
        if call.path.endswith("/file"):
            seen.append(len(lives(fake)) == len(fake.left()))
        if "os-stop" in (call.body or {}):
            (text,) = [each["dpb-stopped"] for each in fake.marks().values()]
            assert Mark.of(text).life is not None
        assert all(abs(life.at - NOW) < timedelta(minutes=1) for life in lives(fake))
        assert {life.process for life in lives(fake)} <= {process.this_process()}

    fake.before.append(
        lambda call: look(call) if call.method != "GET" or "file" in call.path else None
    )
    run(fake, writer, [*WEB, *ALONE], jobs=1, stops={"web": "during"})
    assert all(seen)
    assert fake.marks() == {}


def test_the_sign_of_life_is_renewed(
    fake: Source, writer: BundleWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "EVERY", 0.01)

    def wait() -> None:
        fake.after.append(says(NOW + timedelta(minutes=30)))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(life.at > NOW + timedelta(minutes=20) for life in lives(fake)):
                return
        raise AssertionError("it was not renewed")

    on_first_read(fake, wait)
    run(fake, writer, WEB, jobs=1)


def test_a_source_that_takes_no_marks_is_told_once_and_ends_nothing(
    fake: Source, writer: BundleWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "EVERY", 0.01)
    notes = Notes()
    fake.handlers["POST", "/snapshots/(.*)/metadata"] = lambda call, match: response(403)
    fake.handlers["PATCH", "/images/(.*)"] = lambda call, match: response(403)

    def wait() -> None:
        deadline = time.monotonic() + 20
        while not any("takes no marks" in each for each in notes.said):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    on_first_read(fake, wait)
    done, _ = run(fake, writer, WEB, jobs=1, notes=notes)
    assert len(done.disks) == 2
    assert sum("takes no marks" in each for each in notes.said) == 1


def test_an_export_that_ended_leaves_nothing_to_wait_for(
    fake: Source, writer: BundleWriter
) -> None:
    """One object could not be deleted."""
    fake.handlers["DELETE", "/images/.*"] = lambda call, match: response(403)
    with pytest.raises(CaptureError):
        run(fake, writer, WEB, jobs=1)
    assert fake.left()
    assert not found(fake).live


def test_the_next_run_marks_what_it_goes_on_with(fake: Source, tmp_path: Path) -> None:
    kill_at(fake, "GET", "/file")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, jobs=1)
    revive(fake)
    fake.after.append(says(NOW + timedelta(minutes=30)))
    on_first_read(fake, lambda: seen.extend(life.at for life in lives(fake)))
    seen: list[datetime] = []
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, WEB, jobs=1)
    assert max(seen) > NOW + timedelta(minutes=20)


def test_a_process_is_known_by_when_it_began() -> None:
    me = process.this_process()
    assert process.runs(me)
    assert process.runs(Process(machine=me.machine, pid=me.pid, started=me.started + 1)) is False
    assert process.runs(ELSEWHERE) is None


def test_a_process_that_was_killed_has_ended_though_nobody_has_waited_for_it() -> None:
    child: Any = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    me = process.this_process()
    started = process._started(child.pid)
    assert started is not None
    there = Process(machine=me.machine, pid=child.pid, started=started)
    assert process.runs(there)
    os.kill(child.pid, 9)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.runs(there) is False
    child.communicate()


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_image_is_touched_before_it_has_its_bytes(
    fake: Source, writer: BundleWriter, jobs: int
) -> None:
    """Glance would write its old status back, and the upload would fail at its end."""
    seen: dict[str, int] = {}

    def fill(call: Call) -> requests.Response | None:
        identity = call.path.rpartition("/")[2]
        image = fake.of("/images").get(identity)
        if image is None or not image["name"].startswith("downpour-"):
            return None
        if call.method == "PATCH":
            assert seen.get(identity, 0) > 2, "it has no bytes yet"
        if call.method == "GET":
            seen[identity] = seen.get(identity, 0) + 1
            image["status"] = "active" if seen[identity] > 2 else "saving"
        return None

    fake.before.append(fill)
    run(fake, writer, [*WEB, *ALONE], jobs=jobs)
    assert any(call.method == "PATCH" for call in fake.calls)


@pytest.mark.parametrize(
    ("status", "live"), [("saving", True), ("queued", True), ("active", False)]
)
def test_an_image_that_gets_its_bytes_is_a_sign_of_life(
    fake: Source, status: str, live: bool
) -> None:
    name = f"downpour-{UUID.replace('-', '')[:12]}-v1"
    fake.add("/images", id="i1", name=name, status=status, created_at="2026-11-28T00:00:00Z")
    assert bool(found(fake).live) == live
