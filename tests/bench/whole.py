"""The whole way, against the commands that one would type: out of a real cloud, into another."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bundle_spec import open_bundle
from bundle_spec.form.manifest_text import format_manifest
from bundle_spec.trust import signature
from bundle_spec.trust.signature import Signers
from tests.bench import disks
from tests.bench.clouds import in_cloud, program
from tests.bench.measure import Run, run
from tests.bench.report import Measured, Row, Side
from tests.bench.section import Bench, Scale, Section
from tests.connect import connect
from tests.devcloud import Devcloud

MIB = 1 << 20

ROWS = {
    row.key: row
    for row in (
        Row(
            "export-time",
            "export: time",
            goal=0.8,
            note="Three servers that were booted from one image and whose disks of 1 GiB are its "
            "clones with 4 % of the bytes replaced, and a volume of 1 GiB, out of a real cloud. By "
            "hand: `openstack server image create --wait`, `openstack image save` and `delete` for "
            "each server, the same by way of a snapshot and a second volume for the volume, then "
            "`sha256sum`, `zstd -q -T2 -3 --rm`, `tar`, and `sync` because downpour syncs too. It "
            "carries the disks and nothing else; downpour also finds and carries networks, ports, "
            "groups and keys, and verifies what it wrote.",
        ),
        Row("export-time-openssl", "… with a fast sum by hand"),
        Row("export-size", "export: bytes on the medium", goal=0.60),
        Row(
            "export-scratch",
            "export: scratch disk",
            "bytes",
            goal=16 * MIB,
            note="The most that lay in the working directory at once beside what stays there: of "
            "downpour its journal, of the commands the raw disks.",
        ),
        Row("export-scratch-hand", "… of the commands", "bytes"),
        Row(
            "export-signed",
            "signing, and checking it, over the export",
            goal=0.01,
            note="`ssh-keygen -Y` over the manifest of that bundle, once to sign and four times to "
            "check, against the median of the exports.",
        ),
        Row(
            "export-encrypted",
            "export with encryption over one without",
            goal=1.3,
            note="The same export with `--encrypt-to`, and its peak of resident memory.",
        ),
        Row("export-encrypted-memory", "… its memory", "bytes", goal=200 * MIB),
        Row(
            "import-time",
            "import: time",
            goal=0.7,
            note="The same bundle into an empty cloud. By hand: `tar x`, `zstd -d --rm`, "
            "`sha256sum -c`, a network and a subnet, `openstack image create` for each disk, "
            "`openstack volume create --image`, and `openstack server create --wait`. downpour "
            "also verifies the bundle, makes all that belongs to the servers, and reads every "
            "resource back.",
        ),
        Row("import-scratch", "import: scratch disk", "bytes", goal=16 * MIB),
        Row("import-scratch-hand", "… of the commands", "bytes"),
    )
}

EXPORT_BY_HAND = """
mkdir hand; cd hand
for number in {servers}; do
  {openstack} server image create --name snap --wait server$number > log
  {openstack} image save --file server$number.img snap
  {openstack} image delete snap
done
{openstack} volume snapshot create --volume data snap >> log
until {openstack} volume snapshot show -c status -f value snap | grep -q available; do sleep 1; done
{openstack} volume create --snapshot snap --size 1 copy >> log
until {openstack} volume show -c status -f value copy | grep -q available; do sleep 1; done
{openstack} image create --volume copy --disk-format raw --container-format bare snap >> log
until {openstack} image show -c status -f value snap | grep -q active; do sleep 1; done
{openstack} image save --file data.img snap
{openstack} image delete snap
until {openstack} volume show -c status -f value copy | grep -q available; do sleep 1; done
{openstack} volume delete copy
until ! {openstack} volume show copy > /dev/null 2>&1; do sleep 1; done
{openstack} volume snapshot delete snap
began=$(date +%s.%N)
sha256sum *.img > SHA256SUMS
between=$(date +%s.%N)
openssl dgst -sha256 -r *.img > /dev/null
echo $began $between $(date +%s.%N)
zstd -q -T2 -3 --rm *.img
tar cf ../hand.tar SHA256SUMS *.zst
cd ..
rm -r hand
sync hand.tar
"""
IMPORT_BY_HAND = """
mkdir hand; cd hand
tar xf ../hand.tar
zstd -q -d --rm *.zst
sha256sum -c --quiet SHA256SUMS
{openstack} network create net > log
{openstack} subnet create --network net --subnet-range 10.0.0.0/24 sub >> log
for number in {servers}; do
  {openstack} image create --file server$number.img --disk-format raw --container-format bare \\
    image$number >> log
  {openstack} server create --image image$number --flavor g.1c-512m --network net --wait \\
    server$number >> log
