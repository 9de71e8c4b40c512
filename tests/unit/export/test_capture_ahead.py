"""While disks are read, the cloud makes the next ones ready."""

from __future__ import annotations

import time

import pytest

from bundle_spec import BundleWriter
from downpour_export.discover.quota import FreeQuota
from tests.unit.export.capture_source import Source, disk, run
from tests.unit.fake_cloud import Call

DISKS = [disk("volume", f"d{number}", server=f"s{number}") for number in range(6)]
"""Each in use by another server: it needs a snapshot and a volume, of a GiB each."""


@pytest.mark.parametrize(
    ("jobs", "room", "expected"),
    [
        (2, FreeQuota(), 4),
        (3, FreeQuota(), 6),
        (2, FreeQuota(snapshots=3), 3),
        (2, FreeQuota(volumes=2), 2),
        (2, FreeQuota(gigabytes=7), 3),
        # What is read at once is tried however little room there seems to be.
        (2, FreeQuota(snapshots=1), 2),
        (1, FreeQuota(), 1),
    ],
)
def test_so_many_disks_are_under_way(
    fake: Source, writer: BundleWriter, jobs: int, room: FreeQuota, expected: int
) -> None:
    begun, most = 0, 0

    def watch(call: Call) -> None:
        nonlocal begun, most
        if (call.method, call.path) == ("POST", "/snapshots"):
            begun += 1
        elif call.path.endswith("/file") and not most:
            deadline = time.monotonic() + 10
            while begun < expected and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.2)  # one more would come now
            most = most or begun

    for each in DISKS:
        fake.add("/volumes", id=each.id, name=each.id, status="in-use")
    fake.before.append(watch)
    found, _ = run(fake, writer, DISKS, jobs, room=room)
    assert most == expected
    assert len(found.disks) == len(DISKS)
    assert fake.left() == []


def test_no_more_are_read_at_once_than_asked_for(fake: Source, writer: BundleWriter) -> None:
    reading, most = 0, 0

    def begin(call: Call) -> None:
        nonlocal reading, most
        if call.path.endswith("/file"):
            reading += 1
            most = max(most, reading)
            time.sleep(0.05)

    def end(call: Call) -> None:
        nonlocal reading
        reading -= call.path.endswith("/file")

    for each in DISKS:
        fake.add("/volumes", id=each.id, name=each.id, status="in-use")
    fake.before.append(begin)
    fake.after.append(end)
    run(fake, writer, DISKS, jobs=2)
    assert most == 2
