"""A run that does not come to its end: set the source right, or keep the moment for the next."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial

from bundle_spec import BundleWriter
from bundle_spec.errors import LocalError
from bundle_spec.progress import Progress
from bundle_spec.text import counted
from downpour_export.capture.cancel import CancelFlag, Cancelled
from downpour_export.capture.copy import Captured
from downpour_export.capture.earlier import USABLE, Group
from downpour_export.capture.heart import Heart
from downpour_export.capture.leftovers import Leftover
from downpour_export.capture.moment import Holder, MomentJournal
from downpour_export.capture.pools import pool
from downpour_export.capture.power import Power
from downpour_export.capture.temporary import Temporaries
from downpour_export.errors import CaptureError
from downpour_export.plan import DiskCapture

REMEDY = "the same command again or `downpour-export cleanup` sets it right"


class Stopping:
    """``pause``: what holds the disks of a moment stays, so that no server has to be stopped again
    (docs/adr/0024)."""

    def __init__(
        self,
        writer: BundleWriter,
        power: Power,
        temporaries: Temporaries,
        heart: Heart,
        progress: Progress,
        *,
        pause: bool,
    ) -> None:
        self._moments = MomentJournal(writer)
        self._power = power
        self._temporaries = temporaries
        self._heart = heart
        self._progress = progress
        self._pause = pause
        self._cancel = CancelFlag()

    def set_right(self, groups: list[Group], captured: Captured, cause: BaseException) -> bool:
        """Start the servers and delete the temporary objects; whether the source is as before.

        ``groups``: those that were to be captured.  Raises KeyboardInterrupt when it was broken
        off: by the second interrupt of a run, be the first its ``cause`` or not.
        """
        interrupts = int(isinstance(cause, KeyboardInterrupt))
        threads = pool(2, "stop")
        work: Future[bool] = Future()
        begun = threading.Lock()

        def run() -> None:
            if not begun.acquire(blocking=False):
                return  # submitted twice: an interrupt came before the first ``submit`` returned
            try:
                work.set_result(self._set_right(threads, groups, captured, interrupts > 0))
            except BaseException as exc:
                work.set_exception(exc)

        submitted = False
        while not work.done():
            try:
                if not submitted:
                    threads.submit(run)
                    submitted = True
                wait([work])
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts < 2:
                    self._progress.say("stopping already; Ctrl-C again breaks it off")
                    continue
                self._break_off(threads)
                raise
        threads.shutdown(wait=False)
        try:
            return work.result()
        except KeyboardInterrupt:
            self._break_off(threads)
            raise

    def _break_off(self, threads: ThreadPoolExecutor) -> None:
        self._cancel.set()
        threads.shutdown(wait=False, cancel_futures=True)
        self._heart.break_off()
        self._progress.say(
            "the clean-up was interrupted: volumes, snapshots and images named "
            f"{self._temporaries.prefix}… may be left at the source, and servers stopped; {REMEDY}"
        )

    def _set_right(
        self,
        threads: ThreadPoolExecutor,
        groups: list[Group],
        captured: Captured,
        interrupted: bool,
    ) -> bool:
        kept: dict[int, set[str]] = {}
        # What must be done at the source is done also where the journal cannot be kept any more.
        with suppress(LocalError):
            if self._pause:
                kept = self._kept(groups, captured)
            why = "was interrupted" if interrupted else "failed"
            for group in groups:
                if group.server_id and id(group) not in kept and _unread(group, captured):
                    self._power.note_removed(group.server_id, why)
        ids = {identity for holders in kept.values() for identity in holders}
        # Side by side: Nova starts no server while it makes an image of it.
        down = len(self._power.down)
        starting: Future[None] = threads.submit(self._power.start_all, self._cancel, remedy=REMEDY)
        tell = partial(self._tell, down=down)
        gone = self._temporaries.delete_all(self._cancel, ids, tell=tell)
        starting.result()
        self._heart.end()
        if ids:
            self._tell_kept(ids)
        return gone and not ids and not self._power.changed

    # --- pause ---

    def _kept(self, groups: list[Group], captured: Captured) -> dict[int, set[str]]:
        """``id`` of each group whose moment can be gone on with -> the objects that hold it."""
        kept = {}
        for group in groups:
            moment = self._moments.find(group.disks)
            unread = _unread(group, captured)
            if moment is None or not unread:
                continue
            down = group.server_id in self._power.down
            if all(self._holds(moment.holder_of(disk), disk, complete=down) for disk in unread):
                holders = [moment.holder_of(disk).id for disk in unread]
                kept[id(group)] = {identity for identity in holders if identity}
        return kept

    def _holds(self, holder: Holder, disk: DiskCapture, *, complete: bool) -> bool:
        """Whether it holds its disk, or will.  ``complete``: wait until it does, because its server
        is started then."""
        if holder.kind is None or holder.id is None:
            return True
        try:
            if complete:
                size = disk.size / (1 << 30)
                with self._progress.task(f"{holder.kind} of {disk.shown}", None, "time"):
                    self._temporaries.wait(holder.kind, holder.id, size, disk.shown, self._cancel)
                return True
            item = self._temporaries.fetch(holder.kind, holder.id)
        except Cancelled:
            raise
        except CaptureError:
            return False
        return item is not None and item["status"] in USABLE[holder.kind]

    # --- what a person reads ---

    def _tell(self, objects: Collection[Leftover], down: int) -> None:
        doing = [f"removing {counted(len(objects), 'temporary object')}"] if objects else []
        if uploading := sum(each.status == "uploading" for each in objects):
            doing[0] += f", {uploading} still uploading"
        if down:
            doing.append(f"starting {counted(down, 'server')}")
        if doing:
            self._progress.say(
                f"stopping: {', '.join(doing)}; Ctrl-C again leaves "
                f"{'them' if len(objects) + down > 1 else 'it'} for `downpour-export cleanup`"
            )

    def _tell_kept(self, ids: Collection[str]) -> None:
        try:
            kept = [each for each in self._temporaries.find() if each.id in ids]
        except CaptureError:
            kept = []
        what = " and ".join(_counted(kept)) or counted(len(ids), "object")
        self._progress.say(
            f"the moment is kept: {what} stay at the source and count against its quota; the same "
            "command goes on from them and then removes them, `downpour-export cleanup` gives "
            "them up"
        )


def _unread(group: Group, captured: Captured) -> list[DiskCapture]:
    return [disk for disk in group.disks if disk.ref not in captured.disks]


def _counted(kept: Iterable[Leftover]) -> Iterable[str]:
    kept = list(kept)
    for kind in ("snapshot", "image"):
        of_kind = [each for each in kept if each.kind == kind]
        if of_kind:
            size = sum(each.gibibytes for each in of_kind)
            yield f"{counted(len(of_kind), kind)} ({size:.1f} GiB)"
