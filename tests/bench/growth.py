"""What grows with the number of resources, and with the size of a disk, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.bench.measure import said, work
from tests.bench.report import Measured, Row
from tests.bench.section import Bench, Scale, Section

MIB = 1 << 20
OPERATIONS = {
    "show": "show",
    "verify": "verify, quick",
    "playbook": "playbook generation",
    "read": "playbook data read, and one port's world selected",
}


def _rows() -> Iterator[Row]:
    for key, what in OPERATIONS.items():
        yield Row(
            f"{key}-growth",
            f"{what}: time of each resource, of 10,000 over 1,000",
            goal=1.3,
            note="1 is linear." if key == "show" else "",
        )
        yield Row(f"{key}-seconds", f"… {what} of 10,000", "s")
    yield Row(
        "disk-time",
        "write a disk: time of each byte, of 4 GiB over 1 GiB",
        goal=1.2,
        note="Noise that does not compress and never repeats, made on the fly.",
    )
    yield Row("disk-memory", "write a disk: memory, of 4 GiB over 1 GiB", goal=1.10)


ROWS = {row.key: row for row in _rows()}


@dataclass(frozen=True)
class Size:
    """``counts``: resources of manifests, each ten times the one before.  ``disk``: bytes."""

    counts: tuple[int, ...]
    disk: int


SIZES: dict[Scale, Size] = {
    "full": Size((10, 100, 1000, 10_000), 1024 * MIB),
    "quick": Size((10, 100, 1000), 64 * MIB),
    "tiny": Size((10, 100), 16 * MIB),
}


def measure(bench: Bench) -> Iterator[Measured]:
    size = SIZES[bench.scale]
    sides = {str(count): _of_count(bench, count) for count in size.counts}
    found = bench.in_turn("resources", sides)
    small, large = (found[str(count)] for count in size.counts[-2:])
    for key in OPERATIONS:
        pairs = zip(large, small, strict=True)
        ratios = tuple(many[key] / few[key] / 10 for many, few in pairs)
        yield Measured(ROWS[f"{key}-growth"], ratios)
        yield Measured(ROWS[f"{key}-seconds"], tuple(each[key] for each in large))
    yield from disk_growth(bench, ROWS, size.disk, 4 * size.disk)


def disk_growth(
    bench: Bench, rows: Mapping[str, Row], small: int, large: int
) -> Iterator[Measured]:
    """Time and memory to write ``large`` bytes that never repeat, over those for ``small``."""
    bundle = bench.work / "disk.dpbundle"

    def write(disk: int) -> tuple[float, float]:
        done = work("synthetic", bundle, disk, disk)
        bundle.unlink()
        return done.seconds, said(done)["peak"]

    runs = bench.in_turn("disk", {"small": lambda: write(small), "large": lambda: write(large)})
    pairs = list(zip(runs["large"], runs["small"], strict=True))
    ratio = small / large
    yield Measured(rows["disk-time"], tuple(more[0] / less[0] * ratio for more, less in pairs))
    yield Measured(rows["disk-memory"], tuple(more[1] / less[1] for more, less in pairs))


def _of_count(bench: Bench, count: int) -> Callable[[], dict[str, float]]:
    def measured() -> dict[str, float]:
        return said(work("growth", bench.work, count))

    return measured


SECTION = Section(
    name="growth",
    title="Growth",
    intro="Manifests of 10, 100, 1,000 and 10,000 resources (networks, subnets, groups with ten "
    "rules each, ports, keys, volumes), and disks.",
    rows=tuple(ROWS.values()),
    tools=(),
    measure=measure,
)
