"""A state directory that an import keeps on a played machine, and the start that follows a cut."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from bundle_spec.model import Ref
from downpour_import.cloud import TargetCloud
from downpour_import.state import directory
from downpour_import.state.failures import Failure, Failures, Subject
from downpour_import.state.journal import CSV_HEADER, Event, Journal
from tests.unit.fake_cloud import FakeCloud

NAMES = ("net", 'a "quoted", name\nof two lines', "x" * 3000)
"""The last is longer than several sectors."""

TARGETS = {Ref("network", "public"): "t0", Ref("flavor", "small"): None}


def steps(name: str, number: int) -> list[tuple[Event, Ref, str, str | None]]:
    """What is recorded of one resource."""
    ref = Ref("network", f"n{number}")
    return [
        ("intent", ref, name, None),
        ("made", ref, name, f"t{number}"),
        ("done", ref, name, None),
    ]


def run(state: Path, promise: Callable[[str], None]) -> None:
    """The files of an import, as its steps write them."""
    cloud = TargetCloud(FakeCloud().connection)
    directory.bind(state, "b1", cloud, manifest_sha256="m1")
    promise("bound")
    directory.save_targets(state, TARGETS)
    promise("targets")
    Journal(state).write_csv()
    failures = Failures(state)
    failures.begin(isolate=True)
    for number, name in enumerate(NAMES):
        # As each action does: it is a process of its own.
        for event, ref, text, target in steps(name, number):
            Journal(state).record(event, ref, text, target)
            promise(f"{event} {ref.id}")
        failures.add(Failure(Subject(Ref("server", name), name), "server", "no room"))
    Journal(state).record("gone", Ref("network", "n0"), NAMES[0], "t0")
    promise("gone n0")
    Journal(state).write_csv()


_ORDER = ("intent", "made", "done", "gone")


def start(state: Path, promises: set[str]) -> None:
    """What the next start must find: each promised event or a later one, and go on."""
    cloud = TargetCloud(FakeCloud().connection)
    directory.bind(state, "b1", cloud, manifest_sha256="m1")
    if "targets" in promises:
        assert directory.load_targets(state) == TARGETS
    directory.save_targets(state, TARGETS)
    journal = Journal(state)
    for each in promises & {f"{event} n{i}" for event in _ORDER for i in range(len(NAMES))}:
        event, old = each.split()
        entry = journal.entry(Ref("network", old))
        assert entry is not None, each
        assert _ORDER.index(entry.event) >= _ORDER.index(event), (each, entry)
        assert event == "intent" or entry.target == old.replace("n", "t"), (each, entry)
    journal.write_csv()
    assert rows(state) == [list(CSV_HEADER), *map(list, journal.rows())]
    failures = Failures(state)
    failures.begin(isolate=True)
    assert failures.all() == ()
    finish(state)


def finish(state: Path) -> None:
    """Take the steps that are missing; then the files have what a run without a cut leaves."""
    for number, name in enumerate(NAMES):
        for event, ref, text, target in steps(name, number):
            entry = Journal(state).entry(ref)
            if entry is None or _ORDER.index(entry.event) < _ORDER.index(event):
                Journal(state).record(event, ref, text, target)
    assert {ref.id for ref, _ in Journal(state)} == {f"n{i}" for i in range(len(NAMES))}
    assert rows(state) == [list(CSV_HEADER), *map(list, Journal(state).rows())]


def rows(state: Path) -> list[list[str]]:
    """uuids.csv."""
    with (state / "uuids.csv").open(newline="") as file:
        return list(csv.reader(file))
