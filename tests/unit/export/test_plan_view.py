"""The plan as a person and as a program reads it, and what it says of the quota."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bundle_spec.model import Omission
from bundle_spec.text import wrapped
from downpour_cloud import CloudOptions
from downpour_export import cli
from downpour_export.cloud import SourceCloud
from downpour_export.discover import quota
from downpour_export.discover.quota import FreeQuota
from downpour_export.plan import make_plan
from downpour_export.plan.capture_quota import CaptureQuota, capture_quota, lacks
from downpour_export.plan.view import as_json, as_text, omission_lines
from tests.unit.export.capture_source import DB, WEB, disk
from tests.unit.export.things import inventory, wanted
from tests.unit.fake_cloud import FakeCloud, response

EXPORT = "servers: [{name: web, stop: true}]\nkeypairs: [{name: l}]\n"


def test_the_tree_shows_what_pulled_in_what() -> None:
    text = as_text(make_plan(wanted(EXPORT), inventory()), FreeQuota(), 20)
    assert text.startswith(
        """\
11 resources go, and 1 disk of servers as images or volumes:
  server web: will be stopped while its disks are snapshotted, then started; 2.0 GiB, stopped
    keypair k
    port p-web
      network 'name of n-own' (n-own)
      subnet s-own
        router 'edge' (r-edge)
      security group g-web
        security group g-db
    volume v-data: 1.0 GiB, stopped
    floating ip '192.0.2.9' (f1)
  keypair l

the target must have, or a mapping for it:
  flavor m1
  network 'name of n-ext' (n-ext)

disks:
  2 disks are read, 3.0 GiB at most;"""
    )
    assert (
        "at most 20 at once; for one server after another, room is needed for 1 snapshot, "
        "1 volume and 2 GiB\n  the quota allows them\n" in text
    )
    assert "keypair 'l', 'k': private key: it was never in the cloud" in text


def test_on_80_columns_it_breaks_between_words_only() -> None:
    text = as_text(make_plan(wanted(EXPORT), inventory()), FreeQuota(), 20)
    narrow = wrapped(text, 80)
    assert max(map(len, text.splitlines())) > 80
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.split() == text.split()


def test_names_cannot_draw_on_the_terminal() -> None:
    web = inventory().servers["web"]
    web = replace(web, record=replace(web.record, name="a\x1b[31m\nb"))
    made = make_plan(wanted("servers: [{id: web}]\n"), inventory(servers={"web": web}))
    assert "\x1b" not in as_text(made, FreeQuota(), 20)


def test_json_says_the_same() -> None:
    made = make_plan(wanted(EXPORT), inventory())
    value = json.loads(json.dumps(as_json(made, FreeQuota(snapshots=0))))
    needed_by = {each["id"]: each["needed_by"] for each in value["resources"]}
    assert needed_by["web"] is None
    assert needed_by["s-own"] == {"type": "port", "id": "p-web"}
    assert {each["id"] for each in value["references"]} == {"m1", "n-ext"}
    assert value["stops"] == {"web": "during"}
    assert [each["bytes_at_most"] for each in value["disks"]] == [2 << 30, 1 << 30]
    assert value["temporary"]["lacks"] == [
        "the quota of snapshots has room for 0 more, and 1 must be free at once"
    ]
    document = (Path(__file__).parents[3] / "docs" / "reference" / "plan.md").read_text()
    assert all(f"`{key}`" in document for key in value)


def test_equal_losses_are_one_line() -> None:
    def lost(name: str, reason: str = "no", attribute: str | None = "user_data") -> Omission:
        return Omission(type="server", id=name, name=name, attribute=attribute, reason=reason)

    assert list(
        omission_lines([*map(lost, "abcde"), lost("f", "other"), lost("g", "x", None)])
    ) == [
        "server 'a', 'b', 'c' and 2 more: user_data: no",
        "server 'f': user_data: other",
        "server 'g': x",
    ]


# --- the quota ---


def test_what_is_needed_is_that_of_the_largest_server() -> None:
    alone = disk("volume", "v3", "idle")
    snapshot = replace(disk("volume", "s", "live"), type="volume_snapshot", size=5 << 30)
    assert capture_quota([*WEB, *DB, alone]) == CaptureQuota(
        snapshots=1, volumes=1, gigabytes=2, largest=1
    )
    assert capture_quota([snapshot]) == CaptureQuota(snapshots=0, volumes=1, gigabytes=5, largest=5)
    assert capture_quota([alone, disk("image", "i", "idle")]) == CaptureQuota()


def test_a_quota_that_has_no_room_is_told_and_an_unlimited_one_is_not() -> None:
    needed = CaptureQuota(snapshots=2, volumes=1, gigabytes=30, largest=10)
    assert list(lacks(needed, FreeQuota())) == []
    assert list(lacks(needed, FreeQuota(snapshots=2, volumes=1, gigabytes=30))) == []
    assert list(lacks(needed, FreeQuota(snapshots=1, gigabytes=29, per_volume_gigabytes=9))) == [
        "the quota of snapshots has room for 1 more, and 2 must be free at once",
        "the quota of GiB has room for 29 more, and 30 must be free at once",
        "the quota of GiB in one volume has room for 9 more, and 10 must be free at once",
    ]


def test_the_room_is_limit_less_use() -> None:
    fake = FakeCloud()
    fake.handlers["GET", "/os-quota-sets/.*"] = lambda call, match: response(
        200,
        {
            "quota_set": {
                "volumes": {"limit": 10, "in_use": 3, "reserved": 1},
                "snapshots": {"limit": -1, "in_use": 3, "reserved": 0},
                "gigabytes": {"limit": 5, "in_use": 9, "reserved": 0},
                "per_volume_gigabytes": {"limit": 100, "in_use": 0},
            }
        },
    )
    assert quota.discover(SourceCloud(fake.connection)) == FreeQuota(
        volumes=6, snapshots=None, gigabytes=0, per_volume_gigabytes=100
    )


def test_a_quota_that_cannot_be_read_is_no_limit() -> None:
    fake = FakeCloud()
    fake.handlers["GET", "/os-quota-sets/.*"] = lambda call, match: response(403)
    assert quota.discover(SourceCloud(fake.connection)) == FreeQuota()


# --- the command ---


@pytest.mark.parametrize("json_too", [False, True])
def test_the_command_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    json_too: bool,
) -> None:
    fake = FakeCloud()
    fake.add("/os-keypairs", id="k", name="k", public_key="ssh-ed25519 A")

    def connect(options: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    monkeypatch.setattr(cli, "connect", connect)
    path = tmp_path / "export.yml"
    path.write_text("keypairs: [{name: k}]\n")
    assert cli.main(["plan", *(["--json"] if json_too else []), str(path)]) == 0
    out = capsys.readouterr().out
    assert (json.loads(out)["disks"] == []) if json_too else ("none is read" in out)
    assert fake.writes == []
    assert list(tmp_path.iterdir()) == [path]
