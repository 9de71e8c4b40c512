"""What an earlier run of the same bundle left: disks that are there, and snapshots to go on with.

Disks of one server belong to one moment: they are taken together, or gone on with from the
snapshots of that moment, or else all of them are captured anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bundle_spec import BundleWriter
from bundle_spec.form import codec
from bundle_spec.model import Disk, Image
from downpour_export.capture.copy import Captured, needs_snapshot
from downpour_export.capture.moment import Held, Kind, Moment, Moments, label
from downpour_export.capture.temporary import Temporaries
from downpour_export.plan import Consistency, DiskCapture, StopMode

_ALIVE: dict[Kind, tuple[str, ...]] = {
    "image": ("queued", "saving", "uploading", "importing", "active"),
    "snapshot": ("creating", "available"),
    "volume": (),
}


@dataclass(frozen=True)
class Group:
    """Disks of one moment: those of a server, or one alone.

    ``left``: those of them that are still to read.  ``moment``: the one to go on with; None:
    they are still to be snapshotted.
    """

    disks: list[DiskCapture]
    left: list[DiskCapture]
    moment: Moment | None = None

    @property
    def server_id(self) -> str | None:
        return self.disks[0].server_id

    @property
    def snapshots(self) -> int:
        """How many temporary objects hold its disks until these are copied."""
        if self.moment is None:
            return sum(map(needs_snapshot, self.left))
        return sum(1 for disk in self.left if self.moment.of(disk).id)

    @property
    def temporaries(self) -> set[str]:
        """The IDs of those that an earlier run made."""
        if self.moment is None:
            return set()
        return {identity for disk in self.left if (identity := self.moment.of(disk).id)}


def groups(disks: Iterable[DiskCapture]) -> list[list[DiskCapture]]:
    """Disks of one server together; every other disk alone."""
    found: dict[object, list[DiskCapture]] = {}
    for disk in disks:
        found.setdefault(disk.server_id or disk.ref, []).append(disk)
    return list(found.values())


class Earlier:
    """Raises CaptureError, LocalError."""

    def __init__(
        self, writer: BundleWriter, temporaries: Temporaries, stops: Mapping[str, StopMode]
    ) -> None:
        self._writer = writer
        self._stops = stops
        self._temporaries = temporaries
        self._moments = Moments(writer)
        self._there = writer.ended_disks()

    def left(self, disks: Iterable[DiskCapture], captured: Captured) -> list[Group]:
        """What is still to do for ``disks``; what is there is put into ``captured``."""
        groups_left = []
        for group in groups(disks):
            missing = [disk for disk in group if not self._is_there(disk)]
            moment = self._moment(group, missing) if missing else None
            if missing and moment is None:
                # At once, so that no later run takes disks of two moments for one capture.
                for disk in group:
                    if label(disk) in self._there:
                        self._writer.abandon_disk(self._there[label(disk)].id)
                missing = group
            for disk in group:
                if disk not in missing:
                    self._take(disk, captured)
            if missing:
                groups_left.append(Group(group, missing, moment))
        return groups_left

    def abandon_unwanted(self, captured: Captured) -> None:
        """Disks that an earlier run captured, and that this one does not want.

        Only when all else is there: a resource file with a mistake must not cost a capture.
        """
        wanted = {record.id for record in captured.disks.values()}
        for record in self._writer.ended_disks().values():
            if record.id not in wanted:
                self._writer.abandon_disk(record.id)

    def _is_there(self, disk: DiskCapture) -> bool:
        record = self._there.get(label(disk))
        known = disk.type != "server" or self._writer.recall(label(disk)) is not None
        if record is None or not known:
            return False
        return record.capture is None or self._stopped_enough(disk, record.capture.consistency)

    def _stopped_enough(self, disk: DiskCapture, consistency: Consistency) -> bool:
        """Whether its server was stopped as it shall be now: the resource file may have changed.

        One that runs and shall stay off is stopped first, or what it writes now would be lost.
        """
        match self._stops.get(disk.server_id or ""):
            case "keep":
                return False
            case "during":
                return consistency == "stopped"
            case _:
                return True

    def _moment(self, group: list[DiskCapture], missing: list[DiskCapture]) -> Moment | None:
        """The moment of an earlier run, if what it took of the missing disks is still there."""
        moment = self._moments.find(group)
        if moment is None:
            return None
        for disk in missing:
            held = moment.of(disk)
            enough = self._stopped_enough(disk, held.consistency)
            if not enough or not self._still_holds(disk, held):
                return None
        return moment

    def _still_holds(self, disk: DiskCapture, held: Held) -> bool:
        if held.kind is None or held.id is None:
            # Images and the tenant's own snapshots do not change; a volume may have.
            return disk.type in ("image", "volume_snapshot") or disk.image_id is not None
        item = self._temporaries.fetch(held.kind, held.id)
        return item is not None and item["status"] in _ALIVE[held.kind]

    def _take(self, disk: DiskCapture, captured: Captured) -> None:
        record: Disk = self._there[label(disk)]
        captured.disks[disk.ref] = record
        if disk.type == "server":
            text = self._writer.recall(label(disk)) or ""
            value = codec.loads(text.encode(), label(disk))
            captured.images[disk.id] = codec.decode(Image, value, label(disk))
