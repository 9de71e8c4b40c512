"""What ``--only`` brings along, and what ``--skip`` may not leave behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundle_spec.model import (
    FlavorReference,
    FloatingIp,
    Keypair,
    Network,
    NetworkReference,
    Port,
    References,
    Resources,
    Router,
    SecurityGroup,
    Server,
    Subnet,
    Trunk,
)
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.model.port import FixedIp
from bundle_spec.model.router import RouterInterface
from bundle_spec.model.security_group import SecurityGroupRule
from bundle_spec.model.server import Nic
from downpour_import.source.select import SelectionFaults, select


def group(name: str, remote: str | None = None) -> SecurityGroup:
    rule = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4", remote_group_id=remote)
    return SecurityGroup(id=name, name=name, rules=(rule,))


def side(name: str) -> Resources:
    """A server, and all that hangs together with it."""
    fixed = (FixedIp(subnet_id=f"{name}-sub", ip_address="10.0.0.5"),)
    return Resources(
        keypairs=(Keypair(id=f"{name}-key", name=f"{name}-key", public_key="k"),),
        security_groups=(group(f"{name}-sg", f"{name}-sg2"), group(f"{name}-sg2")),
        networks=(Network(id=f"{name}-net", name=f"{name}-net"),),
        subnets=(
            Subnet(
                id=f"{name}-sub",
                name=f"{name}-sub",
                network_id=f"{name}-net",
                ip_version=4,
                cidr="10.0.0.0/24",
                gateway_ip=None,
            ),
        ),
        routers=(
            Router(
                id=f"{name}-router",
                name=f"{name}-router",
                external_network_id="ext",
                interfaces=(RouterInterface(subnet_id=f"{name}-sub", ip_address="10.0.0.1"),),
            ),
        ),
        ports=(
            Port(
                id=f"{name}-port",
                name=f"{name}-port",
                network_id=f"{name}-net",
                mac_address="m",
                fixed_ips=fixed,
                security_group_ids=(f"{name}-sg",),
            ),
        ),
        trunks=(Trunk(id=f"{name}-trunk", name=f"{name}-trunk", port_id=f"{name}-port"),),
        servers=(
            Server(
                id=name,
                name=f"server {name}",
                flavor=f"flavor-{name}",
                key_name=f"{name}-key",
                nics=(Nic(port_id=f"{name}-port"),),
            ),
        ),
        floating_ips=(
            FloatingIp(
                id=f"{name}-fip",
                name="",
                floating_network_id="ext",
                port_id=f"{name}-port",
            ),
        ),
    )


ONE, OTHER = side("a"), side("b")
SECTIONS = (
    "keypairs security_groups networks subnets routers ports trunks servers floating_ips".split()
)
DATA = PlaybookData(
    bundle="x",
    references=References(
        flavors=tuple(
            FlavorReference(id=f"flavor-{each}", name=each, vcpus=1, ram=1, disk=1) for each in "ab"
        ),
        networks=(NetworkReference(id="ext", name="ext", external=True),),
    ),
    resources=replace(
        ONE, **{name: getattr(ONE, name) + getattr(OTHER, name) for name in SECTIONS}
    ),
)


def test_without_a_selection_all_is_kept() -> None:
    assert select(DATA, (), ()) is DATA


@pytest.mark.parametrize(
    "pattern", ["server/a", "server/server a", "server/*a", "keypair/*", "floating-ip/a-fip"]
)
def test_what_belongs_to_a_server_comes_with_it_and_nothing_else(pattern: str) -> None:
    found = select(DATA, (pattern,), ("keypair/b-key",) if pattern == "keypair/*" else ())
    if pattern.startswith("server"):
        assert found.resources == ONE
        assert [each.id for each in found.references.flavors] == ["flavor-a"]
        assert [each.id for each in found.references.networks] == ["ext"]
    elif pattern.startswith("keypair"):
        assert list(found.resources) == list(ONE.keypairs)
        assert list(found.references) == []
    else:
        # A floating IP needs its port, and that its network with all that connects it.
        assert found.resources == replace(ONE, keypairs=(), servers=())


def test_a_network_comes_with_its_subnets_and_their_router() -> None:
    found = select(DATA, ("network/b-net",), ())
    assert [each.id for each in found.resources] == ["b-net", "b-sub", "b-router"]


def test_what_is_skipped_is_left_out() -> None:
    found = select(DATA, (), ("floating_ip/*", "trunk/a-trunk"))
    assert found.resources.floating_ips == ()
    assert [each.id for each in found.resources.trunks] == ["b-trunk"]
    assert len(list(found.resources)) == len(list(DATA.resources)) - 3


def test_all_that_needs_what_is_skipped_is_told() -> None:
    with pytest.raises(SelectionFaults) as caught:
        select(DATA, ("server/a",), ("network/a-net", "security-group/a-sg2"))
    told = [f"{each.where}: {each.message}" for each in caught.value.faults]
    assert told == [
        "security group 'a-sg': it needs security group a-sg2, which is left out",
        "subnet 'a-sub': it needs network a-net, which is left out",
        "port 'a-port': it needs network a-net, which is left out",
    ]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("server/c", "no such thing"),
        ("image/x", "none of this type"),
        ("web1", "not TYPE/NAME"),
        ("flavor/x", "not TYPE/NAME .the types are address_group, floating_ip, image"),
        ("keypair/a-kye", "it has 'a-key'"),
    ],
)
def test_a_pattern_that_fits_nothing_is_a_mistake(pattern: str, message: str) -> None:
    for only, skip in (((pattern,), ()), ((), (pattern,))):
        with pytest.raises(SelectionFaults, match=message):
            select(DATA, only, skip)
