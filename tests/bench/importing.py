"""The import: many small resources, and one disk, into a real cloud.

Each side gets a cloud that has nothing in it yet.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundle_spec import BundleWriter
from bundle_spec.model import Image, Resources
from tests import many
from tests.bench import disks
from tests.bench.errors import BenchError
from tests.bench.measure import Run, run, warm
from tests.bench.report import Measured, Row, Side
from tests.bench.section import Bench, Scale, Section
from tests.connect import connect
from tests.devcloud import Devcloud
from tests.unit.bundle.samples import content

ROOT = Path(__file__).parents[2]
ENTRY = "target-other"
MODULES = "ansible==14.*"
"""The release whose openstack.cloud is measured; only that collection is taken out of it, so that
it need not be one for the Python of this machine."""
TENTH = 10
MIB = 1 << 20

ROWS = {
    row.key: row
    for row in (
        Row(
            "resources-cpu",
            "200 resources: CPU, against modules",
            goal=0.15,
            note="`downpour-import` of 200 networks, subnets, security groups with ten rules each, "
            "ports, keypairs and volumes: verification, preflight, playbook, and every resource "
            "read back. By hand: a playbook with the modules of `openstack.cloud` for a tenth of "
            "the same resources and rules (each module is a process of its own, so that ten times "
            "as many take ten times as long), taken ten times.",
        ),
        Row(
            "resources-wall",
            "200 resources: time, against a script",
            goal=1.25,
            note="The same import against `tests/bench/plain.py`, a script with openstacksdk that "
            "sends the same requests that make things, one after the other, but keeps no journal "
            "and reads nothing back.",
        ),
        Row("resources-modules", "200 resources: time, against modules"),
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
    try:
        yield from _resources(bench, clouds, size.count)
        yield from _upload(bench, clouds, size.disk)
    finally:
        clouds.down(["target"], wipe=True)


def _resources(bench: Bench, clouds: Devcloud, count: int) -> Iterator[Measured]:
    bundle = bench.work / "many.dpbundle"
    many.write_bundle(bundle, count)
    collections = _modules(bench.work)
    sample = bench.work / "sample.json"
    sample.write_text(json.dumps(_sample(many.resources(count))))

    def ours() -> Run:
        state = bench.work / "state"
        shutil.rmtree(state, ignore_errors=True)
        words = ("--cloud", ENTRY, "--state", str(state), "-q")
        return in_cloud(
            clouds, ENTRY, [program("downpour-import"), str(bundle), *words], bench.work
        )

    def script() -> Run:
        command = [sys.executable, "-m", "tests.bench.plain", str(count), ENTRY]
        return in_cloud(clouds, ENTRY, command, ROOT)

    def modules() -> Run:
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
        command = [
            program("ansible-playbook"),
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            f"@{sample}",
        ]
        command += ["-e", f"ansible_python_interpreter={sys.executable}"]
        return in_cloud(
            clouds, ENTRY, [*command, str(ROOT / "tests/bench/modules.yml")], bench.work
        )

    runs = bench.in_turn(
        f"{count} resources",
        {
            "downpour": _fresh(clouds, ours),
            "script": _fresh(clouds, script),
            "modules": _fresh(clouds, modules),
        },
    )
    took = Side.ours(runs["downpour"])
    by_modules = Side.by_hand(runs["modules"]).times(TENTH)
    yield Measured.ratio(ROWS["resources-cpu"], took.of_cpu(), by_modules.of_cpu())
    yield Measured.ratio(ROWS["resources-wall"], took, Side.by_hand(runs["script"]))
    yield Measured.ratio(ROWS["resources-modules"], took, by_modules)


def _sample(resources: Resources) -> dict[str, Any]:
    """A tenth of each type, as the playbook of the modules wants it."""

    def tenth(section: tuple[Any, ...]) -> tuple[Any, ...]:
        return section[: max(1, len(section) // TENTH)]

    names = {each.id: each.name for each in resources}
    groups = tenth(resources.security_groups)
    sample = {
        "keypairs": [
            {"name": each.name, "public_key": each.public_key} for each in tenth(resources.keypairs)
        ],
        "security_groups": [{"name": each.name} for each in groups],
        "rules": [
            {"group": group.name, "port": rule.port_range_min}
            for group in groups
            for rule in group.rules
        ],
        "networks": [{"name": each.name} for each in tenth(resources.networks)],
        "subnets": [
            {"name": each.name, "network": names[each.network_id], "cidr": each.cidr}
            for each in tenth(resources.subnets)
        ],
        "ports": [],
        "volumes": [{"name": each.name, "size": each.size} for each in tenth(resources.volumes)],
    }
    made = {each["name"] for key in ("networks", "security_groups") for each in sample[key]}
    wanted = len(tenth(resources.ports))
    for port in resources.ports:
        network, group = names[port.network_id], names[port.security_group_ids[0]]
        if {network, group} <= made and len(sample["ports"]) < wanted:
            address = port.fixed_ips[0].ip_address
            sample["ports"].append(
                {"name": port.name, "network": network, "group": group, "address": address}
            )
    return {"cloud": ENTRY, "resources": sample}


def _modules(work: Path) -> Path:
    """The collection openstack.cloud, out of the package ``ansible``: no galaxy is asked."""
    folder = work / "collections"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", "3.14", "-d", str(work), MODULES]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"pip cannot fetch {MODULES}: {done.stderr.strip().splitlines()[-1]}")
    (wheel,) = work.glob("ansible-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        prefix = "ansible_collections/openstack/cloud/"
        archive.extractall(folder, [n for n in archive.namelist() if n.startswith(prefix)])
    wheel.unlink()
    return folder


def _upload(bench: Bench, clouds: Devcloud, size: int) -> Iterator[Measured]:
    (disk,) = disks.make(bench.work, size, 1)
    bundle, compressed = bench.work / "disk.dpbundle", bench.work / "disk.zst"
    _write_image(bundle, disk)
    run(["zstd", "-q", "-T2", "-3", disk, "-o", compressed], cwd=bench.work)
    disk.unlink()
    _start(clouds)
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
    with BundleWriter(bundle) as writer:
        disk = writer.disk("raw", size_hint=path.stat().st_size)
        with path.open("rb", buffering=0) as file:
            while piece := file.read(MIB):
                disk.write(piece)
        image = Image(
            id="0f0e0d0c-0000-4000-8000-000000000001",
            name="disk",
            disk_id=disk.finish().id,
            disk_format="raw",
            container_format="bare",
        )
        writer.finish(content(Resources(images=(image,))))


def _fresh(clouds: Devcloud, side: Callable[[], Run]) -> Callable[[], Run]:
    def measured() -> Run:
        clouds.down(["target"], wipe=True)
        _start(clouds)
        return side()

    return measured


def _start(clouds: Devcloud) -> None:
    """The target, with room for whatever comes."""
    clouds.up(["target"], owner=os.getpid())
    admin, project = connect(clouds, "target-admin"), connect(clouds, ENTRY).current_project_id
    unlimited = ("network", "subnet", "port", "security_group", "security_group_rule")
    admin.set_network_quotas(project, **dict.fromkeys(unlimited, -1))
    admin.set_volume_quotas(project, volumes=-1, gigabytes=-1)
    admin.set_compute_quotas(project, key_pairs=-1)


def _emptied(clouds: Devcloud, done: Run) -> Run:
    cloud = connect(clouds, ENTRY)
    for image in cloud.image.images(owner=cloud.current_project_id):
        cloud.image.delete_image(image)
    return done


def in_cloud(clouds: Devcloud, entry: str, command: Sequence[str | Path], cwd: Path) -> Run:
    """Run a command as the tenant ``entry`` of clouds.yaml."""
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(clouds.clouds_yaml)
    os.environ["OS_CLOUD"] = entry
    return run(command, cwd=cwd)


def program(name: str) -> str:
    """A command of the venv that measures."""
    return str(Path(sys.executable).parent / name)


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
