"""Reading disks by way of temporary objects, which are gone whatever happens."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
import requests

from bundle_spec import BundleWriter
from bundle_spec.errors import CaptureError
from bundle_spec.model import Ref
from bundle_spec.progress import NULL
from downpour_export.capture import Captured, capture
from downpour_export.capture.stop import Patience, StopFlag, Stopped
from downpour_export.capture.temporary import Temporaries
from downpour_export.cloud import SourceCloud
from downpour_export.plan import Consistency, DiskCapture
from tests.unit.bundle.samples import content
from tests.unit.fake_cloud import PROJECT, Call, FakeCloud, response
from tests.unit.quiet import Notes

UPLOAD = "os-volume_upload_image"


class Source(FakeCloud):
    """A cloud that makes images of servers and volumes; ``bytes`` tells of which resource."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers["POST", "/servers/(.*)/action"] = lambda call, match: self._image(
            call.body["createImage"]["name"], match[1], {"image_id": ""}, call
        )
        self.handlers["POST", "/volumes/(.*)/action"] = lambda call, match: self._image(
            call.body[UPLOAD]["image_name"], match[1], {UPLOAD: {}}, call
        )
        for identity in ("v1", "v2", "v3"):
            self.add("/volumes", id=identity, name="data", status="available")
        self.image("golden", "golden")

    def image(self, identity: str, name: str, data: bytes | None = None) -> None:
        data = data if data is not None else f"bytes of {name}".encode() * 1000
        self.bytes_of[identity] = data
        self.add(
            "/images",
            id=identity,
            name=name,
            status="active",
            owner=PROJECT,
            size=len(data),
            disk_format="raw",
            os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(data).hexdigest(),
        )

    def _image(self, name: str, of: str, answer: object, call: Call) -> requests.Response:
        identity = self.new_id()
        self.image(identity, name)
        if "createImage" in call.body:
            return response(202, {"image_id": identity})
        return response(202, {UPLOAD: {"image_id": identity}})

    def left(self) -> list[str]:
        """Names of what is still there and is not the tenant's own."""
        return [
            item["name"]
            for path in ("/images", "/volumes", "/snapshots")
            for item in self.of(path).values()
            if item["name"].startswith("downpour-")
        ]


def disk(
    kind: Literal["image", "server", "volume"],
    identity: str,
    consistency: Consistency = "live",
    server: str | None = None,
) -> DiskCapture:
    return DiskCapture(
        type=kind,
        id=identity,
        name=identity,
        size=1 << 30,
        consistency=consistency,
        server_id=server,
    )


WEB = [disk("server", "web", server="web"), disk("volume", "v1", server="web")]
DB = [disk("server", "db", server="db"), disk("volume", "v2", server="db")]
ALONE = [disk("volume", "v3", "idle"), disk("image", "golden", "idle")]


@pytest.fixture
def fake() -> Source:
    return Source()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[BundleWriter]:
    with BundleWriter(tmp_path / "out.dpbundle") as writer:
        yield writer


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "FIRST", 0.001)
    monkeypatch.setattr(Patience, "LONGEST", 0.001)


def run(
    fake: Source, writer: BundleWriter, disks: list[DiskCapture], jobs: int = 2
) -> tuple[Captured, Notes]:
    notes = Notes()
    found = capture(SourceCloud(fake.connection), writer, disks, jobs=jobs, progress=notes)
    return found, notes


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
    assert body["metadata"] == {"downpour_temporary": writer.uuid}
    prefix = f"downpour-{writer.uuid.replace('-', '')[:12]}-"
    (action,) = fake.sent("POST", "/servers/web/action")
    assert action.body["createImage"]["name"] == f"{prefix}web"
    (volume,) = fake.sent("POST", "/volumes")[:1]
    assert volume.body["volume"]["name"] == f"{prefix}v1"


def test_a_detached_volume_needs_no_snapshot(fake: Source, writer: BundleWriter) -> None:
    run(fake, writer, [disk("volume", "v3", "idle")])
    assert fake.sent("POST", "/snapshots") == []
    assert "v3" in fake.of("/volumes")


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


