"""Capture every disk of a plan: all disks of a server are snapshotted before any is copied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime

from bundle_spec import BundleWriter, codec
from bundle_spec.model import Capture, Disk, Image, Ref
from bundle_spec.progress import Progress
from downpour_export.capture.download import Names, download
from downpour_export.capture.stop import StopFlag
from downpour_export.capture.temporary import Temporaries
from downpour_export.cloud import SourceCloud
from downpour_export.discover import image as image_discovery
from downpour_export.plan import DiskCapture


@dataclass(frozen=True)
class Captured:
    """``images``: for each captured server, the image that its disk was read from."""

    disks: dict[Ref, Disk]
    images: dict[str, Image]


@dataclass(frozen=True)
class _Snapshot:
    """A disk as it was at one moment: the temporary object that holds it, if there is one."""

    disk: DiskCapture
    at: str
    temporary_id: str | None


def capture(
    cloud: SourceCloud,
    writer: BundleWriter,
    disks: Iterable[DiskCapture],
    *,
    jobs: int,
    progress: Progress,
) -> Captured:
    """Read ``disks`` into ``writer``, ``jobs`` of them at once.

    Every temporary object is gone at the end, also after an error or an interrupt.  Raises
    CaptureError, LocalError.
    """
    stop = StopFlag()
    temporaries = Temporaries(cloud, writer.uuid, stop, progress)
    work = _Work(cloud, writer, temporaries, stop, progress)
    disks = work.without_those_there(list(disks))
    with (
        progress.task("disks", len(disks), "resources") as task,
        ThreadPoolExecutor(jobs, "capture") as pool,
    ):
        futures: list[Future[None]] = []
        try:
            for group in _groups(disks):
                # The next server is snapshotted when there is room, not long before.
                _wait_for_room(futures, jobs)
                for snapshot in [work.snapshot(disk) for disk in group]:
                    future = pool.submit(work.copy, snapshot)
                    future.add_done_callback(lambda done: task.advance(1))
                    futures.append(future)
            _wait_for_room(futures, 1)
        except BaseException:
            stop.set()
            progress.note("stopping: temporary volumes, snapshots and images are removed; wait")
            try:
                pool.shutdown(cancel_futures=True)
                temporaries.delete_all()
            except KeyboardInterrupt:
                progress.note(
                    "the clean-up was interrupted: volumes, snapshots and images named "
                    f"{temporaries.prefix}… may be left at the source; delete them by hand"
                )
                raise
            raise
    work.abandon_the_rest()
    return work.captured


def _label(disk: DiskCapture) -> str:
    """What the bundle's journal calls a disk: a volume that moved to another server is another."""
    return f"{disk.type} {disk.id}" + (f" of server {disk.server_id}" if disk.server_id else "")


def _groups(disks: Iterable[DiskCapture]) -> Iterable[list[DiskCapture]]:
    """Disks of one server together; every other disk alone."""
    groups: dict[object, list[DiskCapture]] = {}
    for disk in disks:
        groups.setdefault(disk.server_id or disk.ref, []).append(disk)
    return groups.values()


def _wait_for_room(futures: list[Future[None]], limit: int) -> None:
    """Wait until fewer than ``limit`` copies are under way; raise what one of them raised."""
    while True:
        for future in [each for each in futures if each.done()]:
            futures.remove(future)
            future.result()
        if len(futures) < limit:
            return
        wait(futures, return_when=FIRST_COMPLETED)


