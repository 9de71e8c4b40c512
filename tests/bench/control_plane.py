"""Many small resources into a real cloud: an import against a script, and against modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bundle_spec.model import Resources
from tests import many
from tests.bench.clouds import ENTRY, fresh, in_cloud, program
from tests.bench.errors import BenchError
from tests.bench.measure import ROOT, Run
from tests.bench.report import Measured, Row, Side
from tests.bench.section import Bench
from tests.devcloud import Devcloud

MODULES = "ansible==14.*"
"""The release whose openstack.cloud is measured; only that collection is taken out of it, so that
it need not be one for the Python of this machine."""
TENTH = 10


def rows_against_script(prefix: str, count: str) -> tuple[Row, ...]:
    """``count``: of the resources, as people read it; it stands in the rows."""
    return (
        Row(
            f"{prefix}-wall",
            f"{count} resources: time, against a script",
            goal=1.25,
            note=f"`downpour-import` of {count} networks, subnets, security groups with ten rules "
            "each, ports, keypairs and volumes: verification, preflight, playbook, and every "
            "resource read back. By hand: `tests/bench/plain.py`, a script with openstacksdk that "
            "sends the same requests that make things, one after the other, but keeps no journal "
            "and reads nothing back.",
        ),
        Row(f"{prefix}-script-cpu", f"{count} resources: CPU, against a script"),
        Row(
            f"{prefix}-calls",
            f"{count} resources: calls, against a script",
            note="What the cloud's services got from the client.",
        ),
    )


def rows_against_modules(prefix: str, count: str) -> tuple[Row, ...]:
    return (
        Row(
            f"{prefix}-cpu",
            f"{count} resources: CPU, against modules",
            goal=0.15,
            note="The same import. By hand: a playbook with the modules of `openstack.cloud` for a "
            "tenth of the same resources and rules (each module is a process of its own, so that "
            "ten times as many take ten times as long), once, taken ten times.",
        ),
        Row(f"{prefix}-modules", f"{count} resources: time, against modules"),
    )


def measure(
    bench: Bench, clouds: Devcloud, rows: Mapping[str, Row], prefix: str, count: int
) -> Iterator[Measured]:
    """Those ``rows`` that begin with ``prefix``, for so many resources."""
    bundle = bench.work / "many.dpbundle"
    many.write_bundle(bundle, count)

    def ours() -> Run:
        state = bench.work / "state"
        shutil.rmtree(state, ignore_errors=True)
        command = [program("downpour-import"), str(bundle), "--cloud", ENTRY]
        return in_cloud(clouds, ENTRY, [*command, "--state", str(state), "-q"], bench.work)

    def script() -> Run:
        command = [sys.executable, "-m", "tests.bench.plain", str(count), ENTRY]
        return in_cloud(clouds, ENTRY, command, ROOT)

    sides = {"downpour": fresh(clouds, ours), "script": fresh(clouds, script)}
    found = bench.in_turn(f"{count} resources", sides)
    runs = {side: [each.run for each in called] for side, called in found.items()}
    took, plain = Side.ours(runs["downpour"]), Side.by_hand(runs["script"])
    yield Measured.ratio(rows[f"{prefix}-wall"], took, plain)
    yield Measured.ratio(rows[f"{prefix}-script-cpu"], took.of_cpu(), plain.of_cpu())
    calls = (Side.calls([each.calls for each in found[side]]) for side in ("downpour", "script"))
    yield Measured.ratio(rows[f"{prefix}-calls"], *calls)
    if f"{prefix}-modules" not in rows:
        return
    # Once: it takes long, and what it is held against has its own spread.
    bench.say("a tenth of them by modules")
    called = fresh(clouds, _modules(bench, clouds, many.resources(count)))()
    by_modules = Side.by_hand([called.run] * bench.repeats).times(TENTH)
    yield Measured.ratio(rows[f"{prefix}-cpu"], took.of_cpu(), by_modules.of_cpu())
    yield Measured.ratio(rows[f"{prefix}-modules"], took, by_modules)


def _modules(bench: Bench, clouds: Devcloud, resources: Resources) -> Callable[[], Run]:
    """A playbook of modules that makes a tenth of ``resources``."""
    collections = _collection(bench.work)
    sample = bench.work / "sample.json"
    sample.write_text(json.dumps(_sample(resources)))

    def modules() -> Run:
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
        command = [program("ansible-playbook"), "-i", "localhost,", "-c", "local"]
        command += ["-e", f"@{sample}", "-e", f"ansible_python_interpreter={sys.executable}"]
        playbook = ROOT / "tests" / "bench" / "modules.yml"
        return in_cloud(clouds, ENTRY, [*command, str(playbook)], bench.work)

    return modules


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


def _collection(work: Path) -> Path:
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
