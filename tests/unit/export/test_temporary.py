"""Temporary objects are gone whatever happens, and waiting for them ends."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from bundle_spec import BundleWriter
from bundle_spec.progress import NULL
from downpour_export.capture.cancel import CancelFlag, Cancelled, Polling
from downpour_export.capture.heart import Heart
from downpour_export.capture.slots import Slots
from downpour_export.capture.temporary import Temporaries
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureError
from tests.unit.export.capture_source import ALONE, DB, WEB, Source, on_read, run
from tests.unit.fake_cloud import Call, response
from tests.unit.quiet import Notes


def made_by(fake: Source) -> Temporaries:
    uuid = "01234567-89ab-4def-8000-000000000000"
    cancel = CancelFlag()
    cloud = SourceCloud(fake.connection)
    return Temporaries(cloud, uuid, Slots(20, cancel), Heart(cloud, uuid, NULL), cancel, NULL)


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


def test_an_interrupted_clean_up_says_what_may_be_left(fake: Source, writer: BundleWriter) -> None:
    def interrupt(call: Call) -> None:
        if (call.method, call.path) == ("POST", "/snapshots") or call.method == "DELETE":
            raise KeyboardInterrupt

    fake.before.append(interrupt)
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        run(fake, writer, WEB, notes=notes)
    stopping, left = notes.notes
    assert stopping.startswith("stopping: removing 1 temporary object; Ctrl-C again leaves it for")
    (image,) = [item["name"] for item in fake.of("/images").values() if "downpour-" in item["name"]]
    assert f"named {image[: len('downpour-0123456789ab-')]}…" in left
    assert "`downpour-export cleanup` sets it right" in left


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
        run(fake, writer, WEB, jobs=1, notes=notes)
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
    temporaries = made_by(fake)
    snapshot = temporaries.snapshot("v1")
    volume = temporaries.volume(snapshot, 1, "v1")
    image = temporaries.upload(volume, 1, "v1")
    assert [(each.kind, each.id) for each in temporaries.find()] == [
        ("image", image),
        ("volume", volume),
        ("snapshot", snapshot),
    ]
    temporaries.delete_all(CancelFlag())
    deleted = [each.path.split("/")[1] for each in fake.sent("DELETE")]
    assert deleted == ["images", "volumes", "snapshots"]


def test_a_temporary_that_vanishes_is_no_endless_wait(fake: Source) -> None:
    temporaries = made_by(fake)
    with pytest.raises(CaptureError, match="the temporary volume is gone"):
        temporaries.wait("volume", "nowhere", 1)


def test_a_stop_wakes_a_thread_that_waits() -> None:
    cancel = CancelFlag()
    cancel.check()
    timer = threading.Timer(0.02, cancel.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        cancel.sleep(30)
    assert time.monotonic() - begun < 5
    timer.join()
    with pytest.raises(Cancelled):
        cancel.check()


def test_polling_ends_later_for_a_larger_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    small, large = Polling(CancelFlag()), Polling(CancelFlag(), gibibytes=100)
    now = 601.0
    with pytest.raises(CaptureError, match="snapshot x takes too long"):
        small.wait("snapshot x")
    large.wait("snapshot y")
    now = 600 + 6001.0
    with pytest.raises(CaptureError, match="snapshot y takes too long"):
        large.wait("snapshot y")


def test_a_long_wait_is_told_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    told: list[str] = []
    polling = Polling(CancelFlag(), gibibytes=2048, tell=told.append)
    for minute in range(600):
        now = 60.0 * minute
        polling.wait("temporary image x")
    assert told[0] == "waiting for temporary image x, 1 min so far"
    minutes = [int(each.split()[-4]) for each in told]
    assert minutes == [2**power for power in range(10)]
