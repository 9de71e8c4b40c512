"""A run that was killed is gone on with: from its snapshots, and with nothing of it left behind."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.trust import age
from tests.unit.bundle.samples import content
from tests.unit.export.capture_source import (
    ALONE,
    DB,
    WEB,
    Killed,
    Source,
    disk,
    kill_at,
    revive,
    run,
)
from tests.unit.fake_cloud import Call

EVERYTHING = [*WEB, *DB, *ALONE]

STAGES = [
    ("POST", "/servers/web/action", "", 1),
    ("POST", "/snapshots", "", 1),
    ("GET", "/snapshots/", "", 1),
    ("POST", "/volumes", "snapshot_id", 1),
    ("POST", "/action", "os-volume_upload_image", 1),
    ("DELETE", "/volumes/", "", 1),
    ("DELETE", "/snapshots/", "", 1),
    ("GET", "/file", "", 1),
    ("GET", "/file", "", 2),
    ("DELETE", "/images/", "", 1),
    ("DELETE", "/images/", "", 2),
    ("POST", "/servers/db/action", "", 1),
    ("GET", "/file", "", 6),
]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize(("method", "path", "body", "count"), STAGES)
def test_the_same_command_finishes_what_was_killed_at_any_stage(
    fake: Source, tmp_path: Path, jobs: int, method: str, path: str, body: str, count: int
) -> None:
    kill_at(fake, method, path, body, count)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, EVERYTHING, jobs)
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        ended = set(writer.ended_disks())
        found, _ = run(fake, writer, EVERYTHING, jobs)
        assert ended <= set(writer.ended_disks())
        writer.finish(content())
    assert fake.left() == []
    assert set(found.disks) == {each.ref for each in EVERYTHING}
    assert len(verify_bundle(tmp_path / "x", read_data=True).manifest.disks) == len(EVERYTHING)
    for server in ("web", "db"):
        moments = {
            record.capture.at
            for ref, record in found.disks.items()
            if record.capture and ref.id in {"web": ("web", "v1"), "db": ("db", "v2")}[server]
        }
        assert len(moments) == 1


def test_disks_that_were_snapshotted_are_read_from_those_snapshots(
    fake: Source, tmp_path: Path
) -> None:
    """The first disk ends, the second one is killed in its download."""
    kill_at(fake, "GET", "/file", "", 2)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, jobs=1)
    held = fake.left()
    assert len(held) == 1
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        _, notes = run(fake, writer, WEB)
        manifest = writer.finish(content()).manifest
    assert fake.sent("POST") == []  # nothing was snapshotted, or made an image of, again
    assert not manifest.abandoned
    assert "1 of 2 disks are in the bundle already" in notes.notes
    assert fake.left() == []


def test_an_upload_that_still_goes_on_is_waited_for_and_not_begun_again(
    fake: Source, tmp_path: Path
) -> None:
    kill_at(fake, "POST", "/action", "os-volume_upload_image")
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, ALONE[:1])
    revive(fake)
    # The kill came before the upload was noted: this image goes, and Cinder notices late.
    looks = 0

    def busy(call: Call) -> None:
        nonlocal looks
        if call.path == "/volumes/v3":
            looks += 1
            fake.of("/volumes")["v3"]["status"] = "uploading" if looks < 4 else "available"

    fake.before.append(busy)
    with BundleWriter(tmp_path / "x") as writer:
        found, _ = run(fake, writer, ALONE[:1])
    assert set(found.disks) == {ALONE[0].ref}
    assert looks >= 4
    assert fake.left() == []


def test_an_upload_that_was_noted_is_gone_on_with(fake: Source, tmp_path: Path) -> None:
    """The second look at its image is the last thing that the killed run does."""
    kill_at(fake, "GET", "/images/0", "", 1)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, ALONE[:1])
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, ALONE[:1])
    assert fake.sent("POST") == []
    assert fake.left() == []


def test_a_moment_whose_snapshots_are_gone_is_no_moment(fake: Source, tmp_path: Path) -> None:
    kill_at(fake, "GET", "/file", "", 2)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, jobs=1)
    revive(fake)
    for path in ("/images", "/snapshots"):
        for item in list(fake.of(path).values()):
            if item["name"].startswith("downpour-"):
                del fake.of(path)[item["id"]]
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, WEB)
        manifest = writer.finish(content()).manifest
    assert len(fake.sent("POST", "/servers/web/action")) == 1
    assert len(manifest.disks) == 2
    assert len(manifest.abandoned) >= 1


def test_a_server_that_got_another_disk_is_captured_anew(fake: Source, tmp_path: Path) -> None:
    """Its disks of the killed run are of a moment that the new one was not snapshotted at."""
    kill_at(fake, "GET", "/file", "", 2)
    with BundleWriter(tmp_path / "x") as writer, pytest.raises(Killed):
        run(fake, writer, WEB, jobs=1)
    revive(fake)
    with BundleWriter(tmp_path / "x") as writer:
        run(fake, writer, [*WEB, disk("volume", "v3", server="web")])
    assert len(fake.sent("POST", "/servers/web/action")) == 1
    assert len(fake.sent("POST", "/snapshots")) == 2
    assert fake.left() == []


def test_a_volume_that_was_extended_since_gets_a_volume_that_is_large_enough(
    fake: Source, writer: BundleWriter
) -> None:
    def extended(call: Call) -> None:
        for snapshot in fake.of("/snapshots").values():
            snapshot["size"] = 5

    fake.after.append(extended)
    run(fake, writer, [WEB[1]])
    (made,) = [each for each in fake.sent("POST", "/volumes") if "volume" in each.body]
    assert made.body["volume"]["size"] == 5


def test_an_encrypted_export_that_was_killed_is_known_to_the_next_run(
    fake: Source, tmp_path: Path
) -> None:
    """It begins again, and finds by its uuid what the killed run left."""
    to = age.recipients([str(pyrage.x25519.Identity.generate().to_public())])
    kill_at(fake, "GET", "/file")
    with BundleWriter(tmp_path / "x", encrypt_to=to) as writer, pytest.raises(Killed):
        run(fake, writer, WEB, stops={"web": "during"})
    assert fake.left()
    assert (tmp_path / "x.partial.uuid").read_text() == f"{writer.uuid}\n"
    revive(fake)
    with BundleWriter(tmp_path / "x", encrypt_to=to) as again:
        assert (again.uuid, again.has_earlier_run, again.resumed) == (writer.uuid, True, False)
        run(fake, again, WEB, stops={"web": "during"})
        again.finish(content())
    assert fake.left() == []
    assert (fake.status("web"), fake.marks()) == ("ACTIVE", {})
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
