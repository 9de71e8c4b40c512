"""An export that notes when each of its steps began and ended, and how busy it was:
``python -m tests.bench.overlap RESOURCE_FILE BUNDLE STEPS``."""

from __future__ import annotations

import csv
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bundle_spec.progress import Task, Unit
from downpour_cloud import CloudOptions
from downpour_export.options import ExportOptions
from downpour_export.pipeline import export

COLUMNS = ("step", "unit", "began", "ended")
BUSY = "CPU"
"""The step of a row that says how many cores were busy: in ``unit``, a number."""

_LOOK = 0.25


@dataclass
class Noted:
    """Progress that is written down.  Seconds since it was made."""

    rows: list[tuple[str, str, float, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def task(self, label: str, total: int | None, unit: Unit) -> Task:
        return _Step(self, label, unit)

    def say(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def now(self) -> float:
        return time.monotonic() - self.began

    def add(self, step: str, unit: str, began: float) -> None:
        with self.lock:
            self.rows.append((step, unit, began, self.now()))


class _Step:
    def __init__(self, noted: Noted, label: str, unit: Unit) -> None:
        self._noted, self._label, self._unit = noted, label, unit
        self._began = noted.now()

    def advance(self, amount: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._noted.add(self._label, self._unit, self._began)


def _watch(noted: Noted, ended: threading.Event) -> None:
    before, began = time.process_time(), noted.now()
    while not ended.wait(_LOOK):
        now, cpu = noted.now(), time.process_time()
        noted.add(BUSY, f"{(cpu - before) / (now - began):.3f}", began)
        before, began = cpu, now


def main(resource_file: str, bundle: str, steps: str) -> None:
    noted, ended = Noted(), threading.Event()
    watching = threading.Thread(target=_watch, args=(noted, ended))
    watching.start()
    try:
        wanted = ExportOptions(
            resource_file=Path(resource_file), bundle=Path(bundle), cloud=CloudOptions()
        )
        export(wanted, noted)
    finally:
        ended.set()
        watching.join()
    with Path(steps).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for step, unit, began, end in sorted(noted.rows, key=lambda row: row[2]):
            writer.writerow((step, unit, f"{began:.2f}", f"{end:.2f}"))


if __name__ == "__main__":
    main(*sys.argv[1:])