class _Work:
    def __init__(
        self,
        cloud: SourceCloud,
        writer: BundleWriter,
        temporaries: Temporaries,
        stop: StopFlag,
        progress: Progress,
    ):
        self._cloud = cloud
        self._writer = writer
        self._temporaries = temporaries
        self._stop = stop
        self._progress = progress
        self.captured = Captured({}, {})

    def without_those_there(self, disks: list[DiskCapture]) -> list[DiskCapture]:
        """Take what an earlier run of this bundle captured; the disks that are still to read.

        Disks of one server are taken together or not at all: they belong to one moment.
        """
        there = self._writer.ended_disks()
        left = []
        for group in _groups(disks):
            found = [there[_label(disk)] for disk in group if self._is_there(disk, there)]
            if len(found) == len(group):
                for disk, record in zip(group, found, strict=True):
                    self._take(disk, record)
                continue
            left += group
            # At once, so that no later run takes disks of two moments for one capture.
            for record in found:
                self._writer.abandon_disk(record.id)
        if self.captured.disks:
            number = len(self.captured.disks)
            self._progress.note(f"{number} of {len(disks)} disks are in the bundle already")
        return left

    def _is_there(self, disk: DiskCapture, there: Mapping[str, Disk]) -> bool:
        known = disk.type != "server" or self._writer.note(_label(disk)) is not None
        return known and _label(disk) in there

    def abandon_the_rest(self) -> None:
        """Disks that an earlier run captured, and that this one does not want.

        Only when all else is there: a resource file with a mistake must not cost a capture.
        """
        wanted = {record.id for record in self.captured.disks.values()}
        for record in self._writer.ended_disks().values():
            if record.id not in wanted:
                self._writer.abandon_disk(record.id)

    def _take(self, disk: DiskCapture, record: Disk) -> None:
        self.captured.disks[disk.ref] = record
        if disk.type == "server":
            label = _label(disk)
            value = codec.loads((self._writer.note(label) or "").encode(), label)
            self.captured.images[disk.id] = codec.decode(Image, value, label)

    def snapshot(self, disk: DiskCapture) -> _Snapshot:
        """Fix the moment of a disk; nothing is copied yet."""
        temporary: str | None = None
        if disk.type == "server":
            temporary = self._temporaries.server_image(disk.id)
        elif disk.type == "volume" and disk.consistency != "idle":
            temporary = self._temporaries.snapshot(disk.id)
        return _Snapshot(disk, datetime.now(UTC).isoformat(timespec="seconds"), temporary)

    def copy(self, snapshot: _Snapshot) -> None:
        """Bring the disk's bytes into the bundle, deleting each temporary as soon as it can go."""
        self._stop.check()
        match snapshot.disk.type:
            case "image":
                self._read(snapshot, snapshot.disk.id)
            case "server":
                assert snapshot.temporary_id is not None
                self._temporaries.wait(
                    "image", snapshot.temporary_id, snapshot.disk.size / (1 << 30)
                )
                self._read(snapshot, snapshot.temporary_id)
                self._temporaries.delete("image", snapshot.temporary_id)
            case "volume":
                self._copy_volume(snapshot)

    def _copy_volume(self, snapshot: _Snapshot) -> None:
        disk, temporaries = snapshot.disk, self._temporaries
        size = disk.size >> 30
        volume_id = disk.id
        if snapshot.temporary_id is not None:
            temporaries.wait("snapshot", snapshot.temporary_id, size)
            volume_id = temporaries.volume(snapshot.temporary_id, size, disk.id)
        image_id = temporaries.volume_image(volume_id, size, disk.id)
        if snapshot.temporary_id is not None:
            # Its bytes are in the image now.
            temporaries.delete("volume", volume_id)
            temporaries.delete("snapshot", snapshot.temporary_id)
        self._read(snapshot, image_id)
        temporaries.delete("image", image_id)

    def _read(self, snapshot: _Snapshot, image_id: str) -> None:
        item = self._cloud.get("image", f"/images/{image_id}")
        disk = snapshot.disk
        if disk.type == "server":
            found = image_discovery.found_of(item, self._cloud.project_id)
            self.captured.images[disk.id] = found.record
            # For the next run, if this one does not come to its end.
            text = codec.dumps(codec.encode(found.record)).decode()
            self._writer.set_note(_label(disk), text)
        done = download(
            self._cloud,
            self._writer,
            item,
            Capture(type=disk.type, id=disk.id, at=snapshot.at, consistency=disk.consistency),
            Names(_label(disk), f"{disk.type} {disk.name or disk.id}"),
            self._stop,
            self._progress,
        )
        self.captured.disks[disk.ref] = done
