"""One disk from the source into the bundle, by way of temporary objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bundle_spec import BundleWriter
from bundle_spec.form import codec
from bundle_spec.model import Capture, Disk, Image, Ref
from bundle_spec.progress import Progress
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.download import MOST, Names, download
from downpour_export.capture.moment import Holder, Kind, Moment, MomentJournal, label, now
from downpour_export.capture.slots import Slots
from downpour_export.capture.temporary import Temporaries
from downpour_export.cloud import SourceCloud
from downpour_export.discover import image as image_discovery
from downpour_export.errors import CaptureError
from downpour_export.plan import DiskCapture


@dataclass(frozen=True)
class Captured:
    """``images``: for each captured server, the image that its disk was read from.

    ``stopped``: the servers that ran before the export stopped them.
    """

    disks: dict[Ref, Disk] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)


def needs_snapshot(disk: DiskCapture) -> bool:
    """Whether a temporary object fixes its content: not where nobody can write to it."""
    if disk.type == "server":
        return disk.image_id is None
    return disk.type == "volume" and disk.consistency != "idle"


class Copier:
    """Copies disks into the bundle.  Thread-safe; methods raise CaptureError and LocalError."""

    def __init__(
        self,
        cloud: SourceCloud,
        writer: BundleWriter,
        slots: Slots,
        temporaries: Temporaries,
        cancel: CancelFlag,
        progress: Progress,
    ):
        self._cloud = cloud
        self._writer = writer
        self._slots = slots
        self._temporaries = temporaries
        self._moments = MomentJournal(writer)
        self._cancel = cancel
        self._progress = progress
        self.captured = Captured()

    def snapshot(self, disks: Sequence[DiskCapture]) -> Moment:
        """Snapshot ``disks`` together; nothing is copied yet."""
        at = now()
        moment = Moment(at=at, disks=tuple(map(self._hold, disks)))
        self._moments.save(moment)
        return moment

    def _hold(self, disk: DiskCapture) -> Holder:
        holder = Holder(label=label(disk), consistency=disk.consistency)
        if not needs_snapshot(disk):
            return holder
        if disk.type == "server":
            return replace(holder, kind="image", id=self._temporaries.server_image(disk.id))
        return replace(holder, kind="snapshot", id=self._temporaries.snapshot(disk.id))

    def wait_for_snapshots(self, moment: Moment, disks: Sequence[DiskCapture]) -> None:
        """Wait until the snapshots of ``disks`` are complete: then their server may write again."""
        for disk in disks:
            holder = moment.holder_of(disk)
            if holder.kind and holder.id:
                self._temporaries.wait(holder.kind, holder.id, disk.size / (1 << 30), disk.shown)

    def image(self, moment: Moment, disks: Sequence[DiskCapture], disk: DiskCapture) -> str:
        """Have the cloud make an image of ``disk``, one of the moment's ``disks``; its ID.

        Other temporary objects of the disk are deleted as soon as they are not needed.
        """
        self._cancel.check()
        if (existing := _own_image(disk)) is not None:
            return existing
        holder = moment.holder_of(disk)
        with self._progress.task(f"image of {_shown(disk)}", None, "time"):
            if holder.kind == "image" and holder.id:
                self._temporaries.wait("image", holder.id, disk.size / (1 << 30), disk.shown)
                return holder.id
            return self._volume_image(disks, disk, holder)

    def read(self, moment: Moment, disk: DiskCapture, image_id: str) -> None:
        """Read the image of ``disk`` into the bundle; then delete it if it is temporary."""
        self._cancel.check()
        self._read(disk, image_id, moment.at, moment.holder_of(disk))
        if _own_image(disk) is None:
            self._delete("image", image_id, disk.size / (1 << 30))

    def _volume_image(self, disks: Sequence[DiskCapture], disk: DiskCapture, holder: Holder) -> str:
        """Upload a volume, or what a snapshot holds of one, to an image."""
        temporaries, size, of = self._temporaries, disk.size >> 30, disk.shown
        if disk.type == "volume" and holder.id is None:
            self._slots.take(1)
            image_id = temporaries.upload(disk.id, size, disk.id, of)
            # Noted before it is complete, so that the next run need not upload a second time.
            self._moments.image_holds(disks, disk, image_id)
            temporaries.wait("image", image_id, size, of)
            # Wait until the upload has released the tenant's own volume.
            temporaries.wait("volume", disk.id, size, of)
            return image_id
        snapshot_id = holder.id or disk.id
        # The volume may have been extended since discovery, and a volume cannot be smaller than the
        # snapshot that it is made of.
        snapshot = temporaries.wait("snapshot", snapshot_id, size, of)
        size = max(size, snapshot.get("size", 0))
        self._slots.take(2)
        volume_id = temporaries.volume(snapshot_id, size, disk.id, of)
        image_id = temporaries.upload(volume_id, size, disk.id, of)
        temporaries.wait("image", image_id, size, of)
        self._moments.image_holds(disks, disk, image_id)
        # The bytes are in the image now.  Many backends keep a snapshot while a volume of it lives.
        self._delete("volume", volume_id, size)
        if holder.id is not None:
            self._delete("snapshot", holder.id, size)
        return image_id

    def _delete(self, kind: Kind, identity: str, gibibytes: float) -> None:
        self._temporaries.delete(kind, identity, gibibytes)
        self._slots.release()

    def _read(self, disk: DiskCapture, image_id: str, at: str, holder: Holder) -> None:
        item = self._cloud.get("image", f"/images/{image_id}")
        if disk.type == "server":
            image = image_discovery.found_of(item, self._cloud.project_id)
            if image.volume_backed:
                raise CaptureError(
                    "the source made snapshots of volumes and no image of a disk: this server "
                    "boots from a volume, and nothing told so",
                    where=f"server {disk.name!r}",
                    remedy="list its volumes, and the server with save_state: false",
                )
            self.captured.images[disk.id] = image.record
            # For the next run, if this one does not come to its end.
            text = codec.dumps(codec.encode(image.record)).decode()
            self._writer.remember(label(disk), text)
        self.captured.disks[disk.ref] = download(
            self._cloud,
            self._writer,
            item,
            Capture(
                type=disk.type, id=disk.id, at=disk.taken or at, consistency=holder.consistency
            ),
            Names(label(disk), _shown(disk)),
            self._cancel,
            self._progress,
            # A qcow2 has tables beside the disk's own bytes.
            most=disk.size + disk.size // 8 + (64 << 20) if disk.size else MOST,
        )


def _own_image(disk: DiskCapture) -> str | None:
    """The ID of an image of the tenant that has the disk's bytes already, if there is one."""
    return disk.id if disk.type == "image" else disk.image_id


def _shown(disk: DiskCapture) -> str:
    return f"{disk.type.replace('_', ' ')} {disk.name or disk.id}"
