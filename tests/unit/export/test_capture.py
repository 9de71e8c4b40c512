"""Reading disks: all of a server at one moment, each by way of temporary objects."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.model import Ref
from downpour_export.discover.marks import Mark
from downpour_export.errors import CaptureError
from tests.unit.bundle.samples import content
from tests.unit.export.capture_source import ALONE, DB, WEB, Source, disk, run
from tests.unit.fake_cloud import Call, response


def test_every_disk_arrives_and_nothing_temporary_is_left(
    fake: Source, writer: BundleWriter
) -> None:
    found, _ = run(fake, writer, [*WEB, *DB, *ALONE])
    assert set(found.disks) == {each.ref for each in [*WEB, *DB, *ALONE]}
    golden = found.disks[Ref("image", "golden")]
    assert golden.sha256 == hashlib.sha256(fake.bytes_of["golden"]).hexdigest()
    assert golden.capture is not None
    assert golden.capture.source_hash == f"sha512:{fake.of('/images')['golden']['os_hash_value']}"
    assert golden.capture.consistency == "idle"
    assert set(found.images) == {"web", "db"}
    assert fake.left() == []
    assert set(fake.of("/volumes")) == {"v1", "v2", "v3"}


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_all_disks_of_a_server_are_snapshotted_before_one_is_copied(
    fake: Source, writer: BundleWriter, jobs: int
) -> None:
    events: list[str] = []

    def watch(call: Call) -> None:
        if call.method == "POST" and call.path.startswith("/servers/"):
            events.append(f"snapshot {call.path.split('/')[2]}")
        elif call.method == "POST" and call.path == "/snapshots":
            events.append(f"snapshot {call.body['snapshot']['volume_id']}")
        elif call.method == "POST" and call.path == "/volumes":
            events.append(f"copy {call.body['volume']['name'].rpartition('-')[2]}")
        elif call.path.endswith("/file"):
            name = fake.of("/images")[call.path.split("/")[2]]["name"]
            events.append(f"copy {name.rpartition('-')[2]}")

    fake.before.append(watch)
    run(fake, writer, [*WEB, *DB], jobs)
    for server, volume in (("web", "v1"), ("db", "v2")):
        taken = max(events.index(f"snapshot {each}") for each in (server, volume))
        copied = min(events.index(f"copy {each}") for each in (server, volume))
        assert taken < copied


def test_a_snapshot_of_a_volume_in_use_is_forced_and_everything_is_marked(
    fake: Source, writer: BundleWriter
) -> None:
    run(fake, writer, WEB)
    (snapshot,) = fake.sent("POST", "/snapshots")
    body = snapshot.body["snapshot"]
    assert (body["volume_id"], body["force"]) == ("v1", True)
    assert Mark.of(body["metadata"]["downpour_temporary"]).bundle == writer.uuid
    prefix = f"downpour-{writer.uuid.replace('-', '')[:12]}-"
    (action,) = fake.sent("POST", "/servers/web/action")
    names = [action.body["createImage"]["name"]]
    (volume,) = fake.sent("POST", "/volumes")[:1]
    names.append(volume.body["volume"]["name"])
    assert [name.rpartition("-")[2] for name in names] == ["web", "v1"]
    assert all(name.startswith(prefix) for name in names)


def test_a_detached_volume_needs_no_snapshot(fake: Source, writer: BundleWriter) -> None:
    run(fake, writer, [disk("volume", "v3", "idle")])
    assert fake.sent("POST", "/snapshots") == []
    assert "v3" in fake.of("/volumes")


def test_a_snapshot_of_the_tenants_own_is_of_the_moment_when_it_was_taken(
    fake: Source, writer: BundleWriter
) -> None:
    fake.add("/snapshots", id="s1", name="s", status="available", size=1, volume_id="v3")
    then = "2026-01-02T03:04:05+00:00"
    own = replace(disk("volume", "s1"), type="volume_snapshot", taken=then)
    found, _ = run(fake, writer, [own])
    capture = found.disks[own.ref].capture
    assert capture is not None
    assert capture.at == then


def test_temporary_volume_and_snapshot_go_before_the_long_download(
    fake: Source, writer: BundleWriter
) -> None:
    run(fake, writer, [WEB[1]])
    order = [str(each).split("/")[:2] for each in fake.calls if each.method == "DELETE"]
    assert [each[1] for each in order] == ["volumes", "snapshots", "images"]
    deleted = [number for number, each in enumerate(fake.calls) if each.method == "DELETE"]
    (read,) = [number for number, each in enumerate(fake.calls) if each.path.endswith("/file")]
    assert deleted[1] < read < deleted[2]


def test_an_older_nova_tells_the_image_in_a_header(fake: Source, writer: BundleWriter) -> None:
    def only_header(call: Call) -> requests.Response | None:
        if "createImage" not in (call.body or {}):
            return None
        fake.image("from-header", call.body["createImage"]["name"])
        answer = response(202)
        answer.headers["Location"] = "http://glance/images/from-header"
        return answer

    fake.before.append(only_header)
    found, _ = run(fake, writer, WEB[:1])
    assert found.images["web"].id == "from-header"


def broken(call: Call) -> requests.Response | None:
    """The source that never gives the last disk."""
    if call.path.endswith("/file"):
        raise CaptureError("gone")
    return None


def test_what_an_earlier_run_captured_is_not_captured_again(fake: Source, tmp_path: Path) -> None:
    path = tmp_path / "out.dpbundle"
    with BundleWriter(path) as writer:
        first, _ = run(fake, writer, [*WEB, *ALONE])
        fake.before.append(broken)
        with pytest.raises(CaptureError):
            run(fake, writer, [*WEB, *ALONE, *DB])
    assert writer.kept
    fake.before.clear()
    fake.calls.clear()
    with BundleWriter(path) as writer:
        found, notes = run(fake, writer, [*WEB, *ALONE, *DB])
    assert {ref: found.disks[ref] for ref in first.disks} == first.disks
    assert found.images["web"] == first.images["web"]
    assert set(found.disks) == {each.ref for each in [*WEB, *ALONE, *DB]}
    assert "4 of 6 disks are in the bundle already" in notes.notes
    assert fake.sent("POST", "/servers/web/action") == []
    assert len(fake.sent("POST", "/servers/db/action")) == 1
    assert fake.left() == []


def test_disks_of_one_server_are_captured_at_one_moment_also_after_a_kill(
    fake: Source, tmp_path: Path
) -> None:
    """The server's own disk is there and its volume is not: both are taken again."""
    path = tmp_path / "out.dpbundle"
    with BundleWriter(path) as writer:
        run(fake, writer, WEB[:1])
    fake.calls.clear()
    with BundleWriter(path) as writer:
        found, _ = run(fake, writer, WEB)
        writer.finish(content())
    assert len(fake.sent("POST", "/servers/web/action")) == 1
    manifest = verify_bundle(path, read_data=True).manifest
    assert [each.id for each in manifest.abandoned] == ["0001"]
    assert {each.id for each in found.disks.values()} == {"0002", "0003"}


