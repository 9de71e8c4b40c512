"""The events of a run as progress, counts and faults."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

from bundle_spec.model import Manifest
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.model.resources import RESOURCE_TYPES
from bundle_spec.progress import Progress, Task
from bundle_spec.text import as_word
from downpour_import.errors import RecreateError


class Watcher:
    """``states``: state -> number of resources.  ``failures``: the errors that ended the run.
    ``ended``: whether everything was tried.  ``sent``: bytes of disks.

    A context manager: leaving it ends every progress task that is still open.
    """

    def __init__(self, data: PlaybookData, manifest: Manifest, progress: Progress) -> None:
        self.states: Counter[str] = Counter()
        self.failures: list[RecreateError] = []
        self.ended = False
        self.sent = 0
        self._progress = progress
        self._sizes = {disk.id: disk.size for disk in manifest.disks}
        resources = data.resources
        self._disk_of: dict[str, str | None] = {
            **{image.id: image.disk_id for image in resources.images},
            **{volume.id: volume.disk_id for volume in resources.volumes},
            **{snapshot.id: snapshot.disk_id for snapshot in resources.volume_snapshots},
        }
        # A resource is one step; groups and subnets come a second time, for rules and DHCP.
        total = sum(1 for _ in resources)
        total += len(resources.security_groups) + len(resources.subnets)
        self._steps = progress.task("playbook steps", total, "resources")
        self._disks: dict[str, Task] = {}

    def on_event(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "resource":
                self._steps.advance(1)
                if event["type"] in RESOURCE_TYPES:
                    self.states[event["state"]] += 1
                self._tell(event)
            case "bytes":
                self.sent += event["amount"]
                self._disk(event).advance(event["amount"])
            case "uploaded":
                if event["id"] in self._disks:
                    self._disks.pop(event["id"]).__exit__(None, None, None)
                if event["type"] == "image":
                    self.states[event["state"]] += 1
                self._tell(event)
            case "note":
                self._progress.say(event["message"])
            case "outcome":
                self.ended = True
            case "failed":
                message, *lines = event["message"].split("\n")
                self.failures.append(RecreateError(message, where=_what(event), lines=lines))

    def _tell(self, event: dict[str, Any]) -> None:
        """Say at once what could not be made; the error at the end has all of it."""
        if event.get("message"):
            verb = "failed" if event["state"] == "failed" else "was not made"
            self._progress.note(f"{_what(event)} {verb}: {event['message']}")

    def _disk(self, event: dict[str, Any]) -> Task:
        if event["id"] not in self._disks:
            size = self._sizes.get(self._disk_of.get(event["id"]) or "")
            task = self._progress.task(
                f"upload {event['type']} {as_word(event['name'])}", size, "bytes"
            )
            self._disks[event["id"]] = task.__enter__()
        return self._disks[event["id"]]

    def __enter__(self) -> Self:
        self._steps.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        for task in self._disks.values():
            task.__exit__(*exc)
        self._steps.__exit__(*exc)


def _what(event: dict[str, Any]) -> str:
    kind = event["type"].replace("_", " ")
    return f"{kind} {event['name']!r}" if event["name"] else kind
