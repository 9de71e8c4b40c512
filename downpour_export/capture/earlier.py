"""What an earlier run of the same bundle left: captured disks, and snapshots to go on with.

All disks of one server must be of one moment.  So they are taken as they are, or the missing ones
are read from the snapshots of that moment, or else all of them are captured again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bundle_spec import BundleWriter
from bundle_spec.form import codec
from bundle_spec.model import Disk, Image
from downpour_export.capture.copy import Captured, needs_snapshot
from downpour_export.capture.moment import Holder, Kind, Moment, MomentJournal, label
from downpour_export.capture.temporary import Temporaries
from downpour_export.plan import Consistency, DiskCapture, StopMode

USABLE: dict[Kind, tuple[str, ...]] = {
    "image": ("queued", "saving", "uploading", "importing", "active"),
    "snapshot": ("creating", "available"),
    "volume": (),
}
"""The statuses of a temporary object that a run goes on with; never with a volume."""


@dataclass(frozen=True)
class Group:
    """Disks that are snapshotted together: those of a server, or one alone.

    ``unread``: those that are not in the bundle yet.  ``moment``: that of an earlier run's
    snapshots; None: they are still to be made.
    """

    disks: list[DiskCapture]
    unread: list[DiskCapture]
    moment: Moment | None = None

    @property
    def server_id(self) -> str | None:
        return self.disks[0].server_id

    @property
    def snapshots(self) -> int:
        """How many temporary objects hold its disks until they are copied."""
        if self.moment is None:
            return sum(map(needs_snapshot, self.unread))
        return sum(1 for disk in self.unread if self.moment.holder_of(disk).id)

    @property
    def temporaries(self) -> set[str]:
        """The IDs of the temporary objects of an earlier run that are still needed."""
        if self.moment is None:
            return set()
        return {identity for disk in self.unread if (identity := self.moment.holder_of(disk).id)}


def groups(disks: Iterable[DiskCapture]) -> list[list[DiskCapture]]:
    """Disks of one server together; every other disk alone."""
    together: dict[object, list[DiskCapture]] = {}
    for disk in disks:
        together.setdefault(disk.server_id or disk.ref, []).append(disk)
    return list(together.values())


class EarlierRun:
    """What the journal and the source have of an earlier run.  Raises CaptureError, LocalError."""

    def __init__(
        self, writer: BundleWriter, temporaries: Temporaries, stops: Mapping[str, StopMode]
    ) -> None:
        self._writer = writer
        self._stops = stops
        self._temporaries = temporaries
        self._moments = MomentJournal(writer)
        self._ended_disks = writer.ended_disks()

    def unfinished(self, disks: Iterable[DiskCapture], captured: Captured) -> list[Group]:
        """The groups with disks that are still to read; the others are put into ``captured``."""
        unfinished = []
        for group in groups(disks):
            missing = [disk for disk in group if not self._is_captured(disk)]
            moment = self._moment(group, missing) if missing else None
            if missing and moment is None:
                # Before anything else, so that no later run mixes disks of two moments.
                for disk in group:
                    if label(disk) in self._ended_disks:
                        self._writer.abandon_disk(self._ended_disks[label(disk)].id)
                missing = group
            for disk in group:
                if disk not in missing:
                    self._take(disk, captured)
            if missing:
                unfinished.append(Group(group, missing, moment))
        return unfinished

    def abandon_unwanted(self, captured: Captured) -> None:
        """Abandon disks that an earlier run captured and that are not in ``captured``.

        Called last: a mistake in the resource file must not lose a capture before it is noticed.
        """
        wanted = {record.id for record in captured.disks.values()}
        for record in self._writer.ended_disks().values():
            if record.id not in wanted:
                self._writer.abandon_disk(record.id)

    def _is_captured(self, disk: DiskCapture) -> bool:
        record = self._ended_disks.get(label(disk))
        known = disk.type != "server" or self._writer.recall(label(disk)) is not None
        if record is None or not known:
            return False
        return record.capture is None or self._stopped_enough(disk, record.capture.consistency)

    def _stopped_enough(self, disk: DiskCapture, consistency: Consistency) -> bool:
        """Whether its server was stopped as the plan, which may have changed, asks for now.

        A server that is to stay off is captured again: what it wrote since would be lost.
        """
        match self._stops.get(disk.server_id or ""):
            case "keep":
                return False
            case "during":
                return consistency == "stopped"
            case _:
                return True

    def _moment(self, group: list[DiskCapture], missing: list[DiskCapture]) -> Moment | None:
        """The moment of an earlier run, if all its snapshots of the missing disks can be used."""
        moment = self._moments.find(group)
        if moment is None:
            return None
        for disk in missing:
            holder = moment.holder_of(disk)
            enough = self._stopped_enough(disk, holder.consistency)
            if not enough or not self._still_holds(disk, holder):
                return None
        return moment

    def _still_holds(self, disk: DiskCapture, holder: Holder) -> bool:
        if holder.kind is None or holder.id is None:
            # Images and the tenant's own snapshots do not change; a volume may have.
            return disk.type in ("image", "volume_snapshot") or disk.image_id is not None
        item = self._temporaries.fetch(holder.kind, holder.id)
        return item is not None and item["status"] in USABLE[holder.kind]

    def _take(self, disk: DiskCapture, captured: Captured) -> None:
        record: Disk = self._ended_disks[label(disk)]
        captured.disks[disk.ref] = record
        if disk.type == "server":
            text = self._writer.recall(label(disk)) or ""
            value = codec.loads(text.encode(), label(disk))
            captured.images[disk.id] = codec.decode(Image, value, label(disk))
