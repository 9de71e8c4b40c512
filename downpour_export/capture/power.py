"""Stopping servers for their capture, and starting again every one that shall run."""

from __future__ import annotations

import threading
from collections.abc import Container, Mapping
from contextlib import suppress
from typing import Any

from bundle_spec import BundleWriter
from bundle_spec.progress import Progress
from downpour_export.capture import leftovers
from downpour_export.capture.cancel import CancelFlag, Patience
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks
from downpour_export.errors import Busy, CaptureError
from downpour_export.plan import StopMode


class Power:
    """The servers that an export stops.  Thread-safe.

    One that shall run again carries a mark from before it is stopped until it runs: whatever
    kills this run, the next one or ``cleanup`` finds and starts it.
    """

    def __init__(
        self,
        cloud: SourceCloud,
        writer: BundleWriter,
        stops: Mapping[str, StopMode],
        cancel: CancelFlag,
        progress: Progress,
    ):
        self._cloud = cloud
        self._writer = writer
        self._stops = stops
        self._cancel = cancel
        self._progress = progress
        self._lock = threading.Lock()
        self._down: set[str] = set()
        self._names: dict[str, str] = {}
        self._kept_off = False

    def ran(self, server_id: str) -> bool:
        """Whether it ran before this export, or an earlier run of it, stopped it."""
        return self._writer.recall(_note(server_id)) is not None

    def adopt(self) -> None:
        """Take over the servers that an earlier run of this bundle stopped and shall run again."""
        own = leftovers.short(self._writer.uuid)
        found = {
            each.id: each.name
            for each in leftovers.stopped_servers(self._cloud)
            if each.bundle == own
        }
        for server_id in found:
            if not self.ran(server_id):  # a journal that was begun again does not tell
                self._writer.remember(_note(server_id), "during")
        with self._lock:
            self._names |= found
            self._down |= found.keys()

    def stop(self, server_id: str) -> None:
        """Stop the server if the plan says so, and wait until it is.  Raises CaptureError."""
        how = self._stops.get(server_id)
        if how is None:
            return
        path = f"/servers/{server_id}"
        patience = Patience(self._cancel)
        while (server := self._look(server_id)).get("OS-EXT-STS:task_state") is not None:
            patience.wait(f"what else goes on with server {server_id}")
        if server["status"] == "SHUTOFF":
            return
        self._writer.remember(_note(server_id), how)
        self._writer.checkpoint()
        if how == "keep":
            self._kept_off = True
        else:
            with self._lock:
                self._names[server_id] = server["name"]
                self._down.add(server_id)
            mark = {marks.STOPPED: self._writer.uuid}
            self._cloud.post("compute", f"{path}/metadata", {"metadata": mark})
        with self._progress.task(f"stop server {server['name']}", None, "time"):
            self._cloud.post("compute", f"{path}/action", {"os-stop": None})
            while not _rests_as(self._look(server_id), "SHUTOFF"):
                patience.wait(f"stopping server {server_id}")

    def _look(self, server_id: str) -> Any:
        return self._cloud.get("compute", f"/servers/{server_id}")["server"]

    def start(self, server_id: str, cancel: CancelFlag | None = None) -> None:
        """Start a server that shall run again, and wait until it does.  Raises CaptureError."""
        with self._progress.task(f"start server {self._names.get(server_id)}", None, "time"):
            start(self._cloud, server_id, cancel or self._cancel)
        with self._lock:
            self._down.discard(server_id)

    @property
    def down(self) -> frozenset[str]:
        """The servers that shall run again and do not yet."""
        with self._lock:
            return frozenset(self._down)

    @property
    def changed(self) -> bool:
        """Whether a server is off that ran before, on purpose or not."""
        return bool(self.down) or self._kept_off

    def start_all(self, cancel: CancelFlag, but: Container[str | None] = ()) -> None:
        """Start all that shall run, except ``but``.  Never raises: tells what failed.

        ``cancel`` may be another one than that of the run, which may have been stopped.
        """
        for server_id in sorted(self.down):
            if server_id in but:
                continue
            try:
                self.start(server_id, cancel)
            except CaptureError as exc:
                self._progress.say(f"cannot start server {server_id}, start it by hand: {exc}")


def start(cloud: SourceCloud, server_id: str, cancel: CancelFlag) -> None:
    """Start a server that carries our mark, wait until it runs, and take the mark away.

    A server that runs already or is gone is not an error.  Raises CaptureError.
    """
    path = f"/servers/{server_id}"
    patience = Patience(cancel)
    while True:
        answer = cloud.get_or_none("compute", path)
        if answer is None:
            return
        server = answer["server"]
        if _rests_as(server, "ACTIVE"):
            break
        if server["status"] == "ERROR":
            raise CaptureError("the server is in ERROR", where=server_id)
        if _rests_as(server, "SHUTOFF"):
            with suppress(Busy):  # something began with it since we looked
                cloud.post("compute", f"{path}/action", {"os-start": None})
        patience.wait(f"starting server {server_id}")
    while not cloud.delete("compute", f"{path}/metadata/{marks.STOPPED}"):
        patience.wait(f"taking the mark from server {server_id}")


def _note(server_id: str) -> str:
    return f"stopped {server_id}"


def _rests_as(server: Mapping[str, Any], status: str) -> bool:
    return server["status"] == status and server.get("OS-EXT-STS:task_state") is None
