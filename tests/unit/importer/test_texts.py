"""Names, tags and metadata that a target refuses are told before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Image,
    Keypair,
    Network,
    Port,
    PortForwarding,
    Resource,
    Resources,
    SecurityGroup,
    Server,
    ServerGroup,
    Volume,
)
from bundle_spec.model.security_group import SecurityGroupRule
from downpour_import.cloud import TargetCloud
from downpour_import.preflight import text_faults, text_warnings
from downpour_import.preflight.limits import read
from downpour_import.preflight.survey import Survey
from tests.unit.fake_cloud import FakeCloud, response

LONG = "x" * 256


def server(name: str = "s", **more: Any) -> Server:
    return Server(id="s", name=name, flavor="f", **more)


def told(record: Resource, **target: Any) -> list[str]:
    return [str(fault) for fault in text_faults([record], Survey(**target))]


RULE = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4", description=LONG)
FORWARDING = PortForwarding(
    protocol="tcp", internal_port_id="p", internal_ip_address="10.0.0.9", description="x" * 1025
)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (Network(id="n", name=LONG), "its name has 256 characters, and the target takes 255"),
        (Network(id="n", name="n", description=LONG), "its description has 256 characters"),
        (AddressGroup(id="n", name="n", description="x" * 1025), "its description has 1025"),
        (Volume(id="v", name="v", size=1, description=LONG), "its description has 256"),
        (Volume(id="v", name="v", size=1, metadata={"k": LONG}), "its metadata 'k' has 256"),
        (Volume(id="v", name="v", size=1, metadata={"": "x"}), "takes no metadata called ''"),
        (SecurityGroup(id="g", name="g", rules=(RULE,)), "its description of a rule has 256"),
        (
            FloatingIp(id="f", name=LONG, floating_network_id="x", port_forwardings=(FORWARDING,)),
            "its description of a forwarding has 1025",
        ),
        (server(" web"), "the target takes no such name"),
        (server("a\nb"), "the target takes no such name"),
        (server("a\u202eb"), "the target takes no such name"),
        (ServerGroup(id="g", name="", policy="affinity"), "the target takes no such name"),
        (server(metadata={"größe": "1"}), "takes no metadata called 'größe'"),
        (server(metadata={"k": LONG}), "its metadata 'k' has 256"),
        (server(user_data="A" * 65536), "its user data has 65536 characters"),
    ],
)
def test_what_a_service_refuses_is_told(record: Resource, problem: str) -> None:
    (line,) = told(record)
    assert problem in line


@pytest.mark.parametrize(
    "record",
    [
        server("datenbank größe 日本", metadata={"a b:c_d.e-f": "x" * 255}, tags=("a b",)),
        Network(id="n", name="x" * 255, tags=tuple(map(str, range(49)))),
        Port(id="p", name="", network_id="n", mac_address="m"),
        Volume(id="v", name="", size=1, metadata={"größe\n": "x"}),
        Keypair(id="k", name="a-b_c 1", public_key="x"),
    ],
)
def test_what_it_takes_is_not(record: Resource) -> None:
    assert told(record) == []
    assert list(text_warnings([record])) == []


@pytest.mark.parametrize(
    ("name", "compute", "taken"),
    [
        ("me@host.example", "2.92", True),
        ("me@host.example", "2.91", False),
        ("me@host.example", None, False),
        ("größe", "2.96", False),
        ("a/b", "2.96", False),
        ("a ", "2.96", False),
    ],
)
def test_a_keypair_may_have_a_name_that_an_older_target_refuses(
    name: str, compute: str | None, taken: bool
) -> None:
    found = told(Keypair(id=name, name=name, public_key="x"), compute=compute)
    assert (found == []) == taken
    assert taken or "map it under keypairs" in found[0]


def test_a_keypair_that_stands_under_such_a_name_is_no_fault() -> None:
    assert told(Keypair(id="größe", name="größe", public_key="x"), keypairs={"größe": "x"}) == []


def test_the_mark_of_a_server_needs_room_in_its_metadata() -> None:
    fake = FakeCloud()
    fake.handlers["GET", "/limits"] = lambda call, match: response(
        200, {"limits": {"absolute": {"maxServerMeta": 2}}}
    )
    record = server(metadata={"a": "1", "b": "2"})
    room = read(TargetCloud(fake.connection), Resources(servers=(record,)))
    (line,) = told(record, room=room)
    assert "it has 2 items of metadata, and gets one more as its mark: the target takes 2" in line
    assert told(server(metadata={"a": "1"}), room=room) == []


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (server(description=LONG), "description, of more than 255"),
        (server(tags=("a,b",)), "tags: 50 at most, of 60 characters without , and /"),
        (server(tags=("x" * 61,)), "tags"),
        (server(tags=tuple(map(str, range(51)))), "tags"),
        (Network(id="n", name="n", tags=tuple(map(str, range(50)))), "tags: 49 at most beside"),
        (Network(id="n", name="n", tags=(LONG,)), "tags"),
        (
            Image(
                id="i", name="i", disk_id="1", disk_format="raw", container_format="bare",
                tags=(LONG,),
            ),
            "tags",
        ),
    ],
)  # fmt: skip
def test_what_a_resource_can_do_without_is_a_warning(record: Resource, what: str) -> None:
    (line,) = text_warnings([record])
    assert f"the target refuses its {what}" in line
    assert told(record) == []
