"""``cleanup``: delete temporary objects, and start servers, that killed exports left."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.progress import Progress
from downpour_export.capture import power
from downpour_export.capture.cancel import CancelFlag
from downpour_export.capture.leftovers import (
    Leftover,
    StoppedServer,
    delete,
    stopped_servers,
    temporaries,
)
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureError, CaptureFaults


@dataclass(frozen=True)
class Leftovers:
    """``objects`` in the order in which they can be deleted."""

    objects: tuple[Leftover, ...]
    servers: tuple[StoppedServer, ...]

    def __bool__(self) -> bool:
        return bool(self.objects or self.servers)


def find(cloud: SourceCloud) -> Leftovers:
    """Everything in this project with the mark of any export.  Raises CaptureError."""
    return Leftovers(tuple(temporaries(cloud)), tuple(stopped_servers(cloud)))


def clean_up(cloud: SourceCloud, leftovers: Leftovers, progress: Progress) -> None:
    """Start the servers, then delete the objects.  Raises CaptureFaults with all that failed."""
    cancel = CancelFlag()
    faults: list[CaptureError] = []
    total = len(leftovers.servers) + len(leftovers.objects)
    with progress.task("clean up resources", total, "resources") as task:
        for server in leftovers.servers:
            try:
                power.start(cloud, server.id, cancel)
            except CaptureError as exc:
                faults.append(exc)
            task.advance(1)
        for leftover in leftovers.objects:
            try:
                delete(cloud, leftover.kind, leftover.id, cancel)
            except CaptureError as exc:
                faults.append(exc)
            task.advance(1)
    if faults:
        raise CaptureFaults(
            "not everything could be set right", faults, remedy="mend it and run cleanup again"
        )
