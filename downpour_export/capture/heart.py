"""An export tells on its objects that it lives, so that ``cleanup`` leaves them alone.

What each object's mark says when it is made is renewed on one of them, once a minute
(docs/adr/0023).
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from bundle_spec.progress import Progress
from downpour_export.capture import leftovers
from downpour_export.capture.moment import Kind
from downpour_export.capture.process import this_process
from downpour_export.cloud import SourceCloud, dated
from downpour_export.discover.marks import Life, Mark
from downpour_export.errors import CaptureError

EVERY = 60.0
"""Seconds between two signs of life; ``cleanup`` takes an export for dead after ten minutes."""

PATIENCE = 5.0
"""Seconds that the end waits for a sign of life that is on its way."""

TRIES = 3
"""How many objects are tried until one takes it."""


class Heart:
    """Of one export.  Thread-safe.  No failure of it ends the export."""

    def __init__(self, cloud: SourceCloud, bundle_uuid: str, progress: Progress) -> None:
        self._cloud = cloud
        self._uuid = bundle_uuid
        self._progress = progress
        self._lock = threading.Lock()
        self._objects: dict[str, Kind] = {}
        self._stopped = threading.Event()
        self._told = False
        self._clock: timedelta | None = None
        self._thread: threading.Thread | None = None

    def mark(self) -> str:
        """What the mark of a new object, or of a server that is stopped, says."""
        return self._mark(ended=False)

    def _mark(self, *, ended: bool) -> str:
        life = Life(at=self._now(), ended=ended, process=this_process())
        return str(Mark(bundle=self._uuid, life=life))

    def _now(self) -> datetime:
        """By the clock of the cloud, as far as it tells it: ours may be wrong."""
        ours = datetime.fromtimestamp(time.monotonic(), UTC)
        if self._clock is None:
            try:
                answer = self._cloud.request("image", "GET", "/images", params={"limit": 1})
                self._clock = dated(answer) - ours
            except CaptureError:
                return datetime.now(UTC)
        return ours + self._clock

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more signs of life.  Of what is left, ``cleanup`` need not wait for the end."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            if self._thread.is_alive():
                return  # the cloud does not answer
        self._beat(ended=True)

    def break_off(self) -> None:
        """As ``end``, without another request."""
        self._stopped.set()

    def carries(self, kind: Kind, identity: str, *, marked: bool = True) -> None:
        """The object is there.  ``marked``: its mark says already that this export lives."""
        with self._lock:
            self._objects[identity] = kind
        if not marked:
            self._try(kind, identity, self.mark())

    def gone(self, identity: str) -> None:
        with self._lock:
            self._objects.pop(identity, None)

    def _beat_on(self) -> None:
        while not self._stopped.wait(EVERY):
            self._beat(ended=False)

    def _beat(self, *, ended: bool) -> None:
        """One object is enough; the youngest is there for the longest."""
        with self._lock:
            objects = list(self._objects.items())[::-1]
        if not objects:
            return
        self._clock = None  # ours stands still while the machine sleeps
        mark = self._mark(ended=ended)
        if any(self._try(kind, identity, mark) for identity, kind in objects[:TRIES]) or ended:
            return
        if not self._told:
            self._told = True
            self._progress.say(
                "warning: the source takes no marks, so `downpour-export cleanup` on another "
                "machine may take this export for a dead one"
            )

    def _try(self, kind: Kind, identity: str, mark: str) -> bool:
        try:
            leftovers.write_mark(self._cloud, kind, identity, mark)
        except CaptureError:
            return False
        return True
