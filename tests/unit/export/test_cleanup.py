"""``cleanup`` lists and removes what carries downpour's mark, and nothing else."""

from __future__ import annotations

import io

import pytest

from downpour_cloud import CloudOptions
from downpour_export import cleanup, cli
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureFaults
from tests.unit.export.capture_source import Source
from tests.unit.fake_cloud import PROJECT, response
from tests.unit.quiet import Notes

UUID = "01234567-89ab-4def-8000-000000000000"
NAME = "downpour-0123456789ab-"
OURS = {"metadata": {"downpour_temporary": UUID}, "created_at": "2026-11-24T08:00:00.000000"}


@pytest.fixture
def left(fake: Source) -> Source:
    """A source with one of everything of ours, and what only looks like it."""
    fake.add("/images", id="i1", name=f"{NAME}web", status="active", owner=PROJECT)
    fake.add("/images", id="i2", name=f"{NAME}web", status="active", owner="somebody")
    fake.add("/images", id="i3", name="downpour-notes", status="active", owner=PROJECT)
    fake.add("/volumes", id="t1", name=f"{NAME}v1", status="available", **OURS)
    fake.add("/volumes", id="t2", name=f"{NAME}v1", status="available", metadata={})
    fake.add(
        "/volumes",
        id="t3",
        name=f"{NAME}v1",
        status="available",
        metadata={"downpour_temporary": "another"},
    )
    fake.add("/volumes", id="t4", name="mine", status="available", **OURS)
    fake.add("/snapshots", id="s1", name=f"{NAME}v1", status="available", **OURS)
    fake.server("off", "SHUTOFF")
    fake.of("/servers")["off"]["metadata"] = {"dpb-stopped": UUID, "role": "web"}
    fake.server("mine", "SHUTOFF")
    return fake


def test_what_is_ours_is_found_in_the_order_to_delete(left: Source) -> None:
    found = cleanup.find(SourceCloud(left.connection)).dead
    assert [each.id for each in found.objects] == ["i1", "t1", "s1"]
    assert [each.id for each in found.servers] == ["off"]
    assert {each.bundle for each in found.objects} == {"0123456789ab"}
    assert found.objects[1].created == "2026-11-24T08:00:00"


def test_it_is_removed_and_the_servers_run(left: Source) -> None:
    cloud = SourceCloud(left.connection)
    cleanup.clean_up(cloud, cleanup.find(cloud).dead, Notes())
    assert set(left.of("/images")) == {"golden", "i2", "i3"}
    assert set(left.of("/volumes")) == {"v1", "v2", "v3", "t2", "t3", "t4"}
    assert left.of("/snapshots") == {}
    assert (left.status("off"), left.status("mine")) == ("ACTIVE", "SHUTOFF")
    assert left.marks() == {"off": {"role": "web"}}
    assert not cleanup.find(cloud).dead


def test_one_that_cannot_be_removed_does_not_keep_the_others(left: Source) -> None:
    left.handlers["DELETE", "/images/i1"] = lambda call, match: response(403)
    cloud = SourceCloud(left.connection)
    with pytest.raises(CaptureFaults, match="refused DELETE"):
        cleanup.clean_up(cloud, cleanup.find(cloud).dead, Notes())
    assert left.of("/snapshots") == {}
    assert left.status("off") == "ACTIVE"


@pytest.fixture
def connected(left: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    def connect(options: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(left.connection)

    monkeypatch.setattr(cli, "connect", connect)
    return left


class Person(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nobody_to_ask_changes_nothing(
    connected: Source, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert cli.main(["cleanup"]) == 2
    told = capsys.readouterr()
    assert f"delete  volume    t1  {NAME}v1  of 2026-11-24T08:00:00 UTC" in told.out
    assert "start   server    off  off" in told.out
    assert "--yes" in told.err
    assert connected.writes == []


@pytest.mark.parametrize(("answer", "done"), [("y\n", True), ("n\n", False), ("", False)])
def test_a_person_is_asked(
    connected: Source, monkeypatch: pytest.MonkeyPatch, answer: str, done: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Person(answer))
    assert cli.main(["cleanup"]) == 0
    assert bool(connected.writes) == done


def test_yes_is_no_question(connected: Source, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cleanup", "--yes"]) == 0
    assert connected.of("/snapshots") == {}
    assert cli.main(["cleanup"]) == 0
    assert "nothing of downpour is left" in capsys.readouterr().out
