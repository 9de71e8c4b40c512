"""Capture every disk of a plan: all disks of a server are snapshotted before any is copied."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from bundle_spec import BundleWriter
from bundle_spec.progress import Progress
from bundle_spec.text import counted
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.copy import Captured, Copier
from downpour_export.capture.earlier import EarlierRun, Group
from downpour_export.capture.heart import Heart
from downpour_export.capture.moment import Moment
from downpour_export.capture.pools import pool
from downpour_export.capture.power import Power
from downpour_export.capture.slots import SPARE, Slots
from downpour_export.capture.stopping import REMEDY, Stopping
from downpour_export.capture.temporary import Temporaries
from downpour_export.cloud import SourceCloud
from downpour_export.discover.quota import FreeQuota
from downpour_export.errors import PlanError, PlanFaults
from downpour_export.plan import DiskCapture, StopMode
from downpour_export.plan.capture_quota import capture_quota_at_once, lacks


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``jobs``: disks that are read at once.  ``temporaries``: how many temporary objects exist
    at once.  ``room``: the free quota before any of them existed."""

    jobs: int = 2
    temporaries: int = 20
    room: FreeQuota = field(default_factory=FreeQuota)


def capture(
    cloud: SourceCloud,
    writer: BundleWriter,
    disks: Collection[DiskCapture],
    stops: Mapping[str, StopMode],
    limits: Limits,
    progress: Progress,
    *,
    pause: bool = False,
) -> Captured:
    """Read ``disks`` into ``writer``.  ``stops``: the servers that are stopped for it, by ID.

    At the end, also after an error or an interrupt, every temporary object is gone and every
    server that was stopped ``during`` its capture runs again.  ``pause``: after an error or an
    interrupt, what the next run can go on from stays.  Raises CaptureError, LocalError, PlanFaults.
    """
    servers = {disk.server_id for disk in disks if disk.server_id}
    run = _Run(cloud, writer, stops, limits, progress)
    stopping = Stopping(writer, run.power, run.temporaries, run.heart, progress, pause=pause)
    earlier = EarlierRun(writer, run.temporaries, stops)
    captured = run.copier.captured
    groups = earlier.unfinished(disks, captured)
    _refuse_too_many(groups, limits)
    if captured.disks:
        there = f"{len(captured.disks)} of {counted(len(disks), 'disk')}"
        progress.say(f"{there} {'is' if len(disks) == 1 else 'are'} in the bundle already")
    # A run that is killed from here on leaves objects at the source: the next must know the uuid.
    writer.keep_if_empty(True)
    writer.checkpoint()
    run.heart.begin()
    try:
        if writer.has_earlier_run:
            run.take_over(groups, servers)
        run.capture_all(groups)
        run.power.start_all(CancelFlag(), remedy="`downpour-export cleanup` starts it")
        run.temporaries.delete_all(CancelFlag())
        run.heart.end()
    except BaseException as exc:
        run.cancel.set()
        as_before = stopping.set_right(groups, captured, exc)
        # The next run must know what is left at the source, and which servers were stopped.
        writer.keep_if_empty(not as_before or run.power.stopped_any)
        raise
    earlier.abandon_unwanted(captured)
    captured.stopped.update(filter(run.power.ran_before, servers))
    return captured


def _refuse_too_many(groups: list[Group], limits: Limits) -> None:
    faults = [
        PlanError(
            f"server {group.server_id} has {group.snapshots} disks to snapshot at one moment, and "
            f"no more than {limits.temporaries} temporary objects may exist",
            remedy=f"say --max-temporary {group.snapshots + SPARE}",
        )
        for group in groups
        if group.snapshots + SPARE > limits.temporaries
    ]
    if faults:
        raise PlanFaults("this export cannot be made as asked", faults)