def on_read(fake: Source, of: str, answer: Callable[[int], requests.Response | None]) -> None:
    """Answer the reads of the image whose name ends with ``of`` by number, from 1."""
    reads = 0

    def hook(call: Call) -> requests.Response | None:
        nonlocal reads
        if not call.path.endswith("/file"):
            return None
        if not fake.of("/images")[call.path.split("/")[2]]["name"].endswith(of):
            return None
        reads += 1
        return answer(reads)

    fake.before.append(hook)


@pytest.mark.parametrize(
    ("data", "said"), [(b"short", "5 bytes came of"), (None, "do not have the sha512")]
)
def test_bytes_that_are_not_the_images_are_read_again(
    fake: Source, writer: BundleWriter, data: bytes | None, said: str
) -> None:
    wrong = data if data is not None else bytes(len(fake.bytes_of["golden"]))
    on_read(fake, "golden", lambda n: response(200, content=wrong) if n == 1 else None)
    found, notes = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.sha256 == hashlib.sha256(fake.bytes_of["golden"]).hexdigest()
    assert len(writer.finish(content()).manifest.abandoned) == 1
    (note,) = notes.notes
    assert said in note
    assert "reading it again" in note


@pytest.mark.parametrize("data", [b"short", b""])
def test_bytes_that_stay_wrong_end_the_capture_and_clean_up(
    fake: Source, writer: BundleWriter, data: bytes
) -> None:
    on_read(fake, "v1", lambda n: response(200, content=data))
    with pytest.raises(CaptureError, match=f"{len(data)} bytes came of"):
        run(fake, writer, [*WEB, *DB])
    assert sum(each.path.endswith("/file") for each in fake.calls) >= 3
    assert fake.left() == []


def test_a_download_that_breaks_off_is_begun_anew(fake: Source, writer: BundleWriter) -> None:
    class Broken(requests.Response):
        def iter_content(
            self, chunk_size: int | None = 1, decode_unicode: bool = False
        ) -> Iterator[bytes]:
            yield b"half"
            raise requests.exceptions.ChunkedEncodingError("connection reset")

    def broken(number: int) -> requests.Response | None:
        if number > 1:
            return None
        answer = Broken()
        answer.status_code, answer.raw = 200, io.BytesIO()
        return answer

    on_read(fake, "golden", broken)
    found, notes = run(fake, writer, [ALONE[1]])
    assert len(found.disks) == 1
    assert "the download broke off" in notes.notes[0]


def test_an_image_without_a_hash_is_held_against_its_size(
    fake: Source, writer: BundleWriter
) -> None:
    fake.of("/images")["golden"].update(os_hash_algo=None, os_hash_value=None)
    found, _ = run(fake, writer, [ALONE[1]])
    (disk_found,) = found.disks.values()
    assert disk_found.capture is not None
    assert disk_found.capture.source_hash is None


@pytest.mark.parametrize("where", ["/snapshots", "/volumes"])
def test_what_the_source_cannot_make_ends_the_capture_and_is_removed(
    fake: Source, writer: BundleWriter, where: str
) -> None:
    def fails(call: Call) -> None:
        if call.method == "POST" and call.path == where:
            for item in fake.of(where).values():
                if item["name"].startswith("downpour-"):
                    item["status"] = "error"

    fake.after.append(fails)
    with pytest.raises(CaptureError, match="the source failed to make a temporary"):
        run(fake, writer, [*WEB, *DB, *ALONE])
    assert fake.left() == []


def test_a_refused_snapshot_takes_back_what_was_begun(fake: Source, writer: BundleWriter) -> None:
    fake.handlers["POST", "/snapshots"] = lambda call, match: response(
        413, {"overLimit": {"message": "SnapshotLimitExceeded"}}
    )
    with pytest.raises(CaptureError, match="the source refused POST"):
        run(fake, writer, WEB)
    assert fake.left() == []
    assert fake.sent("DELETE", "/images/")


def test_an_interrupt_leaves_nothing_also_what_its_answer_was_lost_of(
    fake: Source, writer: BundleWriter
) -> None:
    def interrupt(call: Call) -> None:
        if call.method == "POST" and call.path == "/snapshots":
            raise KeyboardInterrupt  # the snapshot stands, its ID was never told

    fake.after.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(fake, writer, WEB)
    assert fake.left() == []
    assert fake.sent("DELETE", "/snapshots/")


