"""A pause keeps the moment: no server is stopped twice for one, and none stays off."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.cli.arguments import parse
from bundle_spec.errors import LocalError, UsageError
from downpour_export import cleanup, cli
from downpour_export.capture import Captured, pools, stopping
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureError
from downpour_export.usage import PROGRAM
from tests.unit.bundle.samples import content
from tests.unit.export.capture_source import (
    ALONE,
    DB,
    WEB,
    Killed,
    Source,
    kill_at,
    revive,
    run,
)
from tests.unit.export.test_power import actions
from tests.unit.fake_cloud import Call, response
from tests.unit.quiet import Notes

OFF = [replace(each, consistency="stopped") for each in (*WEB, *DB)]
STOPS = {"web": "during", "db": "during"}


def interrupt_at(fake: Source, method: str, path: str, body: str = "", count: int = 1) -> None:
    """Ctrl-C with the ``count``-th such call, which is obeyed."""
    calls = 0

    def after(call: Call) -> None:
        nonlocal calls
        if call.method == method and path in call.path and body in str(call.body):
            calls += 1
            if calls == count:
                raise KeyboardInterrupt

    fake.after.append(after)


def export(fake: Source, path: Path, *, pause: bool, jobs: int = 1) -> tuple[Captured, Notes]:
    with BundleWriter(path) as writer:
        found, notes = run(fake, writer, [*OFF, *ALONE], jobs, stops=STOPS, pause=pause)  # type: ignore[arg-type]
        writer.finish(content())
    return found, notes


def stopped(fake: Source, path: Path, *, pause: bool) -> Notes:
    """Run it until the interrupt that waits for it."""
    notes = Notes()
    with BundleWriter(path) as writer, pytest.raises(KeyboardInterrupt):
        run(fake, writer, [*OFF, *ALONE], 1, stops=STOPS, pause=pause, notes=notes)  # type: ignore[arg-type]
    assert (fake.status("web"), fake.status("db"), fake.marks()) == ("ACTIVE", "ACTIVE", {})
    return notes


def stops_of(fake: Source) -> dict[str, int]:
    return {server: actions(fake, server).count("os-stop") for server in STOPS}


def require_one_moment(found: Captured) -> None:
    for server in STOPS:
        captures = [found.disks[each.ref].capture for each in OFF if each.server_id == server]
        assert len({each.at for each in captures if each}) == 1
        assert {each.consistency for each in captures if each} == {"stopped"}


STAGES = [
    ("POST", "/servers/web/action", "os-start", 1),
    ("GET", "/file", "", 1),
    ("POST", "/volumes", "snapshot_id", 1),
    ("POST", "/action", "os-volume_upload_image", 1),
    ("DELETE", "/volumes/", "", 1),
    ("GET", "/file", "", 2),
    ("DELETE", "/images/", "", 2),
    ("POST", "/servers/db/action", "os-start", 1),
    ("GET", "/file", "", 3),
]


@pytest.mark.parametrize(("method", "path", "body", "count"), STAGES)
def test_after_a_pause_no_server_is_stopped_again(
    fake: Source, tmp_path: Path, method: str, path: str, body: str, count: int
) -> None:
    interrupt_at(fake, method, path, body, count)
    notes = stopped(fake, tmp_path / "x", pause=True)
    assert any("the moment is kept" in each for each in notes.said) == bool(fake.left())
    fake.after.clear()
    found, _ = export(fake, tmp_path / "x", pause=False)
    require_one_moment(found)
    assert set(stops_of(fake).values()) == {1}
    assert fake.left() == []
    assert verify_bundle(tmp_path / "x", read_data=True)


def test_what_stays_is_told_and_how_it_goes(fake: Source, tmp_path: Path) -> None:
    interrupt_at(fake, "GET", "/file")
    notes = stopped(fake, tmp_path / "x", pause=True)
    (told,) = [each for each in notes.said if "the moment is kept" in each]
    # How far the other disk was when the threads saw the interrupt, is chance.
    held = r"2 images|1 snapshot \(0.0 GiB\) and 1 image|1 image"
    assert re.match(rf"the moment is kept: ({held}) \(0", told)
    assert "count against its quota" in told
    assert "the same command goes on from them" in told
    assert "`downpour-export cleanup` gives them up" in told
    cloud = SourceCloud(fake.connection)
    seen = cleanup.find(cloud)
    assert {each.name for each in seen.dead.objects} == set(fake.left())
    cleanup.clean_up(cloud, seen.dead, notes)
    assert fake.left() == []


def test_pauses_and_kills_stop_each_server_once(fake: Source, tmp_path: Path) -> None:
    interrupts: list[tuple[Callable[..., None], str, str, int]] = [
        (interrupt_at, "GET", "/file", 1),
        (kill_at, "GET", "/file", 1),
        (interrupt_at, "GET", "/file", 2),
        (kill_at, "DELETE", "/images/", 1),
        (kill_at, "POST", "/snapshots", 1),
        (interrupt_at, "GET", "/file", 1),
        (interrupt_at, "DELETE", "/images/", 1),
    ]
    total, reached = {"web": 0, "db": 0}, 0
    for how, method, path, count in interrupts:
        how(fake, method, path, count=count)
        expected: type[BaseException] = Killed if how is kill_at else KeyboardInterrupt
        with BundleWriter(tmp_path / "x") as writer:
            try:
                run(fake, writer, OFF, 1, stops=STOPS, pause=True)  # type: ignore[arg-type]
            except expected:
                reached += 1  # a run before it may have gone further than at other times
        total = {server: total[server] + number for server, number in stops_of(fake).items()}
        revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(fake, writer, OFF, 1, stops=STOPS)  # type: ignore[arg-type]
    assert reached > 2
    assert total == {"web": 1, "db": 1}
    assert set(stops_of(fake).values()) == {0}
    require_one_moment(found)
    assert (fake.left(), fake.marks()) == ([], {})


def test_an_error_keeps_the_moment_too(fake: Source, tmp_path: Path) -> None:
    fake.before.append(lambda call: response(403) if call.path.endswith("/file") else None)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(CaptureError):
        run(fake, writer, OFF, 1, stops=STOPS, pause=True)  # type: ignore[arg-type]
    assert fake.left()
    fake.before.clear()
    export(fake, tmp_path / "x", pause=False)
    assert set(stops_of(fake).values()) == {1}


def test_a_moment_that_is_not_whole_is_not_kept(fake: Source, tmp_path: Path) -> None:
    """Its server would be started before all its disks are snapshotted."""
    interrupt_at(fake, "POST", "/snapshots")
    stopped(fake, tmp_path / "x", pause=True)
    assert fake.left() == []


def test_a_snapshot_that_broke_is_not_kept(fake: Source, tmp_path: Path) -> None:
    def breaks(call: Call) -> None:
        if call.path.endswith("/file"):
            for path in ("/snapshots", "/images"):
                for each in fake.of(path).values():
                    each["status"] = "error"
            raise KeyboardInterrupt

    fake.before.append(breaks)
    stopped(fake, tmp_path / "x", pause=True)
    assert fake.left() == []


def test_a_server_is_started_only_when_its_snapshots_are_complete(
    fake: Source, tmp_path: Path
) -> None:
    looks = 0

    def slow(call: Call) -> None:
        nonlocal looks
        if call.method == "POST" and call.path == "/snapshots":
            for each in fake.of("/snapshots").values():
                each["status"] = "creating"
        if call.method == "GET" and call.path.startswith("/snapshots/"):
            looks += 1
            if looks == 1:
                raise KeyboardInterrupt
            if looks == 4:
                fake.of("/snapshots")[call.path.split("/")[2]]["status"] = "available"
        if "os-start" in (call.body or {}):
            assert looks >= 4

    fake.after.append(slow)
    stopped(fake, tmp_path / "x", pause=True)
    assert len(fake.left()) == 2


@pytest.mark.parametrize("why", ["was interrupted", "failed"])
def test_a_server_that_is_stopped_again_is_told_before_it_is(
    fake: Source, tmp_path: Path, why: str
) -> None:
    if why == "failed":
        fake.before.append(lambda call: response(403) if call.path.endswith("/file") else None)
        with BundleWriter(tmp_path / "x") as writer, pytest.raises(CaptureError):
            run(fake, writer, OFF, 1, stops=STOPS)  # type: ignore[arg-type]
    else:
        interrupt_at(fake, "GET", "/file")
        stopped(fake, tmp_path / "x", pause=False)
    fake.before.clear()
    assert fake.left() == []
    notes = Notes()

    def look(call: Call) -> requests.Response | None:
        if "os-stop" in (call.body or {}) and call.path == "/servers/web/action":
            assert any("server 'web' is stopped again" in each for each in notes.said)
        return None

    fake.before.append(look)
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, OFF, 1, stops=STOPS, notes=notes)  # type: ignore[arg-type]
    (told,) = [each for each in notes.said if "is stopped again" in each]
    assert f"its snapshots were removed when that run {why} at 20" in told
    assert "--pause keeps complete ones" in told


def test_an_interrupt_before_anything_was_captured_is_remembered_too(
    fake: Source, tmp_path: Path
) -> None:
    interrupt_at(fake, "POST", "/snapshots")
    stopped(fake, tmp_path / "x", pause=False)
    _, notes = export(fake, tmp_path / "x", pause=False)
    assert any("server 'web' is stopped again" in each for each in notes.said)


@pytest.mark.parametrize("pause", [False, True])
def test_a_journal_that_cannot_be_written_leaves_no_server_off(
    fake: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: bool
) -> None:
    """As on a full disk, or a medium that was pulled out."""

    def gone(*arguments: object) -> None:
        raise LocalError("no space left on device")

    def full(call: Call) -> None:
        if call.method == "POST" and call.path == "/snapshots":
            for name in ("remember", "recall", "checkpoint"):
                monkeypatch.setattr(BundleWriter, name, gone)

    fake.after.append(full)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(LocalError, match="no space"):
        run(fake, writer, OFF, 1, stops=STOPS, pause=pause)  # type: ignore[arg-type]
    assert (fake.status("web"), fake.marks(), fake.left()) == ("ACTIVE", {}, [])


def ctrl_c(fake: Source, at_deletes: tuple[int, ...]) -> None:
    """Reads are refused; with these requests to delete of the clean-up, Ctrl-C is pressed."""
    deletes = 0

    def hook(call: Call) -> requests.Response | None:
        nonlocal deletes
        cleaning_up = threading.current_thread().name.startswith("stop")
        deletes += cleaning_up and call.method == "DELETE"
        if cleaning_up and call.method == "DELETE" and deletes in at_deletes:
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.2)
        return response(403) if call.path.endswith("/file") else None

    fake.before.append(hook)


def test_the_first_interrupt_does_not_break_off_the_clean_up_after_an_error(
    fake: Source, writer: BundleWriter
) -> None:
    ctrl_c(fake, at_deletes=(2,))
    notes = Notes()
    with pytest.raises(CaptureError):
        run(fake, writer, OFF, 1, stops=STOPS, notes=notes)  # type: ignore[arg-type]
    assert fake.left() == []
    assert "stopping already; Ctrl-C again breaks it off" in notes.said


def test_the_second_one_does(fake: Source, writer: BundleWriter) -> None:
    ctrl_c(fake, at_deletes=(1, 2))
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        run(fake, writer, OFF, 1, stops=STOPS, notes=notes)  # type: ignore[arg-type]
    assert any("the clean-up was interrupted" in each for each in notes.said)


def test_an_encrypted_export_cannot_pause() -> None:
    words = ["--pause", "--encrypt-to", "age1", "export.yml", "out.dpbundle"]
    with pytest.raises(UsageError, match="an encrypted export always begins again"):
        cli.options_of(parse(PROGRAM, words).arguments)


def test_an_interrupt_before_the_clean_up_was_handed_over_does_not_begin_it_twice(
    fake: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupts = [KeyboardInterrupt()]

    class Interrupted(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            future = super().submit(*args, **kwargs)
            if interrupts:
                raise interrupts.pop()
            return future

    monkeypatch.setattr(stopping, "pool", Interrupted)
    fake.before.append(lambda call: response(403) if call.path.endswith("/file") else None)
    ended: list[BaseException] = []

    def work() -> None:
        with BundleWriter(tmp_path / "x") as writer:
            try:
                run(fake, writer, OFF, stops=STOPS)  # type: ignore[arg-type]
            except BaseException as exc:
                ended.append(exc)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    assert [type(each) for each in ended] == [CaptureError]
    assert (fake.left(), fake.status("web"), fake.marks()) == ([], "ACTIVE", {})


def test_the_threads_of_a_capture_run_before_anything_is_handed_to_them() -> None:
    """An interrupt within ``submit`` would leave one that nobody waits for."""
    with pools.pool(3, "some") as threads:
        assert len(threads._threads) == 3
