"""``cleanup``: delete temporary objects, and start servers, that killed exports left.

What an export needs that still runs is left alone.  How it is told (docs/adr/0023): its marks name
its process, which this machine may know to have ended; on any other machine, an export is alive
whose last sign of life is less than ten minutes old by the cloud's own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bundle_spec.progress import Progress
from bundle_spec.text import counted
from downpour_cloud import Service
from downpour_export.capture import power, process
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.leftovers import (
    Leftover,
    StoppedServer,
    delete,
    stopped_servers,
    temporaries,
)
from downpour_export.cloud import SourceCloud, dated
from downpour_export.errors import CaptureError, CaptureFaults, StillAlive, StillAliveFaults

ALIVE = timedelta(minutes=10)
"""How long after its last sign of life an export is taken for alive."""

_BEING_FILLED = frozenset({"queued", "saving", "uploading", "importing"})
"""States of an image that gets its bytes (Image API, "Image statuses")."""

_CLOCKS: tuple[tuple[Service, str], ...] = (
    ("image", "/images"),
    ("block_storage", "/volumes"),
    ("compute", "/servers"),
)


@dataclass(frozen=True)
class Leftovers:
    """``objects`` in the order in which they can be deleted."""

    objects: tuple[Leftover, ...]
    servers: tuple[StoppedServer, ...]

    def __bool__(self) -> bool:
        return bool(self.objects or self.servers)

    def that(self, wanted: Callable[[Leftover | StoppedServer], bool]) -> Leftovers:
        """Only those that are ``wanted``."""
        return Leftovers(tuple(filter(wanted, self.objects)), tuple(filter(wanted, self.servers)))

    def has(self, item: Leftover | StoppedServer) -> bool:
        return item.id in {each.id for each in self.all()}

    def all(self) -> list[Leftover | StoppedServer]:
        return [*self.objects, *self.servers]

    def of(self, bundle: str) -> Leftovers:
        return self.that(lambda each: each.bundle == bundle)

    @property
    def bundles(self) -> list[str]:
        return sorted({each.bundle for each in self.all()})


@dataclass(frozen=True)
class Found:
    """``dead``: what killed exports left.  ``live``: what exports need; one error for each says
    which, and since when it was heard of."""

    dead: Leftovers
    live: Leftovers
    faults: tuple[StillAlive, ...]

    def refuse_live(self) -> None:
        """Raises StillAlive, or StillAliveFaults, if an export lives."""
        if len(self.faults) == 1:
            raise self.faults[0]
        if self.faults:
            raise StillAliveFaults("exports need what they have at the source", self.faults)


def find(cloud: SourceCloud, *, also_live: bool = False) -> Found:
    """Everything in this project with the mark of any export.  Raises CaptureError.

    ``also_live``: take every export for dead.
    """
    everything = Leftovers(tuple(temporaries(cloud)), tuple(stopped_servers(cloud)))
    if also_live or not everything:
        return Found(everything, Leftovers((), ()), ())
    now = _now(cloud)
    faults = {}
    for bundle in everything.bundles:
        if fault := _still_alive(bundle, everything.of(bundle), now):
            faults[bundle] = fault
    return Found(
        everything.that(lambda each: each.bundle not in faults),
        everything.that(lambda each: each.bundle in faults),
        tuple(faults.values()),
    )


def _now(cloud: SourceCloud) -> datetime:
    """By the clock of the cloud; the earliest of its services', so that no export is taken for dead
    because one of them is fast."""
    return min(
        dated(cloud.request(service, "GET", path, params={"limit": 1})) for service, path in _CLOCKS
    )


def _still_alive(bundle: str, left: Leftovers, now: datetime) -> StillAlive | None:
    lives = [each.life for each in left.all() if each.life]
    if lives:
        last = max(lives, key=lambda life: (life.at, life.ended))
        at, runs_here = last.at, process.runs(last.process)
    else:
        # An image that Cinder makes gets its mark when it has its bytes.
        last, at, runs_here = None, _youngest(left.objects), None
    if any(each.kind == "image" and each.status in _BEING_FILLED for each in left.objects):
        at = now  # it bears no new mark before it has its bytes
    if (last and last.ended) or runs_here is False or (now - at > ALIVE and not runs_here):
        return None
    needed = counted(len(left.objects), "temporary object")
    if left.servers:
        needed += f" and {counted(len(left.servers), 'stopped server')}"
    if runs_here and last:
        seen, remedy = f"runs on this machine, as process {last.process.pid}", "wait for it"
    else:
        seen, remedy = _heard_of(at, now)
    return StillAlive(f"an export {seen}, and needs {needed}", where=bundle, remedy=remedy)


def _heard_of(at: datetime, now: datetime) -> tuple[str, str]:
    """What is known of it, and what to do."""
    ago = max(int((now - at).total_seconds()), 0)
    wait = max(int((ALIVE - (now - at)).total_seconds()) // 60 + 1, 1)
    return (
        f"was alive at {at:%Y-%m-%d %H:%M:%S} UTC, {ago} s ago",
        f"wait for it; if its machine is lost, clean up again in {wait} min, or with --also-live",
    )


def _youngest(objects: Iterable[Leftover]) -> datetime:
    times = [datetime.min.replace(tzinfo=UTC)]
    for each in objects:
        try:
            times.append(datetime.fromisoformat(each.created).replace(tzinfo=UTC))
        except ValueError:
            continue
    return max(times)


def clean_up(cloud: SourceCloud, leftovers: Leftovers, progress: Progress) -> None:
    """Start the servers, then delete the objects.  Raises CaptureFaults with all that failed."""
    cancel = CancelFlag()
    faults: list[CaptureError] = []
    total = len(leftovers.servers) + len(leftovers.objects)
    with progress.task("clean up resources", total, "resources") as task:
        for server in leftovers.servers:
            try:
                power.start(cloud, server.id, cancel, progress.say)
            except CaptureError as exc:
                faults.append(exc)
            task.advance(1)
        for leftover in leftovers.objects:
            try:
                size = leftover.gibibytes
                delete(cloud, leftover.kind, leftover.id, cancel, size, progress.say)
            except CaptureError as exc:
                faults.append(exc)
            task.advance(1)
    if faults:
        raise CaptureFaults(
            "not everything could be set right", faults, remedy="mend it and run cleanup again"
        )
