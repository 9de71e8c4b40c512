"""Some of an import fails: the rest is made, all of it is told, and the same command goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devcloud import Devcloud
from tests.e2e.conftest import Shell, read_csv
from tests.e2e.holdings import holdings
from tests.e2e.test_killed import wait_for_rows

EXPORT_YML = """\
servers:
  - name: fragile
  - name: sturdy
"""
NOWHERE = {"resources:CUSTOM_NOWHERE": "1"}
"""What a flavor asks for that no host has."""
POOL = {"start": "10.40.0.10", "end": "10.40.0.200"}


@dataclass(frozen=True)
class Source:
    """IDs of two servers of which one boots from a volume that ends with it."""

    fragile: str
    fragile_port: str
    root: str
    sturdy: str
    floating_ip: str
    subnet: str


@pytest.fixture(scope="module")
def source(clouds: Devcloud, connect: Any) -> Source:
    cloud = connect("source-other")
    external = cloud.network.find_network("public").id
    network = cloud.network.create_network(name="failing")
    subnet = cloud.network.create_subnet(
        network_id=network.id,
        name="failing",
        ip_version=4,
        cidr="10.40.0.0/24",
        allocation_pools=[POOL],
    )
    router = cloud.network.create_router(
        name="failing", external_gateway_info={"network_id": external}
    )
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    ports = [
        cloud.network.create_port(
            network_id=network.id,
            name=name,
            fixed_ips=[{"subnet_id": subnet.id, "ip_address": address}],
        )
        for name, address in (("fragile", "10.40.0.12"), ("sturdy", "10.40.0.13"))
    ]
    image = cloud.image.find_image("tiny-linux-1.0")
    root = cloud.block_storage.create_volume(name="fragile-root", size=1, image_id=image.id)
    cloud.block_storage.wait_for_status(root, "available", interval=0.3, wait=120)
    device = {"boot_index": 0, "uuid": root.id, "source_type": "volume"}
    device |= {"destination_type": "volume", "delete_on_termination": True}
    fragile = cloud.compute.create_server(
        name="fragile",
        flavor_id=cloud.compute.find_flavor("m1.nodisk").id,
        networks=[{"port": ports[0].id}],
        block_device_mapping=[device],
    )
    sturdy = cloud.compute.create_server(
        name="sturdy",
        flavor_id=cloud.compute.find_flavor("m1.tiny").id,
        image_id=image.id,
        networks=[{"port": ports[1].id}],
    )
    for server in (fragile, sturdy):
        cloud.compute.wait_for_server(server, wait=180, interval=0.3)
    floating_ip = cloud.network.create_ip(floating_network_id=external, port_id=ports[1].id)
    return Source(
        fragile=fragile.id,
        fragile_port=ports[0].id,
        root=root.id,
        sturdy=sturdy.id,
        floating_ip=floating_ip.id,
        subnet=subnet.id,
    )


@pytest.fixture(scope="module")
def bundle(shell: Shell, source: Source) -> str:
    (shell.directory / "failing.yml").write_text(EXPORT_YML)
    shell.run("downpour-export", "failing.yml", "failing.dpbundle", OS_CLOUD="source-other")
    return "failing.dpbundle"


@pytest.fixture
def hostless(connect: Any) -> Iterator[None]:
    """Servers of the flavor that only ``fragile`` has find no host."""
    admin = connect("target-admin")
    flavor = admin.compute.find_flavor("g.1c-512m-nodisk")
    admin.compute.create_flavor_extra_specs(flavor, NOWHERE)
    yield
    for name in NOWHERE:
        admin.compute.delete_flavor_extra_specs_property(flavor, name)


@pytest.fixture
def full(connect: Any) -> Iterator[Any]:
    """Take the quota of floating IPs away, until the test ends."""
    admin, project = connect("target-admin"), connect("target-other").current_project_id
    yield lambda: admin.set_network_quotas(project, floatingip=0)
    admin.delete_network_quotas(project)


def new_ids(state: Path) -> dict[str, str]:
    """Old ID -> new ID."""
    return {row[2]: row[3] for row in read_csv(state / "uuids.csv")[1:]}


def report(state: Path) -> Any:
    return json.loads((state / "report.json").read_text())


def test_a_server_in_error_and_a_refused_floating_ip_stop_nothing_else(
    shell: Shell, bundle: str, source: Source, connect: Any, hostless: None, full: Any
) -> None:
    state = shell.directory / "failing"
    process = shell.start("downpour-import", bundle, "--cloud", "target-other", "--state", state)
    # The preflight, which would have refused the whole import, is over.
    wait_for_rows(process, state, 1)
    full()
    _, stderr = process.communicate(timeout=600)

    assert process.returncode == 9, stderr
    assert "the import is not complete" in stderr
    assert "server 'fragile'" in stderr
    assert "No valid host" in stderr
    assert "Quota exceeded" in stderr
    told = report(state)
    failed = {(each["type"], each["old"]) for each in told["failed"]}
    assert failed == {("server", source.fragile), ("floating_ip", source.floating_ip)}
    assert told["not_made"] == []
    # Nothing that was made differs.
    assert len(told["faults"]) == 2, told["faults"]
    stands = new_ids(state)
    assert not {source.fragile, source.floating_ip} & stands.keys()
    target = connect("target-other")
    assert target.compute.get_server(stands[source.sturdy]).status == "ACTIVE"
    begun = {each["old"]: each["new"] for each in told["resources"] if each["state"] == "begun"}
    assert target.compute.get_server(begun[source.fragile]).status == "ERROR"


def test_the_same_command_makes_the_rest_on_what_stands(
    shell: Shell, bundle: str, source: Source, connect: Any
) -> None:
    state = shell.directory / "failing"
    before = new_ids(state)

    done = shell.run("downpour-import", bundle, "--cloud", "target-other", "--state", "failing")

    assert "every resource is as the manifest says" in done.stdout
    assert "server 'fragile' is broken" in done.stderr
    after = new_ids(state)
    assert before.items() < after.items()
    target = connect("target-other")
    fragile = target.compute.get_server(after[source.fragile])
    assert fragile.status == "ACTIVE"
    (attached,) = target.compute.volume_attachments(fragile)
    assert attached.volume_id == before[source.root]
    assert attached.delete_on_termination
    ports = target.network.ports(device_id=fragile.id)
    assert [port.id for port in ports] == [before[source.fragile_port]]
    assert report(state)["failed"] == []


def test_undo_takes_it_all_back(shell: Shell, bundle: str, connect: Any) -> None:
    shell.run(
        "downpour-import", "undo", bundle, "--cloud", "target-other", "--state", "failing", "--yes"
    )
    left = holdings(connect("target-other"))
    assert not [each for each in left["servers"].values() if each["name"] in EXPORT_YML]
    assert not [each for each in left["networks"].values() if each["name"] == "failing"]


def pools(cloud: Any, subnet: str) -> list[dict[str, str]]:
    return sorted(cloud.network.get_subnet(subnet).allocation_pools, key=lambda pool: pool["start"])


def test_by_hand_a_refused_port_costs_its_server_and_keeps_its_address(
    shell: Shell, bundle: str, source: Source, connect: Any
) -> None:
    folder = shell.directory / "failing-by-hand"
    shell.run("downpour-import", "unpack", bundle, str(folder))
    path = folder / "playbook" / "resources.yml"
    whole = path.read_text()
    data = yaml.safe_load(whole)
    for port in data["resources"]["ports"]:
        if port["id"] == source.fragile_port:
            # More than Neutron takes, which it tells nobody before.
            pairs = [{"ip_address": f"10.40.1.{number}"} for number in range(1, 100)]
            port["allowed_address_pairs"] = pairs
    path.write_text(yaml.safe_dump(data))

    def by_hand() -> Any:
        return Shell(folder / "playbook").run(
            "ansible-playbook", "-i", "inventory.ini", "site.yml",
            check=False,
            OS_CLOUD="target-other",
            OS_CLIENT_CONFIG_FILE=str(shell.directory / "clouds.yaml"),
        )  # fmt: skip

    done = by_hand()

    assert done.returncode == 2, done.stdout + done.stderr
    told = done.stdout + done.stderr
    assert "the import is not complete" in told
    assert "port 'fragile': " in told
    assert "server 'fragile': not made: it needs port 'fragile', which failed" in told
    target, stands = connect("target-other"), new_ids(folder / "state")
    assert {source.sturdy, source.floating_ip, source.root} < stands.keys()
    assert source.fragile not in stands
    subnet = stands[source.subnet]
    assert target.network.get_subnet(subnet).is_dhcp_enabled
    assert pools(target, subnet) == [
        {"start": "10.40.0.10", "end": "10.40.0.11"},
        {"start": "10.40.0.13", "end": "10.40.0.200"},
    ]

    path.write_text(whole)
    done = by_hand()
    assert done.returncode == 0, done.stdout + done.stderr
    assert pools(target, subnet) == [POOL]
    # The proof: every resource is as the manifest says.
    shell.run("downpour-import", str(folder), "--cloud", "target-other")
    shell.run("downpour-import", "undo", str(folder), "--cloud", "target-other", "--yes")
