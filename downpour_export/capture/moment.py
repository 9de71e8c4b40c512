"""The moment at which all disks of a server were snapshotted, and the objects that hold them since.

It is written into the journal of the unfinished bundle (docs/adr/0008).  The run after one that was
killed goes on with these snapshots, so that all disks of a server are always of one moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bundle_spec import BundleWriter
from bundle_spec.form import codec
from downpour_export.plan import Consistency, DiskCapture

Kind = Literal["image", "volume", "snapshot"]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """What holds a disk: ``kind`` and ``id`` of a temporary object, or None if none is needed.

    ``label``, ``consistency``: of the disk.  The field names are keys in the journal.
    """

    label: str
    consistency: Consistency
    kind: Kind | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """``at``: UTC, as ``now`` gives it.  The field names are keys in the journal."""

    at: str
    disks: tuple[Holder, ...]

    def holder_of(self, disk: DiskCapture) -> Holder:
        return next(holder for holder in self.disks if holder.label == label(disk))


def now() -> str:
    """This second, as a bundle writes it [M-21]."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def label(disk: DiskCapture) -> str:
    """The name of a disk in the bundle's journal; a volume on another server is another disk."""
    return f"{disk.type} {disk.id}" + (f" of server {disk.server_id}" if disk.server_id else "")


class MomentJournal:
    """The moments in a bundle's journal.  Thread-safe; raises LocalError."""

    def __init__(self, writer: BundleWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()

    def find(self, disks: Iterable[DiskCapture]) -> Moment | None:
        """The moment at which an earlier run snapshotted exactly these disks."""
        labels = [label(disk) for disk in disks]
        key = _key(labels)
        text = self._writer.recall(key)
        if text is None:
            return None
        moment = codec.decode(Moment, codec.loads(text.encode(), key), key)
        return moment if [holder.label for holder in moment.disks] == labels else None

    def save(self, moment: Moment) -> None:
        """Write it; when this returns, it survives a kill of this run."""
        text = codec.dumps(codec.encode(moment)).decode()
        self._writer.remember(_key([holder.label for holder in moment.disks]), text)
        self._writer.checkpoint()

    def image_holds(self, disks: Iterable[DiskCapture], disk: DiskCapture, image_id: str) -> None:
        """Note that from now on this image holds ``disk``, one of ``disks``."""
        with self._lock:
            moment = self.find(disks)
            assert moment is not None
            now = replace(moment.holder_of(disk), kind="image", id=image_id)
            holders = (now if old.label == now.label else old for old in moment.disks)
            self.save(replace(moment, disks=tuple(holders)))


def _key(labels: list[str]) -> str:
    return f"moment {labels[0]}"
