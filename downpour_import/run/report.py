"""The result of a run, for programs: ``report.json`` in the state directory, and ``--json``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bundle_spec.errors import DownpourError, Faults
from bundle_spec.model import Resource
from bundle_spec.text import json_text
from downpour_import.state.failures import Failure, Subject


@dataclass(frozen=True)
class Reported:
    """A resource.  ``old``: its ID at the source.  ``new``: on the target, None without one."""

    type: str
    name: str
    old: str
    new: str | None
    state: str


@dataclass
class Report:
    """Filled in while a run goes on, so that it is right wherever the run ends.

    ``counts``: state -> number of resources.  ``sent``: bytes of disks that this run sent to the
    target.  ``failures``: what it could not make, and what it did not try because of that.
    ``began``, ``ended``: seconds of ``time.monotonic``.  See docs/reference/report.md.
    """

    command: str
    complete: bool = False
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    bundle: str | None = None
    auth_url: str | None = None
    project_id: str | None = None
    state: Path | None = None
    uuids: Path | None = None
    log: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    taken: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    resources: list[Reported] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    failures: Sequence[Failure] = ()
    faults: list[dict[str, str | None]] = field(default_factory=list)

    def resource(self, record: Resource, target: str | None, state: str) -> None:
        self.resources.append(Reported(record.type, record.name, record.id, target, state))

    def failed(self, error: DownpourError) -> None:
        """Note the error that ended the run, each fault by itself."""
        faults: Iterable[DownpourError] = error.faults if isinstance(error, Faults) else (error,)
        self.faults += [
            {
                "where": None if fault.where is None else str(fault.where),
                "message": "\n".join((fault.message, *fault.lines)),
                "remedy": fault.remedy,
            }
            for fault in faults
        ]

    def interrupted(self) -> None:
        """Note that a person or a signal ended the run."""
        remedy = "run the same command again to go on"
        self.faults.append({"where": None, "message": "interrupted", "remedy": remedy})

    def as_json(self) -> dict[str, Any]:
        failed = [each for each in self.failures if not each.because]

        def text(path: Path | None) -> str | None:
            return None if path is None else str(path)

        return {
            "command": self.command,
            "complete": self.complete,
            "bundle": self.bundle,
            "target": {"auth_url": self.auth_url, "project_id": self.project_id},
            "state": text(self.state),
            "uuids": text(self.uuids),
            "log": text(self.log),
            "seconds": round((self.ended or time.monotonic()) - self.began, 1),
            "bytes": self.sent,
            "counts": dict(sorted(self.counts.items())),
            "taken": self.taken,
            "warnings": self.warnings,
            "resources": [asdict(resource) for resource in self.resources],
            "refused": self.refused,
            "failed": [_named(each.subject) | {"message": each.message} for each in failed],
            "not_made": [
                _named(each.subject) | {"message": each.message, "because": _named(each.because)}
                for each in self.failures
                if each.because
            ],
            "faults": self.faults,
        }

    def dumps(self) -> str:
        return json_text(self.as_json())


def _named(subject: Subject) -> dict[str, Any]:
    return {"type": subject.ref.type, "name": subject.name, "old": subject.ref.id}
