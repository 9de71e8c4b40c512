"""The moment at which all disks of a server were snapshotted, and what holds them since.

Kept in the journal of the unfinished bundle: a run that was killed is gone on with from the
snapshots that it left, so that the disks of a server are of one moment whatever happens.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from bundle_spec import BundleWriter
from bundle_spec.form import codec
from downpour_export.plan import Consistency, DiskCapture

Kind = Literal["image", "volume", "snapshot"]


@dataclass(frozen=True, kw_only=True)
class Held:
    """One disk: ``kind`` and ``id`` of the temporary object that holds it, None if none does."""

    label: str
    consistency: Consistency
    kind: Kind | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """``at``: when, in UTC (ISO 8601)."""

    at: str
    disks: tuple[Held, ...]

    def of(self, disk: DiskCapture) -> Held:
        return next(each for each in self.disks if each.label == label(disk))


def label(disk: DiskCapture) -> str:
    """What the bundle's journal calls a disk: a volume that moved to another server is another."""
    return f"{disk.type} {disk.id}" + (f" of server {disk.server_id}" if disk.server_id else "")


class Moments:
    """The moments in a bundle's journal.  Thread-safe; raises LocalError."""

    def __init__(self, writer: BundleWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()

    def find(self, disks: Iterable[DiskCapture]) -> Moment | None:
        """The one at which an earlier run snapshotted exactly these disks."""
        labels = [label(disk) for disk in disks]
        key = _key(labels)
        text = self._writer.recall(key)
        if text is None:
            return None
        moment = codec.decode(Moment, codec.loads(text.encode(), key), key)
        return moment if [each.label for each in moment.disks] == labels else None

    def keep(self, moment: Moment) -> None:
        """When this returns, no kill makes a later run forget it."""
        text = codec.dumps(codec.encode(moment)).decode()
        self._writer.remember(_key([each.label for each in moment.disks]), text)
        self._writer.checkpoint()

    def image_holds(self, disks: Iterable[DiskCapture], disk: DiskCapture, image_id: str) -> None:
        """From now on it is this image that holds ``disk``, one of ``disks``."""
        with self._lock:
            moment = self.find(disks)
            assert moment is not None
            now = replace(moment.of(disk), kind="image", id=image_id)
            self.keep(
                replace(
                    moment,
                    disks=tuple(now if each.label == now.label else each for each in moment.disks),
                )
            )


def _key(labels: list[str]) -> str:
    return f"moment {labels[0]}"
