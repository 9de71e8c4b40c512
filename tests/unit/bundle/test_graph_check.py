"""The resource graph: whatever a record names is there, once, and free of downpour's marks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bundle_spec import VerifiedBundle, verify_bundle
from bundle_spec.errors import BundleFaults
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.marker import is_marker, is_reserved
from bundle_spec.model import (
    Disk,
    FlavorReference,
    Image,
    Keypair,
    Manifest,
    Network,
    NetworkReference,
    Port,
    References,
    Resources,
    SecurityGroup,
    SecurityGroupRule,
    Server,
    SubnetReference,
    Volume,
)
from tests.unit.bundle.samples import content
from tests.vectors.forge import Forge

DISK = Disk(
    id="0001",
    disk_format="raw",
    size=0,
    sha256="0" * 64,
    chunk_size=2**20,
    chunks=0,
    list_sha256="0" * 64,
    stored=0,
    shared=0,
)


def faults(
    resources: Resources, references: References | None = None, disks: tuple[Disk, ...] = ()
) -> list[str]:
    said = content(resources)
    manifest = Manifest(
        created=said.created,
        tool=said.tool,
        source=said.source,
        resources=resources,
        references=references or References(),
        format="dpbundle",
        version=(1, 0),
        uuid="u",
        disks=disks,
        index_sha256="0" * 64,
    )
    return [str(fault).removeprefix("manifest.json: ") for fault in graph_faults(manifest)]


def server(**change: object) -> Server:
    return dataclasses.replace(Server(id="s", name="s", flavor="m1"), **change)  # type: ignore[arg-type]


FLAVORS = References(flavors=(FlavorReference(id="m1", name="m1", vcpus=1, ram=1, disk=1),))


def test_a_whole_graph_has_no_faults() -> None:
    resources = Resources(
        keypairs=(Keypair(id="k", name="k", public_key="ssh-ed25519 A"),),
        networks=(Network(id="n", name="n"),),
        ports=(Port(id="p", name="p", network_id="n", mac_address="m"),),
        images=(
            Image(
                id="i",
                name="i",
                disk_id="0001",
                disk_format="raw",
                container_format="bare",
                server_id="s",
            ),
        ),
        volumes=(Volume(id="v", name="v", size=1),),
        servers=(server(image_id="i", key_name="k"),),
    )
    assert faults(resources, FLAVORS, (DISK,)) == []


def test_every_missing_reference_is_told() -> None:
    """[M-14]"""
    rule = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4", remote_group_id="g2")
    resources = Resources(
        security_groups=(SecurityGroup(id="g1", name="g1", rules=(rule,)),),
        ports=(Port(id="p", name="p", network_id="n", mac_address="m"),),
        volumes=(Volume(id="v", name="v", size=1, disk_id="0009", volume_type="fast"),),
        servers=(server(key_name="k", availability_zone="az"),),
    )
    references = References(subnets=(SubnetReference(id="x", name="x", network_id="y", cidr="z"),))
    assert faults(resources, references, (DISK,)) == [
        "resources.security_groups[0]: refers to security group g2, which is not there",
        "resources.ports[0]: refers to network n, which is not there",
        "resources.volumes[0]: refers to volume type fast, which is not there",
        "resources.volumes[0]: refers to disk '0009', which is not there",
        "resources.servers[0]: refers to flavor m1, which is not there",
        "resources.servers[0]: refers to keypair k, which is not there",
        "resources.servers[0]: refers to availability zone compute/az, which is not there",
        "references.subnets[0]: refers to network y, which is not there",
    ]


def test_nothing_stands_twice() -> None:
    """[M-15]  Neither twice as a resource, nor as a resource and as a reference."""
    network = Network(id="n", name="n")
    assert faults(Resources(networks=(network, network))) == [
        "manifest.json: network n stands 2 times".removeprefix("manifest.json: ")
    ]
    references = References(networks=(NetworkReference(id="n", name="n", external=True),))
    assert faults(Resources(networks=(network,)), references) == ["network n stands 2 times"]
    volume = Volume(id="n", name="same id, another type", size=1)
    assert faults(Resources(networks=(network,), volumes=(volume,))) == []


def test_the_name_space_of_marks_is_kept_free() -> None:
    """[M-16]"""
    marker = "dpb-0123456789ab-" + "0" * 32
    rule = SecurityGroupRule(id="r", direction="egress", ether_type="IPv6", description=marker)
    resources = Resources(
        security_groups=(SecurityGroup(id="g", name="g", rules=(rule,)),),
        networks=(Network(id="n", name="dpb-name", tags=("dpb-x",), description=marker),),
        images=(
            Image(
                id="i",
                name="i",
                disk_id="0001",
                disk_format="raw",
                container_format="bare",
                properties={"dpb-key": "1", "os": "dpb-value"},
            ),
        ),
        volumes=(Volume(id="v", name="v", size=1, image_metadata={"dpb-a": "", "b": ""}),),
        servers=(server(metadata={"dpb-b": "x"}, tags=("mydpb-x",), description="dpb- in prose"),),
    )
    reserved = "is reserved for downpour's own marks"
    assert faults(resources, FLAVORS, (DISK,)) == [
        f"resources.security_groups[0].rules[0].description: a text {reserved}",
        f"resources.networks[0].description: a text {reserved}",
        f"resources.networks[0].tags[0]: a tag {reserved}",
        f"resources.images[0].properties: the key 'dpb-key' {reserved}",
        f"resources.volumes[0].image_metadata: the key 'dpb-a' {reserved}",
        f"resources.servers[0].metadata: the key 'dpb-b' {reserved}",
    ]


def test_what_is_a_mark() -> None:
    assert is_reserved("dpb-x")
    assert is_reserved("DPB-x")
    assert not is_reserved("x-dpb-")
    assert is_marker("dpb-0123456789ab-" + "f" * 32)
    assert is_marker("dpb-0123456789AB-" + "F" * 32 + " and more")
    assert not is_marker("dpb-0123456789ab-" + "f" * 31)


def test_verify_looks_at_the_graph(tmp_path: Path) -> None:
    forge = Forge(
        manifest=lambda value: value.update(
            resources={"ports": [{"id": "p", "name": "p", "network_id": "n", "mac_address": "m"}]}
        )
    )
    with pytest.raises(BundleFaults, match="refers to network n, which is not there"):
        verify_bundle(forge.write(tmp_path / "forged.dpbundle"))


def test_a_verified_bundle_cannot_be_made_by_hand(tmp_path: Path) -> None:
    verified = verify_bundle(Forge().write(tmp_path / "x"))
    assert verified.level == "stored"
    with pytest.raises(TypeError, match="comes from verify_bundle only"):
        VerifiedBundle(
            files=verified.files,
            manifest=verified.manifest,
            manifest_sha256=verified.manifest_sha256,
            has_signature=False,
            level="data",
            token=object(),
        )
