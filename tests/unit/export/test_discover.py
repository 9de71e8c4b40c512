"""Discovery of a whole project: few calls, each for this project only."""

from __future__ import annotations

from typing import Any

import pytest

from downpour_cloud.cloud import PAGE_SIZE
from downpour_export.cloud import SourceCloud
from downpour_export.discover import discover
from downpour_export.errors import CaptureError
from tests.unit.fake_cloud import PROJECT, FakeCloud, response

OTHER = "2" * 32


def server_json(identity: str, image_id: str) -> dict[str, Any]:
    flavor = {"original_name": "m1", "vcpus": 1, "ram": 1, "disk": 1}
    return {
        "id": identity,
        "name": identity,
        "status": "ACTIVE",
        "flavor": flavor,
        "image": {"id": image_id},
    }


def subnet_json(identity: str, network: str, project: str) -> dict[str, Any]:
    return {
        "id": identity,
        "name": identity,
        "network_id": network,
        "project_id": project,
        "ip_version": 4,
        "cidr": "10.0.0.0/24",
        "gateway_ip": "10.0.0.1",
        "enable_dhcp": True,
        "allocation_pools": [],
        "host_routes": [],
        "dns_nameservers": [],
    }


@pytest.fixture
def fake() -> FakeCloud:
    """``size`` of everything the project has, and as much of another project."""
    fake = FakeCloud()
    fill(fake, 3)
    return fake


def fill(fake: FakeCloud, size: int) -> None:
    for number in range(size):
        for project in (PROJECT, OTHER):
            mark = f"{project[0]}{number}"
            owner = {"project_id": project, "admin_state_up": True}
            kind = {"shared": False, "router:external": False}
            fake.add("/networks", id=f"n{mark}", name="", **kind, **owner)
            fake.add("/subnets", **subnet_json(f"s{mark}", f"n{mark}", project))
            fake.add("/routers", id=f"r{mark}", name="", **owner)
            fake.add("/security-groups", id=f"g{mark}", name="", security_group_rules=[], **owner)
            fake.add(
                "/floatingips",
                id=f"f{mark}",
                floating_ip_address="192.0.2.1",
                floating_network_id="ext",
                **owner,
            )
            for first, device, device_owner in (
                ("p", f"srv{mark}", "compute:nova"),
                ("i", f"r{mark}", "network:router_interface"),
            ):
                fake.add(
                    "/ports",
                    id=f"{first}{mark}",
                    name="",
                    network_id=f"n{mark}",
                    mac_address=f"mac{mark}",
                    fixed_ips=[{"subnet_id": f"s{mark}", "ip_address": "10.0.0.1"}],
                    device_id=device,
                    device_owner=device_owner,
                    **owner,
                )
            fake.add("/images", id=f"im{mark}", name="", owner=project, status="active")
        fake.add("/servers", **server_json(f"srv1{number}", f"im1{number}"))
        fake.add(
            "/volumes",
            id=f"v{number}",
            name="",
            size=1,
            bootable="false",
            status="in-use",
            attachments=[],
        )
        fake.add("/os-keypairs", id=f"k{number}", name=f"k{number}", public_key="ssh-rsa A")


def test_only_what_is_the_projects_own_is_found(fake: FakeCloud) -> None:
    found = discover(SourceCloud(fake.connection))
    assert set(found.networks) == {"n10", "n11", "n12"}
    assert set(found.subnets) == {"s10", "s11", "s12"}
    assert set(found.routers) == {"r10", "r11", "r12"}
    assert set(found.ports) == {f"{kind}1{number}" for kind in "pi" for number in range(3)}
    assert set(found.security_groups) == {"g10", "g11", "g12"}
    assert set(found.floating_ips) == {"f10", "f11", "f12"}
    assert set(found.images) == {"im10", "im11", "im12"}
    assert set(found.keypairs) == {"k0", "k1", "k2"}
    assert len(found.servers) == len(found.volumes) == 3


