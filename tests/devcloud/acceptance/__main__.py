"""python -m tests.devcloud accept: the checks, in an order in which later ones build on
what earlier ones made, then everything they made is deleted."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from ..cloud import Cloud
from . import block_storage, clean, compute, identity, image, limits, network, snapshots
from .bench import Bench


def main(root: str) -> int:
    cloud = Cloud.load(Path(root))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(cloud, Path(folder))
        before = _files(cloud)
        for service in (identity, network, image, compute, block_storage, snapshots, limits):
            try:
                service.checks(bench)
            except Exception as error:  # something an earlier, failed check was to make
                bench.failed += 1
                print(f"{cloud.name} FAIL  {service.__name__} ended early: {error!r}")
        with bench.check("everything made here can be deleted, and leaves no file behind"):
            clean.everything(bench)
            assert _files(cloud) == before, _files(cloud) - before
    seconds = time.monotonic() - began
    print(f"{cloud.name}: {bench.passed} passed, {bench.failed} failed in {seconds:.0f} s")
    return 1 if bench.failed else 0


def _files(cloud: Cloud) -> set[str]:
    folders = ("images", "volumes", "instances")
    return {f"{f}/{name}" for f in folders for name in os.listdir(cloud.root / f)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
