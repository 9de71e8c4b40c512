"""Stop servers for their capture, and start those again that are not to stay off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from typing import Any

from bundle_spec import BundleWriter
from bundle_spec.progress import Progress
from bundle_spec.write.journal import LASTING
from downpour_export.capture import leftovers
from downpour_export.capture.cancel import CancelFlag, Polling
from downpour_export.capture.heart import Heart
from downpour_export.capture.lost import Tries
from downpour_export.capture.moment import now
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks
from downpour_export.errors import Busy, CaptureError, Unanswered
from downpour_export.plan import StopMode


class Power:
    """The servers that an export stops.  Thread-safe.

    A server that is stopped ``during`` its capture gets a mark before it is stopped and keeps it
    until it runs: if this run is killed, the next one or ``cleanup`` finds and starts it.
    """

    def __init__(
        self,
        cloud: SourceCloud,
        writer: BundleWriter,
        stops: Mapping[str, StopMode],
        heart: Heart,
        cancel: CancelFlag,
        progress: Progress,
    ):
        self._cloud = cloud
        self._writer = writer
        self._stops = stops
        self._heart = heart
        self._cancel = cancel
        self._progress = progress
        self._lock = threading.Lock()
        self._down: set[str] = set()
        self._names: dict[str, str] = {}
        self._kept_off = False
        self.stopped_any = False
        """Whether this run has stopped a server, or was about to."""

    def ran_before(self, server_id: str) -> bool:
        """Whether this export, or an earlier run of it, stopped the server."""
        return self._writer.recall(_journal_key(server_id)) is not None

    def adopt(self, servers: Iterable[str]) -> None:
        """Take over the marked servers that an earlier run of this bundle stopped.

        ``servers``: those of the plan.  One that was stopped for good has no mark; only the journal
        knows that it ran.
        """
        notes = {self._writer.recall(_journal_key(server_id)) for server_id in servers}
        self._kept_off = self._kept_off or "keep" in notes
        bundle = leftovers.short(self._writer.uuid)
        names = {
            server.id: server.name
            for server in leftovers.stopped_servers(self._cloud)
            if server.bundle == bundle
        }
        for server_id in names:
            if not self.ran_before(server_id):  # the journal may be newer than the mark
                self._writer.remember(_journal_key(server_id), "during")
            with suppress(CaptureError):
                self._mark(server_id)  # it is this run's process that lives
        with self._lock:
            self._names |= names
            self._down |= names.keys()

    def stop(self, server_id: str) -> None:
        """Stop the server if the plan says so, and wait until it is off.  Raises CaptureError."""
        how = self._stops.get(server_id)
        if how is None:
            return
        polling = Polling(self._cancel, tell=self._progress.say)
        while (server := self._fetch(server_id)).get("OS-EXT-STS:task_state") is not None:
            polling.wait(f"another task of server {server['name']!r}")
        if server["status"] == "SHUTOFF":
            return
        if self.ran_before(server_id):
            self._tell_again(server_id, server["name"])
        self._writer.remember(_journal_key(server_id), how)
        self._writer.checkpoint()
        self.stopped_any = True
        if how == "keep":
            self._kept_off = True
        else:
            with self._lock:
                self._names[server_id] = server["name"]
                self._down.add(server_id)
            self._mark(server_id)
        with self._progress.task(f"stop server {server['name']}", None, "time"):
            self._turn_off(server_id, server["name"])

    def note_removed(self, server_id: str, why: str) -> None:
        """Remember why there are no snapshots of a server, if this bundle stopped it for them.

        ``why``: what the run did that removed them, "was interrupted".
        """
        if self.ran_before(server_id):
            self._writer.remember(_removed_key(server_id), f"{why} at {now()}")

    def _tell_again(self, server_id: str, name: str) -> None:
        when = self._writer.recall(_removed_key(server_id))
        why = "what that run captured of it cannot be gone on with"
        if when is not None:
            why = f"its snapshots were removed when that run {when}; --pause keeps complete ones"
        self._progress.say(
            f"server {name!r} is stopped again, as by an earlier run of this bundle: {why}"
        )

    def _mark(self, server_id: str) -> None:
        """To set a mark twice does no harm.  One that arrives when the server runs again is taken
        away by the next run of this bundle, or by ``cleanup``."""
        body = {"metadata": {marks.STOPPED: self._heart.mark()}}
        tries = Tries()
        while True:
            try:
                self._cloud.post("compute", f"/servers/{server_id}/metadata", body)
                return
            except Unanswered as exc:
                tries.lose(exc)
                self._cancel.sleep(Polling.FIRST)

    def _turn_off(self, server_id: str, name: str) -> None:
        polling = Polling(self._cancel, tell=self._progress.say)
        tries, asked = Tries(), False
        while not _is_settled(server := self._fetch(server_id), "SHUTOFF"):
            if not asked and tries.due and server.get("OS-EXT-STS:task_state") is None:
                self._cancel.check()
                try:
                    self._cloud.post("compute", f"/servers/{server_id}/action", {"os-stop": None})
                    asked = True
                except Busy:
                    if not tries.lost:
                        raise
                    asked = True  # the try before has arrived
                except Unanswered as exc:
                    tries.lose(exc)
            polling.wait(f"server {name!r} to stop")

    def _fetch(self, server_id: str) -> Any:
        return self._cloud.get("compute", f"/servers/{server_id}")["server"]

    def start(self, server_id: str, cancel: CancelFlag | None = None) -> None:
        """Start a server that was stopped, and wait until it runs.  Raises CaptureError."""
        with self._progress.task(f"start server {self._names.get(server_id)}", None, "time"):
            start(self._cloud, server_id, cancel or self._cancel, self._progress.say)
        with self._lock:
            self._down.discard(server_id)

    @property
    def down(self) -> frozenset[str]:
        """The IDs of servers that were stopped ``during`` their capture and do not run yet."""
        with self._lock:
            return frozenset(self._down)

    @property
    def changed(self) -> bool:
        """Whether any server is off that ran before, also one that the plan keeps off."""
        return bool(self.down) or self._kept_off

    def start_all(
        self, cancel: CancelFlag, skip: Container[str | None] = (), *, remedy: str
    ) -> None:
        """Start all servers that are ``down``, except ``skip``; reports failures and raises none.

        ``cancel``: not that of the run, where this has to work after the run was cancelled.
        ``remedy``: what a person does about a failure.
        """
        for server_id in sorted(self.down):
            if server_id in skip:
                continue
            try:
                self.start(server_id, cancel)
            except CaptureError as exc:
                name = self._names.get(server_id)
                self._progress.say(f"cannot start server {name!r} ({server_id}): {exc}; {remedy}")


def start(
    cloud: SourceCloud,
    server_id: str,
    cancel: CancelFlag,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Start a server that carries our mark, wait until it runs, and take the mark away.

    It is no error if the server runs already or is gone.  ``tell``: see Polling.  Raises
    CaptureError.
    """
    path = f"/servers/{server_id}"
    polling = Polling(cancel, tell=tell)
    tries = Tries()
    while True:
        answer = cloud.get_or_none("compute", path)
        if answer is None:
            return
        server = answer["server"]
        if _is_settled(server, "ACTIVE"):
            break
        if server["status"] == "ERROR":
            raise CaptureError("the server is in ERROR", where=server_id)
        if _is_settled(server, "SHUTOFF") and tries.due:
            try:
                cloud.post("compute", f"{path}/action", {"os-start": None})
            except Busy:  # another task of the server began since the GET
                pass
            except Unanswered as exc:
                tries.lose(exc)
        polling.wait(f"server {server['name']!r} to start")
    while not cloud.delete("compute", f"{path}/metadata/{marks.STOPPED}"):
        polling.wait(f"the mark of server {server_id} to go")


def _journal_key(server_id: str) -> str:
    return f"{LASTING}stopped {server_id}"


def _removed_key(server_id: str) -> str:
    return f"removed snapshots of {server_id}"


def _is_settled(server: Mapping[str, Any], status: str) -> bool:
    """Whether it has this status and no task of Nova is going to change it."""
    return server["status"] == status and server.get("OS-EXT-STS:task_state") is None