done
{openstack} image create --file data.img --disk-format raw --container-format bare data >> log
{openstack} volume create --image data --size 1 data >> log
until {openstack} volume show -c status -f value data | grep -q available; do sleep 1; done
cd ..
rm -r hand
"""


@dataclass(frozen=True)
class Crossed:
    """``size``: bytes of what stays.  ``scratch``: bytes that were there at once beside it."""

    run: Run
    size: int
    scratch: float


@dataclass(frozen=True)
class Size:
    """``disk``: bytes of each."""

    servers: int
    disk: int


SIZES: dict[Scale, Size] = {
    "full": Size(3, 1024 * MIB),
    "quick": Size(1, 128 * MIB),
    "tiny": Size(1, 32 * MIB),
}
REPEATS = 2
"""Each takes minutes, and most of them are the clouds' own."""


def measure(bench: Bench) -> Iterator[Measured]:
    clouds = Devcloud(quiet=True)
    bench = replace(bench, repeats=min(bench.repeats, REPEATS))
    try:
        clouds.down(wipe=True)
        clouds.up(owner=os.getpid())
        make_tenant(bench, clouds)
        yield from _export(bench, clouds)
        yield from _import(bench, clouds)
    finally:
        clouds.down(wipe=True)


def make_tenant(bench: Bench, clouds: Devcloud) -> None:
    """Servers with clones for disks; the cloud's files are written as guests would have done."""
    source, cloud = clouds.cloud("source"), connect(clouds, "source")
    size = SIZES[bench.scale]
    bench.say(f"making {size.servers} servers and a volume of {size.disk // MIB} MiB")
    *raw, last = disks.make(bench.work, size.disk, size.servers + 1)
    image = cloud.image.create_image(
        "base", filename=str(raw[0]), disk_format="raw", container_format="bare", wait=True
    )
    network = cloud.network.create_network(name="net")
    cloud.network.create_subnet(name="sub", network_id=network.id, ip_version=4, cidr="10.0.0.0/24")
    for number, disk in enumerate(raw, 1):
        server = cloud.compute.create_server(
            name=f"server{number}",
            image_id=image.id,
            flavor_id=cloud.compute.find_flavor("m1.tiny").id,
            networks=[{"uuid": network.id}],
        )
        cloud.compute.wait_for_server(server, wait=180, interval=0.3)
        _overwrite(source.server_disk(server.id), disk)
    volume = cloud.block_storage.create_volume(name="data", size=1)
    cloud.block_storage.wait_for_status(volume, interval=0.3, wait=120)
    _overwrite(source.volume_file(volume.id), last)
    for disk in (*raw, last):
        disk.unlink()
    names = "".join(f"  - name: server{n}\n" for n in range(1, size.servers + 1))
    (bench.work / "export.yml").write_text(f"volumes:\n  - name: data\nservers:\n{names}")


def _overwrite(place: Path, disk: Path) -> None:
    with place.open("r+b") as file, disk.open("rb") as new:
        shutil.copyfileobj(new, file, MIB)


def _export(bench: Bench, clouds: Devcloud) -> Iterator[Measured]:
    bundle, tar = bench.work / "out.dpbundle", bench.work / "hand.tar"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], cwd=bench.work)

    def ours(path: Path, *options: str) -> Crossed:
        path.unlink(missing_ok=True)
        words = [program("downpour-export"), "export.yml", path.name, "-q", *options]
        return _crossed(bench, path, lambda: in_cloud(clouds, "source", words, bench.work))

    def hand() -> Crossed:
        tar.unlink(missing_ok=True)
        script = EXPORT_BY_HAND.format(openstack=_cli(clouds), servers=_numbers(bench))
        words = ["sh", "-ec", script]
        return _crossed(bench, tar, lambda: in_cloud(clouds, "source", words, bench.work))

    age = bench.work / "out.age"
    runs = bench.in_turn(
        "export",
        {
            "encrypted": lambda: ours(age, "--encrypt-to", "key.pub"),
            "by hand": hand,
            "downpour": lambda: ours(bundle),
        },
    )
    age.unlink()
    took = _side(runs["downpour"])
    for key, summed in ("export-time", 0), ("export-time-openssl", 1):
        yield Measured.ratio(ROWS[key], took, _with_one_sum(runs["by hand"], summed))
    sizes = (Side.sizes([each.size for each in runs[side]]) for side in ("downpour", "by hand"))
    yield Measured.ratio(ROWS["export-size"], *sizes)
    yield from _scratch("export", runs["downpour"], runs["by hand"])
    seconds = _signing(bench, bundle)
    signing = tuple(seconds / each for each in took.values)
    yield Measured(ROWS["export-signed"], signing)
    yield Measured.ratio(ROWS["export-encrypted"], _side(runs["encrypted"]), took)
    peaks = tuple(float(each.run.peak) for each in runs["encrypted"])
    yield Measured(ROWS["export-encrypted-memory"], peaks)


