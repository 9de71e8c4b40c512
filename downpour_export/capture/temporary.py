"""Temporary objects: snapshots, volumes and images that exist only to read a disk.

Each has the bundle's mark in its name, so that it can be found again after a kill, and nothing
without that mark is ever deleted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from typing import Any

from bundle_spec.progress import Progress
from downpour_export.capture import leftovers, lost
from downpour_export.capture.cancel import CancelFlag, Cancelled, Polling
from downpour_export.capture.heart import Heart
from downpour_export.capture.leftovers import PROPERTY
from downpour_export.capture.moment import Kind
from downpour_export.capture.slots import Slots
from downpour_export.cloud import SourceCloud
from downpour_export.errors import Busy, CaptureError, Unanswered


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
        self._being_filled: dict[str, bool] = {}
        """Images that have no bytes yet -> whether they bear a mark."""
        self._lost_until: float | None = None
        """Until when a request whose answer was lost may arrive."""

    @property
    def prefix(self) -> str:
        """What the names of this bundle's temporary objects begin with."""
        return leftovers.prefix(self._uuid)

    # --- making ---

    def server_image(self, server_id: str) -> str:
        """Have Nova start an image of a server's own disk; its ID."""

        def send(name: str) -> str:
            body = {"name": name, "metadata": {PROPERTY: self._heart.mark()}}
            path = f"/servers/{server_id}/action"
            answer = self._cloud.request("compute", "POST", path, json={"createImage": body})
            if answer.content:
                return _id_in(_parsed(answer, path), path, "image_id")
            # Before 2.45 only a header tells.
            return _id_in(answer.headers, path, "Location").rpartition("/")[2]

        return self._make("image", server_id, send)

    def snapshot(self, volume_id: str) -> str:
        """Have Cinder start a snapshot of a volume, which may be in use; its ID."""

        def send(name: str) -> str:
            body = {
                "volume_id": volume_id,
                "name": name,
                "force": True,  # below 3.66 a volume in use needs it; above, true changes nothing
                "metadata": {PROPERTY: self._heart.mark()},
            }
            answer = self._cloud.post("block_storage", "/snapshots", {"snapshot": body})
            return _id_in(answer, "/snapshots", "snapshot", "id")

        return self._make("snapshot", volume_id, send)

    def volume(self, snapshot_id: str, size: int, source_id: str, of: str | None = None) -> str:
        """Make a volume of ``size`` GiB from a snapshot and wait for it; its ID.

        ``of``: what it is a copy of, for whoever waits.
        """

        def send(name: str) -> str:
            body = {
                "snapshot_id": snapshot_id,
                "size": size,
                "name": name,
                "metadata": {PROPERTY: self._heart.mark()},
            }
            answer = self._cloud.post("block_storage", "/volumes", {"volume": body})
            return _id_in(answer, "/volumes", "volume", "id")

        volume_id = self._make("volume", source_id, send)
        self.wait("volume", volume_id, size, of)
        return volume_id

    def upload(self, volume_id: str, size: int, source_id: str, of: str | None = None) -> str:
        """Start to upload a volume of ``size`` GiB to an image; its ID.  ``of``: as in ``volume``.

        Waits first: an upload that a killed run began may still go on, and Cinder does one at a
        time.
        """
        path, key = f"/volumes/{volume_id}/action", "os-volume_upload_image"

        def send(name: str) -> str:
            self.wait("volume", volume_id, size, of)
            body = {"image_name": name, "disk_format": "raw", "container_format": "bare"}
            return _id_in(
                self._cloud.post("block_storage", path, {key: body}), path, key, "image_id"
            )

        return self._make("image", source_id, send, marked=False)

    def _make(
        self, kind: Kind, source_id: str, send: Callable[[str], str], *, marked: bool = True
    ) -> str:
        """The ID of the object that ``send`` has made; its argument is the name.

        ``marked``: whether ``send`` gives it the mark that the export lives.
        """
        # The name is of this request alone, so that an object of that name is what it made.
        name = f"{self.prefix}{secrets.token_hex(4)}-{source_id}"
        identity = self._sent(kind, name, send)
        if kind == "image":
            self._being_filled[identity] = marked
        else:
            self._heart.carries(kind, identity, marked=marked)
        return identity

    def _sent(self, kind: Kind, name: str, send: Callable[[str], str]) -> str:
        """As ``_make``: again while the quota has no room (413) or the resource is busy (409), and
        where an answer is lost and nothing was made."""
        polling = Polling(self._cancel, tell=self._progress.say)
        tries = lost.Tries()
        while True:
            if tries.lost and (there := leftovers.named(self._cloud, kind, name)):
                return there
            if not tries.due:
                polling.wait(f"a {kind} whose making was not answered")
                continue
            try:
                return self._slots.make(lambda: send(name))
            except Busy as exc:
                polling.wait(str(exc))
            except Unanswered as exc:
                self._progress.say(f"{exc}; looking whether it was done")
                try:
                    tries.lose(exc)
                finally:
                    self._lost_until = tries.until

    # --- waiting ---

    def wait(
        self,
        kind: Kind,
        identity: str,
        gibibytes: float,
        of: str | None = None,
        cancel: CancelFlag | None = None,
    ) -> Any:
        """Wait until the object is ready; its JSON.  Raises CaptureError when it failed.

        ``of``: whose it is, as "volume 'data' of server 'db'", for whoever waits.  ``cancel``: as
        in ``delete_all``.
        """
        polling = Polling(cancel or self._cancel, gibibytes, self._progress.say)
        # A tenant's own volume may be attached while its image is made.
        ready = ("active",) if kind == "image" else ("available", "in-use")
        while True:
            item = self.fetch(kind, identity)
            if item is None:
                raise CaptureError(f"the temporary {kind} is gone", where=identity)
            if item["status"] in ready:
                if kind == "image":
                    self._filled(identity)
                return item
            if "error" in item["status"] or item["status"] in ("killed", "deleted"):
                raise CaptureError(
                    f"the source failed to make a temporary {kind}: it is {item['status']}",
                    where=identity,
                )
            polling.wait(f"the {kind} of {of}" if of else f"{kind} {identity}")

    def _filled(self, identity: str) -> None:
        """An image has its bytes: from now on a mark may be written on it.

        Before that it must not be touched: Glance writes an image back whole when it is changed,
        with the status that it had when it was read, and an upload that has begun meanwhile fails
        at its end.
        """
        marked = self._being_filled.pop(identity, None)
        if marked is not None:
            self._heart.carries("image", identity, marked=marked)

    def fetch(self, kind: Kind, identity: str) -> Any | None:
        """The JSON of the object, or None when it is gone."""
        return leftovers.fetch(self._cloud, kind, identity)

    # --- deleting ---

    def delete(self, kind: Kind, identity: str, gibibytes: float = 0.0) -> None:
        """Delete the object and wait until it is gone."""
        self._delete(kind, identity, self._cancel, gibibytes)

    def _delete(self, kind: Kind, identity: str, cancel: CancelFlag, gibibytes: float) -> None:
        leftovers.delete(self._cloud, kind, identity, cancel, gibibytes, self._progress.say)
        self._heart.gone(identity)

    def delete_all(
        self,
        cancel: CancelFlag,
        keep: Collection[str] = (),
        tell: Callable[[Collection[leftovers.Leftover]], None] = lambda objects: None,
    ) -> bool:
        """Delete this bundle's temporary objects, also those of POSTs whose answer was lost.

        ``keep``: IDs of those that are still needed.  ``cancel``: not that of the run, where this
        has to work after the run was cancelled.  ``tell`` is given what will be deleted.  Returns
        whether all are gone; a failure is reported, and not raised as CaptureError.
        """
        gone = self._delete_found(cancel, keep, tell)
        if self._lost_until is None:
            return gone
        # A request whose answer was lost may arrive until then.  What arrives later still has our
        # mark: the next run of this bundle, or ``cleanup``, finds it.
        try:
            cancel.sleep(max(self._lost_until - time.monotonic(), 0))
        except Cancelled:
            return False
        return self._delete_found(cancel, keep, lambda objects: None) and gone

    def _delete_found(
        self,
        cancel: CancelFlag,
        keep: Collection[str],
        tell: Callable[[Collection[leftovers.Leftover]], None],
    ) -> bool:
        try:
            objects = self.find()
        except CaptureError as exc:
            self._progress.say(f"cannot look for temporary objects named {self.prefix}…: {exc}")
            return False
        for item in objects:
            if item.id in keep and item.kind == "image" and item.status != "active":
                self._being_filled[item.id] = False
            elif item.id in keep:
                self._heart.carries(item.kind, item.id, marked=False)
        objects = [item for item in objects if item.id not in keep]
        tell(objects)
        if not objects:
            return True
        total = len(objects)
        with self._progress.task("remove temporary objects", total, "resources") as task:
            gone = 0
            for item in objects:
                gone += self._try_to_delete(item, cancel)
                task.advance(1)
        return gone == total

    def _try_to_delete(self, item: leftovers.Leftover, cancel: CancelFlag) -> bool:
        try:
            self._delete(item.kind, item.id, cancel, item.gibibytes)
        except CaptureError as exc:
            self._progress.say(
                f"cannot delete the temporary {item.kind} {item.id}: {exc}; "
                "`downpour-export cleanup` does it later"
            )
            return False
        return True

    def find(self) -> list[leftovers.Leftover]:
        """Every object in the cloud with this bundle's mark, in the order of deletion."""
        bundle = leftovers.short(self._uuid)
        return [item for item in leftovers.temporaries(self._cloud) if item.bundle == bundle]


def _parsed(answer: Any, where: str) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError) as exc:
        raise _names_nothing(where) from exc


def _id_in(answer: Any, where: str, *keys: str) -> str:
    """What stands under these keys.  Raises Unanswered: what was asked for may have been done."""
    try:
        for key in keys:
            answer = answer[key]
    except (KeyError, TypeError, IndexError) as exc:
        raise _names_nothing(where) from exc
    if not isinstance(answer, str):
        raise _names_nothing(where)
    return answer


def _names_nothing(where: str) -> Unanswered:
    return Unanswered("the source's answer to POST does not name what was made", where=where)
