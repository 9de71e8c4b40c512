"""The import: many small resources, and one disk, into a real cloud.

Each side gets a cloud that has nothing in it yet.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bundle_spec import BundleWriter
from bundle_spec.model import Capture, Image, Resources
from tests.bench import control_plane, disks
from tests.bench.clouds import ENTRY, in_cloud, start
from tests.bench.measure import ROOT, Run, run, warm
from tests.bench.report import Measured, Row, Side
from tests.bench.section import Bench, Scale, Section
from tests.connect import connect
from tests.devcloud import Devcloud
from tests.unit.bundle.samples import content

MIB = 1 << 20
IMAGE = "0f0e0d0c-0000-4000-8000-000000000001"
REPEATS = 2
"""Of many resources: most of their minutes are the cloud's own."""

ROWS = {
    row.key: row
    for row in (
        *control_plane.rows_against_script("resources", "200"),
        *control_plane.rows_against_modules("resources", "200"),
        Row(
            "upload-time",
            "upload of 1 GiB: time",
            goal=0.7,
            note="An image out of the bundle into Glance, as the upload module does it: opened, "
            "decompressed, streamed, compared with Glance's hash; nothing is staged. By hand: "
            "`zstd -q -dc disk.zst > disk && openstack image create --file disk`.",
        ),
        Row(
            "upload-memory",
            "upload of 1 GiB: memory",
            "bytes",
            goal=150 * MIB,
            note="The peak of the process that uploads.",
        ),
    )
}


@dataclass(frozen=True)
class Size:
    count: int
    disk: int


SIZES: dict[Scale, Size] = {
    "full": Size(200, 1024 * MIB),
    "quick": Size(20, 64 * MIB),
    "tiny": Size(20, 24 * MIB),
}


def measure(bench: Bench) -> Iterator[Measured]:
    size, clouds = SIZES[bench.scale], Devcloud(quiet=True)
    twice = replace(bench, repeats=min(bench.repeats, REPEATS))
    try:
        yield from control_plane.measure(twice, clouds, ROWS, "resources", size.count)
        yield from _upload(bench, clouds, size.disk)
    finally:
        clouds.down(["target"], wipe=True)


def _upload(bench: Bench, clouds: Devcloud, size: int) -> Iterator[Measured]:
    (disk,) = disks.make(bench.work, size, 1)
    bundle, compressed = bench.work / "disk.dpbundle", bench.work / "disk.zst"
    _write_image(bundle, disk)
    run(["zstd", "-q", "-T2", "-3", disk, "-o", compressed], cwd=bench.work)
    disk.unlink()
    start(clouds)
    openstack = f"{clouds.venv}/bin/openstack"
    by_hand = (
        f"zstd -q -dc {compressed.name} > disk && {openstack} image create --file disk "
        "--disk-format raw --container-format bare disk && rm disk"
    )

    def ours() -> Run:
        command = [sys.executable, "-m", "tests.bench.uploading", str(bundle), ENTRY]
        return _emptied(clouds, in_cloud(clouds, ENTRY, command, ROOT))

    def hand() -> Run:
        return _emptied(clouds, in_cloud(clouds, ENTRY, ["sh", "-ec", by_hand], bench.work))

    warm([bundle, compressed])
    runs = bench.in_turn("upload", {"downpour": ours, "by hand": hand})
    took = Side.ours(runs["downpour"])
    yield Measured.ratio(ROWS["upload-time"], took, Side.by_hand(runs["by hand"]))
    yield Measured(ROWS["upload-memory"], tuple(float(each.peak) for each in runs["downpour"]))


def _write_image(bundle: Path, path: Path) -> None:
    hasher = hashlib.sha512()
    with BundleWriter(bundle) as writer:
        disk = writer.disk("raw", size_hint=path.stat().st_size)
        with path.open("rb", buffering=0) as file:
            while piece := file.read(MIB):
                disk.write(piece)
                hasher.update(piece)
        # As an export says it: what the source's Glance has told.
        capture = Capture(
            type="image",
            id=IMAGE,
            at="2026-01-02T03:04:05+00:00",
            consistency="idle",
            source_hash=f"sha512:{hasher.hexdigest()}",
        )
        image = Image(
            id=IMAGE,
            name="disk",
            disk_id=disk.finish(capture).id,
            disk_format="raw",
            container_format="bare",
        )
        writer.finish(content(Resources(images=(image,))))


def _emptied(clouds: Devcloud, done: Run) -> Run:
    cloud = connect(clouds, ENTRY)
    for image in cloud.image.images(owner=cloud.current_project_id):
        cloud.image.delete_image(image)
    return done


SECTION = Section(
    name="import",
    title="The import",
    intro="Into a real OpenStack cloud on the same machine (`tests/devcloud`), which takes part of "
    "its two cores: most of the time is the cloud's own.",
    rows=tuple(ROWS.values()),
    tools=("mkfs.ext4", "debugfs", "zstd", "qemu-img"),
    measure=measure,
    clouds=True,
)
