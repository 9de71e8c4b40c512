"""Where the time goes: whose the CPU of each path is, and what of an export overlaps."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from tests import many
from tests.bench import clouds as test_clouds
from tests.bench import plot, spy, whole
from tests.bench.clouds import ENTRY, in_cloud, program
from tests.bench.measure import ROOT
from tests.bench.report import Measured, Row
from tests.bench.section import Bench, Scale, Section
from tests.devcloud import Devcloud

PATHS = {
    "export": "export",
    "import": "import",
    "resources": "200 resources",
}
PLACES = ("the largest", "the second", "the third")
OVERLAP = "overlap"
COUNTS: dict[Scale, int] = {"full": 200, "quick": 20, "tiny": 10}

_NOTES = {
    "export": "Three servers and a volume, as above. Each share is one of all the CPU time of the "
    "command and of what it starts; py-spy looked a hundred times a second, and a look counts for "
    "the innermost function of ours, with what it calls in C. It takes some threads that only "
    "wait for awake, so that the shares are rough.",
    "import": "The same bundle into the other cloud.",
    "resources": "Networks, subnets, groups with ten rules each, ports, keypairs and volumes.",
}
ROWS = {
    row.key: row
    for row in (
        Row(
            f"{key}-{place}",
            f"{what}: {PLACES[place - 1]} cost",
            note=_NOTES[key] if place == 1 else "",
        )
        for key, what in PATHS.items()
        for place in (1, 2, 3)
    )
}


def measure(bench: Bench) -> Iterator[Measured]:
    clouds = Devcloud(quiet=True)
    try:
        clouds.down(wipe=True)
        clouds.up(owner=os.getpid())
        whole.make_tenant(bench, clouds)
        yield from _export(bench, clouds)
        command = [program("downpour-import"), "out.dpbundle", "--cloud", "target", "-q"]
        yield from _spied(bench, clouds, "import", "target", [*command, "--state", "state"])
        count = COUNTS[bench.scale]
        many.write_bundle(bench.work / "many.dpbundle", count)
        test_clouds.start(clouds)
        command = [program("downpour-import"), "many.dpbundle", "--cloud", ENTRY, "-q"]
        yield from _spied(bench, clouds, "resources", ENTRY, [*command, "--state", "state2"])
    finally:
        clouds.down(wipe=True)


def _export(bench: Bench, clouds: Devcloud) -> Iterator[Measured]:
    bundle, steps = bench.work / "out.dpbundle", bench.work / "steps.csv"
    command = [sys.executable, "-m", "tests.bench.overlap", f"{bench.work}/export.yml"]
    in_cloud(clouds, "source", [*command, bundle, steps], ROOT)
    if bench.out:
        kept = bench.out / "benchmarks" / f"{OVERLAP}.csv"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(steps, kept)
        plot.draw_overlap(kept, kept.with_suffix(".svg"))
    bundle.unlink()
    words = [program("downpour-export"), "export.yml", bundle.name, "-q"]
    yield from _spied(bench, clouds, "export", "source", words)


def _spied(
    bench: Bench, clouds: Devcloud, key: str, entry: str, command: list[str]
) -> Iterator[Measured]:
    """The three largest costs of a command."""
    bench.say(f"watching: {PATHS[key]}")
    stacks = bench.work / "stacks"
    in_cloud(clouds, entry, spy.spied(command, stacks), bench.work)
    for place, (whose, share) in enumerate(spy.costs(stacks)[: len(PLACES)], 1):
        yield Measured(ROWS[f"{key}-{place}"], (share,), whose)


SECTION = Section(
    name="profile",
    title="Where the time goes",
    intro="Whose the CPU is of each path, and, of an export of three servers and a volume, what "
    "goes on at the same time.",
    rows=tuple(ROWS.values()),
    tools=("mkfs.ext4", "debugfs", "qemu-img"),
    measure=measure,
    clouds=True,
    long=True,
    picture=OVERLAP,
)