def test_a_disk_that_is_not_wanted_any_more_is_no_disk_of_the_bundle(
    fake: Source, tmp_path: Path
) -> None:
    path = tmp_path / "out.dpbundle"
    with BundleWriter(path) as writer:
        run(fake, writer, ALONE)
    with BundleWriter(path) as writer:
        run(fake, writer, ALONE[:1])
        finished = writer.finish(content())
    assert len(finished.manifest.disks) == len(finished.manifest.abandoned) == 1


def test_a_mistake_in_the_resource_file_costs_no_capture(fake: Source, tmp_path: Path) -> None:
    """The second run asks for less, and fails; the third one for all again."""
    path = tmp_path / "out.dpbundle"
    with BundleWriter(path) as writer:
        first, _ = run(fake, writer, ALONE)
    fake.before.append(broken)
    with BundleWriter(path) as writer, pytest.raises(CaptureError):
        run(fake, writer, [ALONE[0], *DB])
    fake.before.clear()
    with BundleWriter(path) as writer:
        found, _ = run(fake, writer, ALONE)
    assert found.disks == first.disks


def test_a_volume_that_moved_to_another_server_is_captured_with_it(
    fake: Source, tmp_path: Path
) -> None:
    path = tmp_path / "out.dpbundle"
    with BundleWriter(path) as writer:
        run(fake, writer, [*WEB, DB[0]])
    fake.calls.clear()
    with BundleWriter(path) as writer:
        run(fake, writer, [DB[0], disk("volume", "v1", server="db")])
    assert len(fake.sent("POST", "/servers/db/action")) == len(fake.sent("POST", "/snapshots")) == 1


def test_an_image_of_volumes_is_not_taken_for_a_disk_and_its_snapshots_go_too(
    fake: Source, writer: BundleWriter
) -> None:
    """Nova's answer for a server that boots from a volume, of which nothing told so."""

    def by_nova(call: Call) -> None:
        if "createImage" not in (call.body or {}):
            return
        name = call.body["createImage"]["name"]
        made = next(each for each in fake.of("/images").values() if each["name"] == name)
        made.update(size=0, block_device_mapping="[{}]")
        fake.add("/snapshots", name=f"snapshot for {name}", status="available")

    fake.after.append(by_nova)
    fake.add("/snapshots", id="the-tenants", name="snapshot for me", status="available")
    with pytest.raises(CaptureError, match="this server boots from a volume"):
        run(fake, writer, WEB[:1])
    assert fake.left() == []
    assert set(fake.of("/snapshots")) == {"the-tenants"}