def test_ports_tell_servers_their_nics_and_routers_their_interfaces(fake: FakeCloud) -> None:
    found = discover(SourceCloud(fake.connection))
    assert [nic.port_id for nic in found.servers["srv10"].record.nics] == ["p10"]
    assert [each.subnet_id for each in found.routers["r10"].interfaces] == ["s10"]


def test_every_list_is_filtered_by_the_project(fake: FakeCloud) -> None:
    discover(SourceCloud(fake.connection))
    for call in fake.calls:
        assert "all_tenants" not in call.params
        assert "all_projects" not in call.params
        if call.path == "/extensions":
            continue
        if call.service in ("network", "image") and call.path.count("/") == 1:
            filters = set(call.params) - {"limit", "marker"}
            assert filters & {"project_id", "owner", "network_id", "router:external", "shared"}
            assert call.params.get("project_id", PROJECT) == PROJECT
            assert call.params.get("owner", PROJECT) == PROJECT


def test_the_number_of_calls_does_not_grow_with_the_project(fake: FakeCloud) -> None:
    discover(SourceCloud(fake.connection))
    few = len(fake.calls)
    larger = FakeCloud()
    fill(larger, 30)
    discover(SourceCloud(larger.connection))
    assert len(larger.calls) == few
    assert not larger.writes


def test_pages_are_followed_to_the_last(fake: FakeCloud) -> None:
    fake.page_size = 2
    found = discover(SourceCloud(fake.connection))
    assert len(found.servers) == len(found.images) == len(found.keypairs) == 3
    pages = [each.params for each in fake.sent("GET", "/servers/detail")]
    assert pages == [{"limit": PAGE_SIZE}, {"limit": PAGE_SIZE, "marker": "srv11"}]


def test_glances_way_to_name_the_next_page_is_followed_too() -> None:
    fake = FakeCloud()
    pages = [{"images": [{"id": "a"}], "next": "/v2/images?marker=a"}, {"images": [{"id": "b"}]}]
    fake.handlers["GET", "/images"] = lambda call, match: response(
        200, pages[1 if call.params.get("marker") == "a" else 0]
    )
    found = SourceCloud(fake.connection).list("image", "/images", "images")
    assert [item["id"] for item in found] == ["a", "b"]


def test_an_image_of_another_project_is_asked_for_only_where_a_server_needs_it(
    fake: FakeCloud,
) -> None:
    fake.of("/servers")["srv10"]["image"] = {"id": "im20"}
    fake.of("/servers")["srv11"]["image"] = {"id": "im20"}
    fake.of("/servers")["srv12"]["image"] = {"id": "gone"}
    found = discover(SourceCloud(fake.connection))
    assert [str(each) for each in fake.sent("GET", "/images/")] == [
        "GET /images/gone",
        "GET /images/im20",
    ]
    assert not found.images["im20"].owned
    assert "gone" not in found.images


@pytest.mark.parametrize("kind", ["shared", "router:external"])
def test_a_network_of_others_brings_its_subnets_when_a_port_is_on_it(
    fake: FakeCloud, kind: str
) -> None:
    for number in range(2):
        network = fake.of("/networks")[f"n2{number}"]
        network[kind] = True
    fake.of("/ports")["p10"]["network_id"] = "n20"
    found = discover(SourceCloud(fake.connection))
    assert "s20" in found.subnets
    assert "s21" not in found.subnets
    assert not found.networks["n20"].owned


def test_the_default_volume_type_is_known_or_not(fake: FakeCloud) -> None:
    cloud = SourceCloud(fake.connection)
    assert discover(cloud).default_volume_type is None
    fake.add("/types", id="default", name="fast")
    assert discover(cloud).default_volume_type == "fast"


def test_a_refusal_says_what_was_asked_and_what_the_cloud_said(fake: FakeCloud) -> None:
    fake.handlers["GET", "/routers"] = lambda call, match: response(
        403, {"NeutronError": {"message": "not you"}}
    )
    with pytest.raises(CaptureError, match=r"/routers: the source refused GET with 403: not you"):
        discover(SourceCloud(fake.connection))
