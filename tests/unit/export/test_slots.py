"""The bound on temporary objects, and a quota that is smaller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bundle_spec import BundleWriter
from downpour_export.capture.cancel import CancelFlag, Cancelled
from downpour_export.capture.slots import Slots
from downpour_export.errors import OverQuota, PlanFaults
from tests.unit.export.capture_source import ALONE, DB, WEB, Source, disk, run
from tests.unit.fake_cloud import Call, response

MANY = [disk("volume", f"m{number}", server="big") for number in range(6)]


def count_most(fake: Source) -> Callable[[], int]:
    """How many temporary objects there were at most, of all kinds together."""
    most = 0

    def look(call: Call) -> None:
        nonlocal most
        most = max(most, len(fake.left()))

    fake.after.append(look)
    return lambda: most


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("limit", [4, 5, 20])
def test_no_more_exist_than_allowed(
    fake: Source, writer: BundleWriter, jobs: int, limit: int
) -> None:
    most = count_most(fake)
    found, _ = run(fake, writer, [*WEB, *DB, *ALONE], jobs, temporaries=limit)
    assert most() <= limit
    assert len(found.disks) == 6


def test_a_server_with_more_disks_than_that_is_refused_before_anything_is_made(
    fake: Source, writer: BundleWriter
) -> None:
    with pytest.raises(PlanFaults, match=r"server big has 6 disks.*--max-temporary 8"):
        run(fake, writer, [*WEB, *MANY], temporaries=7)
    assert fake.writes == []


def quota(fake: Source, path: str, limit: int) -> None:
    """Refuse a further object of a kind as Cinder does."""

    def hook(call: Call) -> requests.Response | None:
        if (call.method, call.path) != ("POST", path):
            return None
        used = sum(each["name"].startswith("downpour-") for each in fake.of(path).values())
        return response(413, {"overLimit": {"message": "LimitExceeded"}}) if used >= limit else None

    fake.before.append(hook)


def test_a_full_quota_is_waited_for_as_long_as_something_of_ours_will_go(
    fake: Source, writer: BundleWriter
) -> None:
    quota(fake, "/volumes", 1)
    quota(fake, "/snapshots", 2)
    found, _ = run(fake, writer, [*WEB, *DB, *ALONE], jobs=4)
    assert len(found.disks) == 6
    assert fake.left() == []


@pytest.mark.parametrize("path", ["/volumes", "/snapshots"])
def test_a_quota_without_room_is_no_endless_wait(
    fake: Source, writer: BundleWriter, path: str
) -> None:
    quota(fake, path, 0)
    with pytest.raises(OverQuota, match=r"LimitExceeded.*make room in the quota"):
        run(fake, writer, [*WEB, *DB], jobs=4)
    assert fake.left() == []


def test_a_copy_waits_for_its_slots_until_it_is_stopped() -> None:
    cancel = CancelFlag()
    slots = Slots(3, cancel)
    assert slots.try_take(1)
    assert not slots.try_take(1)  # the last two are for copies
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slots.take, 3)
        slots.release()
        waiting.result(timeout=5)
        stopped = pool.submit(slots.take, 1)
        cancel.set()
        with pytest.raises(Cancelled):
            stopped.result(timeout=5)