def _with_one_sum(runs: list[Crossed], which: int) -> Side:
    """The time of the commands, which computed all sums twice, as if only with the first or the
    second tool; nobody counts the CPU of the other one."""
    seconds = []
    for each in runs:
        began, between, ended = map(float, each.run.output.split()[-3:])
        other = (ended - between, between - began)[which]
        seconds.append(each.run.seconds - other)
    return Side(tuple(seconds), "s")


def _signing(bench: Bench, bundle: Path) -> float:
    """Seconds to sign the manifest of the bundle and to check it."""
    with open_bundle(bundle) as reader:
        manifest = format_manifest(reader.manifest)
    allowed = bench.work / "allowed"
    allowed.write_text(f"me {(bench.work / 'key.pub').read_text()}")
    began = time.perf_counter()
    made = signature.make(manifest, bench.work / "key")
    signature.check(manifest, made, Signers(allowed), "bundle")
    return time.perf_counter() - began


def _import(bench: Bench, clouds: Devcloud) -> Iterator[Measured]:
    work = bench.work
    stays = work / "nothing"

    def ours() -> Crossed:
        shutil.rmtree(work / "state", ignore_errors=True)
        words = [program("downpour-import"), "out.dpbundle", "--cloud", "target", "-q"]
        words += ["--state", "state"]
        return _crossed(bench, stays, lambda: in_cloud(clouds, "target", words, work))

    def hand() -> Crossed:
        script = IMPORT_BY_HAND.format(openstack=_cli(clouds), servers=_numbers(bench))
        words = ["sh", "-ec", script]
        return _crossed(bench, stays, lambda: in_cloud(clouds, "target", words, work))

    def fresh(side: Callable[[], Crossed]) -> Callable[[], Crossed]:
        def measured() -> Crossed:
            clouds.down(["target"], wipe=True)
            clouds.up(["target"], owner=os.getpid())
            return side()

        return measured

    runs = bench.in_turn("import", {"by hand": fresh(hand), "downpour": fresh(ours)})
    yield Measured.ratio(ROWS["import-time"], _side(runs["downpour"]), _side(runs["by hand"]))
    yield from _scratch("import", runs["downpour"], runs["by hand"])


def _scratch(what: str, ours: list[Crossed], hand: list[Crossed]) -> Iterator[Measured]:
    yield Measured(ROWS[f"{what}-scratch"], tuple(each.scratch for each in ours))
    yield Measured(ROWS[f"{what}-scratch-hand"], tuple(each.scratch for each in hand))


def _side(crossed: list[Crossed]) -> Side:
    return Side.by_hand([each.run for each in crossed])


def _crossed(bench: Bench, stays: Path, act: Callable[[], Run]) -> Crossed:
    before = _used(bench.work)
    with _watched(bench.work) as most:
        done = act()
    left = stays.stat().st_size if stays.exists() else 0
    return Crossed(done, left, float(max(0, most[0] - before - left)))


@contextmanager
def _watched(folder: Path) -> Iterator[list[int]]:
    """The most bytes that were allocated below ``folder`` at once, as far as one looks."""
    most, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], _used(folder))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _used(folder: Path) -> int:
    used = 0
    for path in folder.rglob("*"):
        try:
            used += path.lstat().st_blocks * 512
        except OSError:
            continue
    return used


def _numbers(bench: Bench) -> str:
    return " ".join(map(str, range(1, SIZES[bench.scale].servers + 1)))


def _cli(clouds: Devcloud) -> Any:
    return clouds.venv / "bin" / "openstack"


SECTION = Section(
    name="whole",
    title="Out of one cloud, into another",
    intro="Two real OpenStack clouds on the same machine (`tests/devcloud`), which take part "
    "of its two cores: what they do themselves (snapshots, copies of volumes, images) is in both "
    "sides.",
    rows=tuple(ROWS.values()),
    tools=("mkfs.ext4", "debugfs", "zstd", "sha256sum", "openssl", "sync", "qemu-img"),
    measure=measure,
    clouds=True,
)
