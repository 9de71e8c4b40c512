"""What takes long to measure: a thousand resources, a large disk, an index of millions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.bench import control_plane
from tests.bench.growth import disk_growth
from tests.bench.measure import said, work
from tests.bench.report import Measured, Row
from tests.bench.section import Bench, Scale, Section
from tests.devcloud import Devcloud

MIB = 1 << 20
REPEATS = 2

ROWS = {
    row.key: row
    for row in (
        *control_plane.rows_against_script("thousand", "1,000"),
        Row(
            "disk-time",
            "write a disk: time of each byte, of 16 GiB over 1 GiB",
            goal=1.2,
            note="Noise that does not compress and never repeats, made on the fly.",
        ),
        Row("disk-memory", "write a disk: memory, of 16 GiB over 1 GiB", goal=1.10),
        Row(
            "index-memory",
            "memory of an index of 20 million chunks",
            "bytes",
            goal=300 * MIB,
            note="The peak of a process that feeds random digests to the content index and the "
            "journal of a writer, as happens with chunks that never repeat, and then reads all "
            "back for the chunk lists and INDEX. Measured once.",
        ),
        Row(
            "index-time",
            "time of the index for each of them",
            "µs",
            note="The same process: the questions before and after compression, both entries with "
            "their commits, and reading back; making the digests is not counted.",
        ),
    )
}


@dataclass(frozen=True)
class Size:
    """Resources; bytes of the two disks; entries of the index."""

    count: int
    small: int
    large: int
    entries: int


SIZES: dict[Scale, Size] = {
    "full": Size(1000, 1024 * MIB, 16 * 1024 * MIB, 20_000_000),
    "quick": Size(50, 64 * MIB, 256 * MIB, 200_000),
    "tiny": Size(10, 16 * MIB, 32 * MIB, 20_000),
}


def measure(bench: Bench) -> Iterator[Measured]:
    size, clouds = SIZES[bench.scale], Devcloud(quiet=True)
    bench = replace(bench, repeats=min(bench.repeats, REPEATS))
    try:
        yield from control_plane.measure(bench, clouds, ROWS, "thousand", size.count)
    finally:
        clouds.down(["target"], wipe=True)
    yield from disk_growth(bench, ROWS, size.small, size.large)
    bench.say(f"index of {size.entries} chunks")
    told = said(work("index", bench.work, size.entries))
    yield Measured(ROWS["index-memory"], (told["peak"],))
    yield Measured(ROWS["index-time"], (told["seconds"] / size.entries * 1e6,))


SECTION = Section(
    name="large",
    title="What takes long",
    intro="A thousand resources into a real cloud, a large disk, and an index of millions of "
    "chunks: only `make bench LONG=1` measures them.",
    rows=tuple(ROWS.values()),
    tools=("qemu-img",),
    measure=measure,
    clouds=True,
    long=True,
)
