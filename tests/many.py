"""A bundle of many small resources, made from nothing: what grows with their number shows here."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

from bundle_spec import BundleWriter
from bundle_spec.model import (
    Content,
    Keypair,
    Network,
    Port,
    Resources,
    SecurityGroup,
    Source,
    Subnet,
    Volume,
)
from bundle_spec.model.port import FixedIp
from bundle_spec.model.security_group import SecurityGroupRule
from bundle_spec.model.subnet import AllocationPool
from downpour_export.playbook import playbook_files

RULES = 10
"""Rules of each security group."""


def resources(count: int) -> Resources:
    """``count`` of them: 10 % networks, subnets, keypairs and volumes each, 20 % groups, the rest
    ports."""
    tenth = count // 10
    networks = [Network(id=_id("network", n), name=f"net-{n}") for n in range(tenth)]
    subnets = [_subnet(n, network) for n, network in enumerate(networks)]
    groups = [_group(n) for n in range(2 * tenth)]
    ports = [
        _port(n, subnets[n % tenth], groups[n % len(groups)], 10 + n // tenth)
        for n in range(count - 6 * tenth)
    ]
    return Resources(
        keypairs=tuple(
            Keypair(id=f"key-{n}", name=f"key-{n}", public_key=_key(n)) for n in range(tenth)
        ),
        security_groups=tuple(groups),
        networks=tuple(networks),
        subnets=tuple(subnets),
        ports=tuple(ports),
        volumes=tuple(
            Volume(id=_id("volume", n), name=f"volume-{n}", size=1) for n in range(tenth)
        ),
    )


def content(count: int) -> Content:
    """What an export of so many resources says."""
    return Content(
        created="2026-01-02T03:04:05Z",
        tool="downpour",
        source=Source(
            auth_url="http://source:5000/v3", region=None, project_id="p", project_name="many"
        ),
        resources=resources(count),
    )


def write_bundle(path: Path, count: int) -> Resources:
    """A bundle of them, as an export would have written it."""
    wanted = content(count)
    with BundleWriter(path) as writer:
        for name, data in playbook_files(writer.uuid, wanted).items():
            writer.add_file(name, data)
        writer.finish(wanted)
    return wanted.resources


def _id(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {number}"))


def _key(number: int) -> str:
    """A public key that nobody holds the other half of (RFC 8709, section 4)."""
    parts = (b"ssh-ed25519", number.to_bytes(32, "big"))
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} many"


def _subnet(number: int, network: Network) -> Subnet:
    return Subnet(
        id=_id("subnet", number),
        name=f"sub-{number}",
        network_id=network.id,
        ip_version=4,
        cidr=f"10.{number // 256}.{number % 256}.0/24",
        gateway_ip=f"10.{number // 256}.{number % 256}.1",
        allocation_pools=(
            AllocationPool(
                start=f"10.{number // 256}.{number % 256}.2",
                end=f"10.{number // 256}.{number % 256}.254",
            ),
        ),
    )


def _group(number: int) -> SecurityGroup:
    return SecurityGroup(
        id=_id("group", number),
        name=f"group-{number}",
        rules=tuple(
            SecurityGroupRule(
                id=_id(f"rule of {number}", n),
                direction="ingress",
                ether_type="IPv4",
                protocol="tcp",
                port_range_min=8000 + n,
                port_range_max=8000 + n,
            )
            for n in range(RULES)
        ),
    )


def _port(number: int, subnet: Subnet, group: SecurityGroup, host: int) -> Port:
    address = subnet.cidr.replace(".0/24", f".{host}")
    return Port(
        id=_id("port", number),
        name=f"port-{number}",
        network_id=subnet.network_id,
        mac_address=f"fa:16:3e:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        fixed_ips=(FixedIp(subnet_id=subnet.id, ip_address=address),),
        security_group_ids=(group.id,),
    )
