"""downpour's side, each in a process of its own: ``python -m tests.bench.work WORK …``.

Prints one JSON object.  Its peak of memory is its own, read at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path

from bundle_spec import BundleWriter, check_structure, open_bundle, summarise
from bundle_spec.show.summary_text import render
from bundle_spec.write.content_index import ContentIndex
from bundle_spec.write.journal import Journal, Stored, place_of
from bundle_spec.write.store import CHECKPOINT_BYTES
from downpour_export.playbook import playbook_files
from downpour_import.playbook.data import decode_data, parse_data
from downpour_import.source.select import select
from tests import many
from tests.bench.measure import own_peak
from tests.unit.bundle.samples import content

MIB = 1 << 20
JOBS = 2
"""Disks that the exporter reads at once if nothing else is said."""

INDEXED_CHUNK = 64 << 10
DISKS_OF_INDEX = 32
COMMITTED = CHECKPOINT_BYTES // INDEXED_CHUNK
"""Chunks that do not compress, between two checkpoints."""


def write(bundle: Path, disk_format: str, disks: list[Path]) -> dict[str, float]:
    """A bundle of the disks, verified and synced, as the exporter makes it."""
    with BundleWriter(bundle) as writer, ThreadPoolExecutor(JOBS) as pool:

        def copy(path: Path) -> None:
            disk = writer.disk(disk_format, size_hint=path.stat().st_size)
            with path.open("rb", buffering=0) as file:
                while piece := file.read(MIB):
                    disk.write(piece)
            disk.finish()

        for _ in pool.map(copy, disks):
            pass
        return {"size": writer.finish(content()).size}


def read(bundle: Path, disk_id: str) -> dict[str, float]:
    """All bytes of a disk, to nowhere."""
    size = 0
    with open_bundle(bundle) as reader, Path("/dev/null").open("wb", buffering=0) as nowhere:
        for piece in reader.disk(disk_id).stream():
            size += nowhere.write(piece)
    return {"size": size}


def synthetic(bundle: Path, size: int, unique: int) -> dict[str, float]:
    """A raw disk that is never a file: ``unique`` bytes that do not repeat, then what does."""
    with BundleWriter(bundle) as writer:
        disk = writer.disk("raw", size_hint=size)
        for piece in _pieces(size // MIB, unique // MIB):
            disk.write(piece)
        disk.finish()
        return {"size": writer.finish(content()).size}


def _pieces(count: int, unique: int) -> Iterator[bytes]:
    """``count`` MiB: the first ``unique`` but for every sixteenth noise, the rest zeros and old."""
    chance = random.Random(7)
    zeros, old = bytes(MIB), chance.randbytes(MIB)
    for number in range(count):
        if number < unique and number % 16:
            yield chance.randbytes(MIB)
        else:
            yield old if number % 2 else zeros


def index(folder: Path, entries: int) -> dict[str, float]:
    """Only what a writer remembers of its chunks, as many as a bundle of some terabytes has.

    All that knows how the index and the journal are called stands here.  Making the digests is
    not counted.
    """
    chance = random.Random(7)
    of_each = -(-entries // DISKS_OF_INDEX)
    disks = [f"{number:04d}" for number in range(1, DISKS_OF_INDEX + 1)]
    contents = ContentIndex(folder / "index")
    seconds = 0.0
    with closing(Journal(folder / "journal")) as journal:
        for first in range(0, entries, COMMITTED):
            numbers = range(first, min(first + COMMITTED, entries))
            digests = [chance.randbytes(32) for _ in numbers]
            began = time.perf_counter()
            for number, content in zip(numbers, digests, strict=True):
                # As the writer does: asked before the compression, and again when it is placed.
                contents.find(content)
                contents.find(content)
                disk, of_disk = divmod(number, of_each)
                place = place_of(disks[disk], of_disk)
                at = number * INDEXED_CHUNK
                journal.add_stored(at, Stored(place, content, at, INDEXED_CHUNK, content))
                contents.add(content, place)
            journal.commit()
            seconds += time.perf_counter() - began
        began = time.perf_counter()
        for name in disks:
            # Once for its chunk list, once for INDEX.
            for _ in chain(journal.frames(name), journal.frames(name)):
                pass
        seconds += time.perf_counter() - began
    contents.close()
    return {"seconds": seconds}


def growth(folder: Path, count: int) -> dict[str, float]:
    """Seconds that each thing takes that looks at all of so many resources."""
    bundle = folder / f"{count}.dpbundle"
    bundle.unlink(missing_ok=True)
    many.write_bundle(bundle, count)
    seconds: dict[str, float] = {}

    def timed(key: str, act: Callable[[], object]) -> None:
        began = time.perf_counter()
        act()
        seconds[key] = time.perf_counter() - began

    timed("show", lambda: render(summarise(bundle)))
    timed("verify", lambda: check_structure(bundle))
    with open_bundle(bundle) as reader:
        manifest, text = reader.manifest, reader.read_file("playbook/resources.yml")
    timed("playbook", lambda: playbook_files(manifest.uuid, many.content(count)))

    def read() -> None:
        data = decode_data(parse_data(text, "resources.yml"), "resources.yml")
        select(data, ["port/port-0"], [])

    timed("read", read)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work", description=__doc__)
    works = parser.add_subparsers(required=True, metavar="WORK")

    work = works.add_parser("write")
    work.add_argument("bundle", type=Path)
    work.add_argument("disk_format")
    work.add_argument("disks", type=Path, nargs="+")
    work.set_defaults(run=lambda given: write(given.bundle, given.disk_format, given.disks))

    work = works.add_parser("read")
    work.add_argument("bundle", type=Path)
    work.add_argument("disk_id")
    work.set_defaults(run=lambda given: read(given.bundle, given.disk_id))

    work = works.add_parser("synthetic")
    work.add_argument("bundle", type=Path)
    work.add_argument("size", type=int)
    work.add_argument("unique", type=int)
    work.set_defaults(run=lambda given: synthetic(given.bundle, given.size, given.unique))

    work = works.add_parser("index")
    work.add_argument("folder", type=Path)
    work.add_argument("entries", type=int)
    work.set_defaults(run=lambda given: index(given.folder, given.entries))

    work = works.add_parser("growth")
    work.add_argument("folder", type=Path)
    work.add_argument("count", type=int)
    work.set_defaults(run=lambda given: growth(given.folder, given.count))

    given = parser.parse_args()
    print(json.dumps({**given.run(given), "peak": own_peak()}))


if __name__ == "__main__":
    main()
