"""The journal: which resource was begun and what came of it, so that nothing is made twice.

``journal.jsonl`` in the state directory has one JSON object a line, each synced to disk before
the next step begins.  Several processes append to it; each line is written under a lock.
``uuids.csv`` has a row for each resource that stands with all that belongs to it, and is kept up to
date with the journal.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from bundle_spec.durable import BY_UMASK, write_atomically
from bundle_spec.medium import local_error
from bundle_spec.model import Ref
from bundle_spec.model.resources import RESOURCE_TYPES
from bundle_spec.private import open_own, read_own
from downpour_import.errors import StateError
from downpour_import.state.lines import append_line, whole_lines

Event = Literal["intent", "made", "reused", "done", "gone"]
"""``intent``: a POST may have been sent.  ``made``: its result is known.  ``reused``: the object
stood already.  ``done``: nothing more is to do.  ``gone``: the object is no longer there.

A line's event may also be ``refused``: the target did not take an optional attribute."""

CSV_HEADER = ("Resource Type", "Resource Name", "Old", "New")


@dataclass(frozen=True)
class Entry:
    """The last event of one resource of the source.  ``target``: its ID there, once known."""

    event: Event
    name: str
    target: str | None
    made: bool
    """Whether this bundle made it, so that undo may delete it; False if it was reused."""
    asked: int = field(default=0, compare=False)
    """How many POSTs were sent for it; all but one had no answer, and may have made something."""


class Journal:
    """The journal of one bundle in one project of one cloud.  Raises LocalError, StateError."""

    def __init__(self, state: Path) -> None:
        self.path = state / "journal.jsonl"
        self.csv_path = state / "uuids.csv"
        self._entries: dict[Ref, Entry] = {}
        self._refused: dict[Ref, dict[str, str]] = {}
        try:
            data = _bytes(self.path)
        except OSError as exc:
            raise local_error("cannot read the journal", exc, self.path) from exc
        # The step of a line that was torn is taken again.
        for number, line in enumerate(whole_lines(data), 1):
            try:
                self._apply(json.loads(line))
            except (ValueError, KeyError, TypeError) as exc:
                raise StateError(
                    "the journal is damaged",
                    where=f"{self.path}:{number}",
                    remedy="restore it from a copy, or import with another --state",
                ) from exc

    def entry(self, ref: Ref) -> Entry | None:
        return self._entries.get(ref)

    def target(self, ref: Ref) -> str | None:
        """The target's ID of a resource that was made or reused, and is not gone."""
        entry = self._entries.get(ref)
        return entry.target if entry and entry.event != "gone" else None

    def refused(self, ref: Ref) -> Mapping[str, str]:
        """What the target did not take of a resource that stands: attribute -> its message."""
        return self._refused.get(ref, {})

    def refuse(self, ref: Ref, name: str, attribute: str, message: str) -> None:
        """Note that the target did not take an attribute."""
        line = {"event": "refused", "type": ref.type, "id": ref.id, "name": name}
        line |= {"attribute": attribute, "message": message}
        with self._locked():
            self._append(self.path, json.dumps(line) + "\n")
            self._apply(line)

    def __iter__(self) -> Iterator[tuple[Ref, Entry]]:
        return iter(self._entries.items())

    def record(self, event: Event, ref: Ref, name: str, target: str | None = None) -> None:
        """Write one event, and the row of uuids.csv that follows from it, and sync both."""
        self._write(ref, _line(event, ref, name, target))

    def reuse(self, ref: Ref, name: str, target: str) -> None:
        """Write that ``target`` is used as it is, and nothing more is to do: ``reused`` and
        ``done`` at once, so that no kill comes between."""
        self._write(ref, _line("reused", ref, name, target), _line("done", ref, name, None))

    def _write(self, ref: Ref, *lines: dict[str, str]) -> None:
        with self._locked():
            before = self._entries.get(ref)
            self._append(self.path, "".join(json.dumps(line) + "\n" for line in lines))
            for line in lines:
                self._apply(line)
            if before and _has_row(ref, before):
                # It is out of date.  The file is read again: other processes wrote to it too.
                Journal(self.path.parent).write_csv()
            elif _has_row(ref, self._entries[ref]):
                self._append_row(ref)

    def _apply(self, line: dict[str, str]) -> None:
        ref = Ref(line["type"], line["id"])
        event, before = line["event"], self._entries.get(ref)
        if event == "refused":
            self._refused.setdefault(ref, {})[line["attribute"]] = line["message"]
            return
        if event not in get_args(Event):
            raise ValueError(event)
        target, made = line.get("target"), event == "made"
        asked = before.asked if before and before.event != "gone" else 0
        if event == "done" and before:
            target, made = before.target, before.made
        asked += event == "intent"
        self._entries[ref] = Entry(cast(Event, event), line["name"], target, made, asked)
        if event == "gone":
            self._refused.pop(ref, None)
            # Its later steps (DHCP of a subnet) must be done again to its replacement.
            for step in [other for other in self._entries if _is_step(other, ref)]:
                del self._entries[step]

    # --- uuids.csv ---

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Rows of uuids.csv: type, name, old ID, new ID."""
        for ref, entry in self._entries.items():
            if _has_row(ref, entry):
                yield _row(ref, entry)

    def write_csv(self, path: Path | None = None) -> None:
        """All of uuids.csv, atomically, to ``path`` or to its own place."""
        text = _csv(CSV_HEADER) + "".join(map(_csv, self.rows()))
        path = path or self.csv_path
        try:
            write_atomically(path, text.encode(), mode=BY_UMASK)
        except OSError as exc:
            raise local_error("cannot write", exc, path) from exc

    def _append_row(self, ref: Ref) -> None:
        header = "" if os.path.lexists(self.csv_path) else _csv(CSV_HEADER)
        self._append(self.csv_path, header + _csv(_row(ref, self._entries[ref])))

    @staticmethod
    def _append(path: Path, text: str) -> None:
        try:
            with _opened(path) as fd:
                append_line(fd, text.encode(), synced_in=path.parent)
        except OSError as exc:
            raise local_error("cannot write", exc, path) from exc

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self.path.with_name("journal.lock")
        with ExitStack() as stack:
            try:
                fcntl.flock(stack.enter_context(_opened(lock)), fcntl.LOCK_EX)
            except OSError as exc:
                raise local_error("cannot lock the journal", exc, lock) from exc
            yield


def _bytes(path: Path) -> bytes:
    # Not lexists, for which a file that cannot be looked at is not there.
    try:
        return read_own(path)
    except FileNotFoundError:
        return b""


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A file of ours to append to; made, where it is missing.  Raises OSError."""
    fd = open_own(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        yield fd
    finally:
        os.close(fd)


def _line(event: Event, ref: Ref, name: str, target: str | None) -> dict[str, str]:
    line = {"event": event, "type": ref.type, "id": ref.id, "name": name}
    return line if target is None else {**line, "target": target}


def _is_step(step: Ref, of: Ref) -> bool:
    """Whether ``step`` is a later step of ``of``: ``subnet_dhcp`` of a ``subnet``."""
    return (
        step.type not in RESOURCE_TYPES and step.type.startswith(f"{of.type}_") and step.id == of.id
    )


def _has_row(ref: Ref, entry: Entry) -> bool:
    return ref.type in RESOURCE_TYPES and entry.event == "done" and entry.target is not None


def _row(ref: Ref, entry: Entry) -> tuple[str, str, str, str]:
    return (ref.type.replace("_", " "), entry.name, ref.id, entry.target or "")


def _csv(row: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row)
    return out.getvalue()