class _Run:
    def __init__(
        self,
        cloud: SourceCloud,
        writer: BundleWriter,
        stops: Mapping[str, StopMode],
        limits: Limits,
        progress: Progress,
    ):
        self._limits = limits
        self._progress = progress
        self.cancel = CancelFlag()
        self._slots = Slots(limits.temporaries, self.cancel)
        self.heart = Heart(cloud, writer.uuid, progress)
        self.power = Power(cloud, writer, stops, self.heart, self.cancel, progress)
        self.temporaries = Temporaries(
            cloud, writer.uuid, self._slots, self.heart, self.cancel, progress
        )
        self.copier = Copier(cloud, writer, self._slots, self.temporaries, self.cancel, progress)

    def take_over(self, groups: list[Group], servers: Collection[str]) -> None:
        """After a run that was killed: keep the snapshots of ``groups``, undo everything else.

        ``servers``: those of all disks, also of disks that are in the bundle already.
        """
        self.temporaries.delete_all(
            self.cancel, keep={object_id for group in groups for object_id in group.temporaries}
        )
        self.power.adopt(servers)
        skip = {group.server_id for group in groups}
        self.power.start_all(self.cancel, skip, remedy=REMEDY)

    def capture_all(self, groups: list[Group]) -> None:
        """Capture ``groups``, begun in this order; raises the error of the first that fails."""
        waiting = deque(groups)
        total = sum(len(group.unread) for group in groups)
        with (
            self._progress.task("capture disks", total, "resources") as task,
            pool(self._limits.jobs, "make") as making,
            pool(self._limits.jobs, "read") as reading,
        ):
            running: dict[Future[list[_Job]], _Job] = {}
            try:
                while waiting or running:
                    # The next server is snapshotted when there is room, not long before.
                    while (
                        waiting
                        and self._may_begin(waiting[0], running.values())
                        and self._slots.try_take(waiting[0].snapshots)
                    ):
                        begin = _Job(waiting[0], partial(self._begin, waiting.popleft()))
                        running[making.submit(begin.act)] = begin
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        ended, jobs = running.pop(future), future.result()
                        for job in jobs:
                            running[(reading if job.reads else making).submit(job.act)] = job
                        if ended.reads:
                            task.advance(1)
            except BaseException:
                self.cancel.set()
                for threads in (making, reading):
                    threads.shutdown(wait=False, cancel_futures=True)
                with self._progress.task("stop what is under way", None, "time"):
                    making.shutdown()
                    reading.shutdown()
                raise

    def _may_begin(self, group: Group, running: Collection[_Job]) -> bool:
        """Whether to begin ``group`` now: while ``jobs`` disks are read, the cloud prepares as many
        others, if the quota has room for all of them."""
        jobs = self._limits.jobs
        if len(running) < jobs:
            return True
        # With --jobs 1 nothing is prepared: it is for quotas with room for one disk only.
        if jobs == 1 or len(running) >= 2 * jobs:
            return False
        if sum(1 for job in running if not job.reads) >= jobs:
            return False
        begun = {id(other): other.disks for other in (*(job.group for job in running), group)}
        return not any(lacks(capture_quota_at_once(begun.values()), self._limits.room))

    def _begin(self, group: Group) -> list[_Job]:
        """Snapshot all disks of a group, from a stopped server if so planned; one job for each."""
        with self._slots.work():
            moment = group.moment
            if moment is None:
                if group.server_id:
                    self.power.stop(group.server_id)
                moment = self.copier.snapshot(group.disks)
            if group.server_id in self.power.down:
                self.copier.wait_for_snapshots(moment, group.unread)
                self.power.start(group.server_id)
        return [_Job(group, partial(self._make, moment, group, disk)) for disk in group.unread]

    def _make(self, moment: Moment, group: Group, disk: DiskCapture) -> list[_Job]:
        """Have an image made of a disk; the job of reading it."""
        with ExitStack() as stack:
            stack.enter_context(self._slots.work())
            image_id = self.copier.image(moment, group.disks, disk)
            # The reading job counts as work too: it frees slots when the image is deleted.
            work = stack.pop_all()
        return [_Job(group, partial(self._read, moment, disk, image_id, work), reads=True)]

    def _read(
        self, moment: Moment, disk: DiskCapture, image_id: str, work: ExitStack
    ) -> list[_Job]:
        with work:
            self.copier.read(moment, disk, image_id)
        return []


@dataclass(frozen=True)
class _Job:
    """One step of a group's capture; ``act`` returns the steps that follow.

    ``reads``: it reads the bytes of a disk, which is the last step for it.  In all others the
    cloud does the work.
    """

    group: Group
    act: Callable[[], list[_Job]]
    reads: bool = False
