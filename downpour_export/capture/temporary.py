"""Temporary objects: snapshots, volumes and images that exist only to read a disk.

Each has the bundle's mark in its name, so that it can be found again after a kill, and nothing
without that mark is ever deleted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bundle_spec.progress import Progress
from downpour_cloud import Service
from downpour_export.capture import leftovers
from downpour_export.capture.cancel import CancelFlag, Polling
from downpour_export.capture.heart import Heart
from downpour_export.capture.leftovers import PROPERTY
from downpour_export.capture.moment import Kind
from downpour_export.capture.slots import Slots
from downpour_export.cloud import SourceCloud
from downpour_export.errors import Busy, CaptureError


class Temporaries:
    """The temporary objects of one bundle."""

    def __init__(
        self,
        cloud: SourceCloud,
        bundle_uuid: str,
        slots: Slots,
        heart: Heart,
        cancel: CancelFlag,
        progress: Progress,
    ):
        self._cloud = cloud
        self._heart = heart
        self._uuid = bundle_uuid
        self._slots = slots
        self._cancel = cancel
        self._progress = progress

    @property
    def prefix(self) -> str:
        """What the names of this bundle's temporary objects begin with."""
        return leftovers.prefix(self._uuid)

    # --- making ---

    def server_image(self, server_id: str) -> str:
        """Have Nova start an image of a server's own disk; its ID."""
        body = {"name": self.prefix + server_id, "metadata": {PROPERTY: self._heart.mark()}}
        response = self._post("compute", f"/servers/{server_id}/action", {"createImage": body})
        if response.content:
            image_id: str = response.json()["image_id"]
        else:  # before 2.45 only a header tells
            image_id = response.headers["Location"].rsplit("/", 1)[1]
        self._heart.carries("image", image_id)
        return image_id

    def snapshot(self, volume_id: str) -> str:
        """Have Cinder start a snapshot of a volume, which may be in use; its ID."""
        body = {
            "volume_id": volume_id,
            "name": self.prefix + volume_id,
            "force": True,  # below 3.66 a volume in use needs it; above, true changes nothing
            "metadata": {PROPERTY: self._heart.mark()},
        }
        answer = self._post("block_storage", "/snapshots", {"snapshot": body}).json()
        snapshot_id: str = answer["snapshot"]["id"]
        self._heart.carries("snapshot", snapshot_id)
        return snapshot_id

    def volume(self, snapshot_id: str, size: int, source_id: str) -> str:
        """Make a volume of ``size`` GiB from a snapshot and wait for it; its ID."""
        body = {
            "snapshot_id": snapshot_id,
            "size": size,
            "name": self.prefix + source_id,
            "metadata": {PROPERTY: self._heart.mark()},
        }
        answer = self._post("block_storage", "/volumes", {"volume": body}).json()
        volume_id: str = answer["volume"]["id"]
        self._heart.carries("volume", volume_id)
        self.wait("volume", volume_id, size)
        return volume_id

    def upload(self, volume_id: str, size: int, source_id: str) -> str:
        """Start to upload a volume of ``size`` GiB to an image; its ID.

        Waits first: an upload that a killed run began may still go on, and Cinder does one at a
        time.
        """
        self.wait("volume", volume_id, size)
        body = {
            "image_name": self.prefix + source_id,
            "disk_format": "raw",
            "container_format": "bare",
        }
        answer = self._post(
            "block_storage", f"/volumes/{volume_id}/action", {"os-volume_upload_image": body}
        ).json()
        image_id: str = answer["os-volume_upload_image"]["image_id"]
        self._heart.carries("image", image_id, marked=False)
        return image_id

    def _post(self, service: Service, path: str, body: Any) -> Any:
        """POST; again while the quota has no room (413) or the resource is busy (409)."""
        polling = Polling(self._cancel)
        while True:
            try:
                return self._slots.make(
                    lambda: self._cloud.request(service, "POST", path, json=body)
                )
            except Busy as exc:
                polling.wait(str(exc))

    # --- waiting ---

    def wait(self, kind: Kind, identity: str, gibibytes: float) -> Any:
        """Wait until the object is ready; its JSON.  Raises CaptureError when it failed."""
        polling = Polling(self._cancel, gibibytes, self._progress.say)
        # A tenant's own volume may be attached while its image is made.
        ready = ("active",) if kind == "image" else ("available", "in-use")
        while True:
            item = self.fetch(kind, identity)
            if item is None:
                raise CaptureError(f"the temporary {kind} is gone", where=identity)
            if item["status"] in ready:
                return item
            if "error" in item["status"] or item["status"] in ("killed", "deleted"):
                raise CaptureError(
                    f"the source failed to make a temporary {kind}: it is {item['status']}",
                    where=identity,
                )
            polling.wait(f"temporary {kind} {identity}")

    def fetch(self, kind: Kind, identity: str) -> Any | None:
        """The JSON of the object, or None when it is gone."""
        return leftovers.fetch(self._cloud, kind, identity)

    # --- deleting ---

    def delete(self, kind: Kind, identity: str) -> None:
        """Delete the object and wait until it is gone."""
        self._delete(kind, identity, self._cancel)

    def _delete(self, kind: Kind, identity: str, cancel: CancelFlag) -> None:
        leftovers.delete(self._cloud, kind, identity, cancel)
        self._heart.gone(identity)

    def delete_all(self, cancel: CancelFlag, keep: Collection[str] = ()) -> bool:
        """Delete this bundle's temporary objects, also those of POSTs whose answer was lost.

        ``keep``: IDs of those that are still needed.  ``cancel``: not that of the run, where this
        has to work after the run was cancelled.  Returns whether all are gone; a failure is
        reported, and not raised as CaptureError.
        """
        try:
            objects = self.find()
        except CaptureError as exc:
            self._progress.say(f"cannot look for temporary objects named {self.prefix}…: {exc}")
            return False
        gone = True
        for item in objects:
            if item.id in keep:
                self._heart.carries(item.kind, item.id, marked=False)
                continue
            try:
                self._delete(item.kind, item.id, cancel)
            except CaptureError as exc:
                gone = False
                self._progress.say(f"cannot delete the temporary {item.kind} {item.id}: {exc}")
        return gone

    def find(self) -> list[leftovers.Leftover]:
        """Every object in the cloud with this bundle's mark, in the order of deletion."""
        bundle = leftovers.short(self._uuid)
        return [item for item in leftovers.temporaries(self._cloud) if item.bundle == bundle]