def test_an_interrupted_run_waits_for_what_is_busy(fake: Source, writer: BundleWriter) -> None:
    on_read(fake, "web", lambda n: response(200, content=b""))
    refusals = iter([response(409), response(409)])
    fake.handlers["DELETE", "/images/.*"] = lambda call, match: next(refusals, None)
    with pytest.raises(CaptureError):
        run(fake, writer, WEB[:1])
    assert fake.left() == []


def test_only_objects_of_this_bundle_are_ever_deleted(fake: Source, writer: BundleWriter) -> None:
    fake.add("/snapshots", id="of-another-run", name="downpour-ffffffffffff-v1", status="error")
    fake.add("/snapshots", id="the-tenants", name="downpour notes", status="available")
    fake.handlers["POST", "/snapshots"] = lambda call, match: response(500)
    with pytest.raises(CaptureError):
        run(fake, writer, WEB)
    assert set(fake.of("/snapshots")) == {"of-another-run", "the-tenants"}


def test_a_busy_object_is_deleted_as_soon_as_it_can_be(fake: Source, writer: BundleWriter) -> None:
    refused: list[str] = []

    def busy(call: Call) -> requests.Response | None:
        if call.method != "DELETE" or refused.count(call.path) >= 2:
            return None
        refused.append(call.path)
        return response(409 if len(refused) % 2 else 400)

    fake.before.append(busy)
    run(fake, writer, [WEB[1]])
    assert fake.left() == []
    assert len(refused) == 6


def test_what_cannot_be_deleted_is_said_and_hides_no_error(
    fake: Source, writer: BundleWriter
) -> None:
    fake.handlers["POST", "/snapshots"] = lambda call, match: response(500)
    fake.handlers["DELETE", "/images/.*"] = lambda call, match: response(403)
    notes = Notes()
    with pytest.raises(CaptureError, match="refused POST"):
        capture(SourceCloud(fake.connection), writer, WEB, jobs=1, progress=notes)
    assert any("cannot delete the temporary image" in each for each in notes.notes)


def test_nothing_is_started_for_a_later_server_when_an_earlier_one_failed(
    fake: Source, writer: BundleWriter
) -> None:
    on_read(fake, "web", lambda n: response(200, content=b""))
    with pytest.raises(CaptureError):
        run(fake, writer, [WEB[0], *DB], jobs=1)
    assert fake.sent("POST", "/servers/db/action") == []


def test_temporaries_find_images_volumes_and_snapshots_in_the_order_to_delete(
    fake: Source,
) -> None:
    uuid = "01234567-89ab-4def-8000-000000000000"
    temporaries = Temporaries(SourceCloud(fake.connection), uuid, StopFlag(), NULL)
    snapshot = temporaries.snapshot("v1")
    volume = temporaries.volume(snapshot, 1, "v1")
    image = temporaries.volume_image(volume, 1, "v1")
    assert sorted(temporaries.find()) == [
        ("image", image),
        ("snapshot", snapshot),
        ("volume", volume),
    ]
    temporaries.delete_all()
    deleted = [each.path.split("/")[1] for each in fake.sent("DELETE")]
    assert deleted == ["images", "volumes", "snapshots"]


def test_a_temporary_that_vanishes_is_no_endless_wait(fake: Source) -> None:
    temporaries = Temporaries(SourceCloud(fake.connection), "u", StopFlag(), NULL)
    with pytest.raises(CaptureError, match="the temporary volume is gone"):
        temporaries.wait("volume", "nowhere", 1)


def test_a_stop_wakes_a_thread_that_waits() -> None:
    stop = StopFlag()
    stop.check()
    timer = threading.Timer(0.02, stop.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        stop.sleep(30)
    assert time.monotonic() - begun < 5
    timer.join()
    with pytest.raises(Stopped):
        stop.check()


def test_patience_ends_later_for_a_larger_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    small, large = Patience(StopFlag()), Patience(StopFlag(), gibibytes=100)
    now = 601.0
    with pytest.raises(CaptureError, match="snapshot x takes too long"):
        small.wait("snapshot x")
    large.wait("snapshot y")
    now = 600 + 6001.0
    with pytest.raises(CaptureError, match="snapshot y takes too long"):
        large.wait("snapshot y")
