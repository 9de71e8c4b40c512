"""downpour's side, each in a process of its own: ``python -m tests.bench.work WORK …``.

Prints one JSON object.  Its peak of memory is its own, read at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path

from bundle_spec import BundleWriter, open_bundle
from bundle_spec.content_index import ContentIndex
from bundle_spec.journal import Journal as ChunkJournal
from bundle_spec.journal import Stored, place_of
from bundle_spec.store import CHECKPOINT_BYTES
from downpour_import.cloud import CloudOptions, connect
from downpour_import.journal import Journal
from downpour_import.recreate import RECREATORS, Context, recreate
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
    with closing(ChunkJournal(folder / "journal")) as journal:
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
                contents.stored(content, place)
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


def upload(bundle: Path, entry: str) -> dict[str, float]:
    """A bundle's only image into a cloud, as the upload module does it."""
    cloud = connect(CloudOptions(cloud=entry))
    with open_bundle(bundle) as reader, tempfile.TemporaryDirectory() as state:
        (image,) = reader.manifest.resources.images
        context = Context(
            cloud=cloud,
            journal=Journal(Path(state)),
            targets={},
            bundle_uuid=reader.manifest.uuid,
            bundle=bundle,
            manifest_sha256=reader.manifest_sha256,
        )
        recreate(RECREATORS["image"], context, image)
        return {"size": reader.manifest.disk(image.disk_id).size}


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

    work = works.add_parser("upload")
    work.add_argument("bundle", type=Path)
    work.add_argument("entry")
    work.set_defaults(run=lambda given: upload(given.bundle, given.entry))

    given = parser.parse_args()
    print(json.dumps({**given.run(given), "peak": own_peak()}))


if __name__ == "__main__":
    main()
