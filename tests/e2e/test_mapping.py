"""A bundle that the target cannot take as it is: all is said at once, before a write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Shell, read_csv
from tests.e2e.holdings import holdings
from tests.tenant import Tenant

ODD_YML = """\
volumes:
  - name: cold
    save_state: false
servers:
  - name: odd
    save_state: false
    key_name: nowhere
"""


@dataclass(frozen=True)
class Odd:
    server: str
    volume: str


@pytest.fixture(scope="module")
def odd(connect: Any, made: Tenant, shell: Shell) -> Iterator[Odd]:
    """A server and a volume of which nothing has an equal on the target, as odd.dpbundle."""
    source = connect("source")
    shared = source.network.find_network("shared-net")
    server = source.compute.create_server(
        name="odd",
        flavor_id=source.compute.find_flavor("m1.odd").id,
        image_id=source.image.find_image("tiny-linux-1.0").id,
        networks=[{"uuid": shared.id}],
        availability_zone="az2",
    )
    server = source.compute.wait_for_server(server, wait=180, interval=0.3)
    volume = source.block_storage.create_volume(name="cold", size=1, volume_type="hdd")
    source.block_storage.wait_for_status(volume, "available", interval=0.3, wait=60)
    (shell.directory / "odd.yml").write_text(ODD_YML)
    shell.run("downpour-export", "odd.yml", "odd.dpbundle", OS_CLOUD="source")
    yield Odd(server.id, volume.id)
    source.compute.delete_server(server)
    source.block_storage.delete_volume(volume)
    source.compute.wait_for_delete(server, wait=60)
    source.block_storage.wait_for_delete(volume, wait=60)


def test_everything_that_lacks_is_listed_and_nothing_is_written(
    shell: Shell, odd: Odd, connect: Any
) -> None:
    before = holdings(connect("target-other"))
    done = shell.run("downpour-import", "odd.dpbundle", "--cloud", "target-other", check=False)
    assert done.returncode == 8
    for what in ("'m1.odd'", "'hdd'", "'nowhere'", "'shared-net'"):
        assert what in done.stderr
    assert "availability zone 'az2' -> the cloud's default" in done.stderr
    assert "Traceback" not in done.stderr
    assert holdings(connect("target-other")) == before
    proposal = yaml.safe_load((shell.directory / "odd.target-other" / "mapping.yml").read_text())
    assert proposal["flavors"] == {"m1.odd": "g.2c-4g"} or proposal["flavors"]["m1.odd"]
    assert set(proposal) == {"flavors", "networks", "volume_types", "keypairs"}


def test_a_wrong_mapping_is_told_with_what_there_is(shell: Shell, odd: Odd) -> None:
    (shell.directory / "wrong-map.yml").write_text("flavors: {m1.odd: g.huge}\nflavour: {}\n")
    done = shell.run(
        "downpour-import", "odd.dpbundle", "--cloud", "target-other", "--map", "wrong-map.yml",
        check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "did you mean flavors?" in done.stderr
    (shell.directory / "wrong-map.yml").write_text("flavors: {m1.odd: g.huge}\n")
    done = shell.run(
        "downpour-import", "plan", "odd.dpbundle", "--cloud", "target-other",
        "--map", "wrong-map.yml", check=False,
    )  # fmt: skip
    assert done.returncode == 8
    assert "the target has no 'g.huge' (it has " in done.stderr


def test_the_completed_mapping_is_followed(shell: Shell, odd: Odd, connect: Any) -> None:
    (shell.directory / "map.yml").write_text(
        "flavors: {m1.odd: g.4c-8g}\n"
        "networks: {shared-net: common}\n"
        "volume_types: {hdd: bulk}\n"
        "availability_zones: {az2: zone-b}\n"
        "keypairs: {nowhere: drop}\n"
    )
    done = shell.run(
        "downpour-import", "odd.dpbundle", "--cloud", "target-other", "--map", "map.yml"
    )
    assert re.search(r"\d+ made", done.stdout)
    target = connect("target-other")
    rows = {row[0]: row[3] for row in read_csv(shell.directory / "odd.target-other" / "uuids.csv")}
    server = target.compute.get_server(rows["server"])
    assert server.flavor.original_name == "g.4c-8g"
    assert server.availability_zone == "zone-b"
    assert list(server.addresses) == ["common"]
    assert server.key_name is None
    assert target.block_storage.get_volume(rows["volume"]).volume_type == "bulk"


def test_a_network_can_be_replaced_by_an_existing_one(
    shell: Shell, made: Tenant, connect: Any
) -> None:
    """Its subnets are found there by their CIDRs; a missing one is said."""
    target = connect("target-other")
    network = target.network.create_network(name="here already")
    subnet = target.network.create_subnet(
        network_id=network.id,
        name="mine",
        ip_version=4,
        cidr="10.20.0.0/24",
        enable_dhcp=False,
    )
    (shell.directory / "worker.yml").write_text(
        "servers:\n  - name: worker\n    save_state: false\n"
    )
    shell.run("downpour-export", "worker.yml", "worker.dpbundle", OS_CLOUD="source")
    (shell.directory / "use.yml").write_text(f"networks: {{{made.network}: here already}}\n")
    command = ("downpour-import", "worker.dpbundle", "--cloud", "target-other", "--map", "use.yml")
    done = shell.run(*command, check=False)
    assert done.returncode == 8
    assert "fd00:20::/64" in done.stderr
    target.network.create_subnet(
        network_id=network.id,
        name="mine too",
        ip_version=6,
        cidr="fd00:20::/64",
        ipv6_address_mode="slaac",
        ipv6_ra_mode="slaac",
    )
    shell.run(*command)
    rows = read_csv(shell.directory / "worker.target-other" / "uuids.csv")[1:]
    new = {row[2]: row[3] for row in rows}
    assert new[made.network] == network.id
    port = next(target.network.ports(device_id=new[made.worker]))
    assert port.network_id == network.id
    before = next(connect("source").network.ports(device_id=made.worker))
    assert subnet.id in {ip["subnet_id"] for ip in port.fixed_ips}
    assert [ip["ip_address"] for ip in port.fixed_ips] == [
        ip["ip_address"] for ip in before.fixed_ips
    ]


@pytest.fixture(scope="module")
def umlauts(connect: Any, made: Tenant, shell: Shell) -> Iterator[None]:
    """A server whose name Neutron would refuse as a DNS name, as umlauts.dpbundle; and the target
    as a cloud of an older Nova."""
    source = connect("source")
    server = source.compute.create_server(
        name="plain",
        flavor_id=source.compute.find_flavor("m1.tiny").id,
        image_id=source.image.find_image("tiny-linux-1.0").id,
        networks=[{"uuid": made.network}],
    )
    server = source.compute.wait_for_server(server, wait=180, interval=0.3)
    source.compute.update_server(server, name="datenbank größe")
    (shell.directory / "umlauts.yml").write_text(
        "servers:\n  - name: datenbank größe\n    save_state: false\n", "utf-8"
    )
    shell.run("downpour-export", "umlauts.yml", "umlauts.dpbundle", OS_CLOUD="source")
    path = shell.directory / "clouds.yaml"
    clouds = yaml.safe_load(path.read_text())
    clouds["clouds"]["older"] = {
        **clouds["clouds"]["target-other"],
        "compute_default_microversion": "2.79",
    }
    path.write_text(yaml.safe_dump(clouds))
    yield
    source.compute.delete_server(server)
    source.compute.wait_for_delete(server, wait=60)


@pytest.mark.parametrize(("cloud", "hostname"), [("older", "plain"), ("target-other", "db-1")])
def test_a_name_that_is_no_dns_name_is_kept_with_another_host_name(
    shell: Shell, umlauts: None, connect: Any, cloud: str, hostname: str
) -> None:
    rules = {} if cloud == "older" else {"hostnames": {"datenbank größe": hostname}}
    (shell.directory / "names.yml").write_text(yaml.safe_dump(rules))
    command = ("umlauts.dpbundle", "--cloud", cloud, "--state", f"state-{cloud}")
    done = shell.run("downpour-import", *command, "--map", "names.yml")
    taken = "host name of server 'datenbank größe' -> 'plain'"
    assert (taken in done.stderr) == (cloud == "older")
    rows = read_csv(shell.directory / f"state-{cloud}" / "uuids.csv")[1:]
    (identity,) = [row[3] for row in rows if row[0] == "server"]
    target = connect("target-other")
    server = target.compute.get_server(identity)
    assert (server.name, server.status) == ("datenbank größe", "ACTIVE")
    assert server.hostname == hostname
    shell.run("downpour-import", "undo", *command, "--yes")
