"""The bundle format: writing, verifying and reading disks, and the memory that it takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import disks
from tests.bench.format_rows import MIB, ROWS
from tests.bench.measure import ROOT, Run, run, said, warm, work
from tests.bench.report import Measured, Side
from tests.bench.section import Bench, Scale, Section

GIB = 1 << 30
CLONES = 3


@dataclass(frozen=True)
class Size:
    """Bytes of a disk, and of the two disks for the memory."""

    disk: int
    small: int
    large: int


SIZES: dict[Scale, Size] = {
    "full": Size(2 * GIB, GIB, 16 * GIB),
    "quick": Size(192 * MIB, 64 * MIB, 256 * MIB),
    "tiny": Size(24 * MIB, 32 * MIB, 64 * MIB),
}

COMPRESS = """zstd -q -T2 -3 {disks} --output-dir-flat by-hand
sync by-hand/*"""
SUM = "sha256sum {disks} > by-hand/SHA256SUMS"
OPENSSL = "openssl dgst -sha256 -r {disks} > by-hand/SHA256SUMS"


def measure(bench: Bench) -> Iterator[Measured]:
    size = SIZES[bench.scale]
    bench.say(f"making {CLONES} disks of {size.disk // MIB} MiB")
    raw = disks.make(bench.work, size.disk, CLONES)
    yield from _written(bench, "raw", raw)
    yield from _read(bench, raw)
    _empty(bench.work / "by-hand")
    bench.say("converting the disks to qcow2")
    qcow2 = []
    for disk in raw:
        qcow2.append(disks.convert(disk))
        disk.unlink()
    yield from _written(bench, "qcow2", qcow2)
    for path in [*qcow2, bench.work / "qcow2.dpbundle"]:
        path.unlink()
    _empty(bench.work / "by-hand")
    yield from _memory(bench, size)


def _written(bench: Bench, form: str, paths: list[Path]) -> Iterator[Measured]:
    """Time and size; leaves the bundle and what zstd made."""
    bundle, by_hand = bench.work / f"{form}.dpbundle", bench.work / "by-hand"
    names = " ".join(path.name for path in paths)

    def ours() -> Run:
        bundle.unlink(missing_ok=True)
        return work("write", bundle, form, *paths)

    def compress() -> Run:
        _empty(by_hand)
        return _shell(bench, COMPRESS.format(disks=names))

    by_hand.mkdir(exist_ok=True)
    warm(paths)
    runs = bench.in_turn(
        f"write {form}",
        {
            "downpour": ours,
            "zstd": compress,
            "sha256sum": lambda: _shell(bench, SUM.format(disks=names)),
            "openssl": lambda: _shell(bench, OPENSSL.format(disks=names)),
        },
    )
    took, frames_took = Side.ours(runs["downpour"]), Side.by_hand(runs["zstd"])
    for key, summed in ("time", "sha256sum"), ("time-openssl", "openssl"):
        row = ROWS[f"{form}-{key}"]
        yield Measured.ratio(row, took, frames_took + Side.by_hand(runs[summed]))
    frames = sum(path.stat().st_size for path in by_hand.glob("*.zst"))
    yield Measured.ratio(
        ROWS[f"{form}-size"], Side.sizes([bundle.stat().st_size]), Side.sizes([frames])
    )


def _read(bench: Bench, raw: list[Path]) -> Iterator[Measured]:
    bundle = bench.work / "raw.dpbundle"
    compressed = [Path("by-hand", f"{path.name}.zst") for path in raw]
    names = " ".join(map(str, compressed))
    warm([bundle, *(bench.work / path for path in compressed)])

    def verify(*options: str) -> Run:
        return run([sys.executable, "-m", "bundle_spec", "verify", *options, bundle], cwd=ROOT)

    runs = bench.in_turn(
        "verify",
        {
            "downpour": verify,
            "sha256sum": lambda: _shell(bench, f"sha256sum {bundle.name}"),
            "openssl": lambda: _shell(bench, f"openssl dgst -sha256 {bundle.name}"),
        },
    )
    for key, summed in ("verify-time", "sha256sum"), ("verify-time-openssl", "openssl"):
        took = Side.ours(runs["downpour"])
        yield Measured.ratio(ROWS[key], took, Side.by_hand(runs[summed]))
    sides = {
        "downpour": lambda: verify("--read-data"),
        "zstd": lambda: _shell(bench, f"zstd -q -t -T2 {names}"),
    }
    yield _ratio(bench, "read-data-time", sides)
    sides = {
        "downpour": lambda: work("read", bundle, f"{CLONES:04d}"),
        "zstd": lambda: _shell(bench, f"zstd -q -dc -T2 {compressed[-1]} > /dev/null"),
    }
    yield _ratio(bench, "read-out-time", sides)
    bundle.unlink()


def _memory(bench: Bench, size: Size) -> Iterator[Measured]:
    bundle = bench.work / "memory.dpbundle"

    def write(disk: int) -> float:
        peak = said(work("synthetic", bundle, disk, min(disk, size.small)))["peak"]
        bundle.unlink()
        return peak

    # One peak depends on how the threads happened to run, so it takes more of them.
    often = replace(bench, repeats=2 * bench.repeats - 1)
    sides = {"small": lambda: write(size.small), "large": lambda: write(size.large)}
    peaks = often.in_turn("memory", sides)
    yield Measured(ROWS["memory-small"], tuple(peaks["small"]))
    yield Measured(ROWS["memory-large"], tuple(peaks["large"]))
    pairs = zip(peaks["large"], peaks["small"], strict=True)
    yield Measured(ROWS["memory-growth"], tuple(large / small for large, small in pairs))


def _ratio(bench: Bench, key: str, sides: Mapping[str, Callable[[], Run]]) -> Measured:
    """The time of the first side over that of the second."""
    ours, other = bench.in_turn(ROWS[key].what, sides).values()
    return Measured.ratio(ROWS[key], Side.ours(ours), Side.by_hand(other))


def _shell(bench: Bench, script: str) -> Run:
    return run(["sh", "-ec", script], cwd=bench.work)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


SECTION = Section(
    name="format",
    title="The bundle format",
    intro="The disks: an ext4 file system of real files of the machine (three quarters of 2 GiB), "
    "cloned three times; in each clone other files took the place of 4 % of the bytes, chosen at "
    "random with a fixed seed.",
    rows=tuple(ROWS.values()),
    tools=("mkfs.ext4", "debugfs", "zstd", "sha256sum", "sync", "openssl", "qemu-img"),
    measure=measure,
    long=True,
)
