"""Set right what a killed export left at the source: temporary objects, and stopped servers."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.progress import Progress
from downpour_export.capture import leftovers, power
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.leftovers import Leftover, StoppedServer
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureError, CaptureFaults


@dataclass(frozen=True)
class Found:
    """``objects`` in the order in which they can be deleted."""

    objects: tuple[Leftover, ...]
    servers: tuple[StoppedServer, ...]

    def __bool__(self) -> bool:
        return bool(self.objects or self.servers)


def find(cloud: SourceCloud) -> Found:
    """What carries downpour's mark in this project, of any export.  Raises CaptureError."""
    return Found(
        tuple(leftovers.temporaries(cloud)),
        tuple(leftovers.stopped_servers(cloud)),
    )


def clean_up(cloud: SourceCloud, found: Found, progress: Progress) -> None:
    """Start the servers, then delete the objects.  Raises CaptureFaults with all that failed."""
    cancel = CancelFlag()
    faults: list[CaptureError] = []
    total = len(found.servers) + len(found.objects)
    with progress.task("clean-up", total, "resources") as task:
        for server in found.servers:
            try:
                power.start(cloud, server.id, cancel)
            except CaptureError as exc:
                faults.append(exc)
            task.advance(1)
        for each in found.objects:
            try:
                leftovers.delete(cloud, each.kind, each.id, cancel)
            except CaptureError as exc:
                faults.append(exc)
            task.advance(1)
    if faults:
        raise CaptureFaults(
            "not everything could be set right", faults, remedy="mend it and run cleanup again"
        )
