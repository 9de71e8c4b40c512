"""What only exists per object, and what asking for a large project costs."""

from __future__ import annotations

from bundle_spec.model import Ref
from downpour_export.cloud import SourceCloud
from downpour_export.discover import complete, discover
from downpour_export.plan.graph import closure
from tests.unit.export import things
from tests.unit.fake_cloud import PROJECT, FakeCloud, response


def test_tags_of_nics_and_volumes_and_members_of_images() -> None:
    fake = FakeCloud()
    fake.handlers["GET", "/servers/web/os-interface"] = lambda call, match: response(
        200, {"interfaceAttachments": [{"port_id": "p-web", "tag": "front"}]}
    )
    fake.handlers["GET", "/servers/web/os-volume_attachments"] = lambda call, match: response(
        200, {"volumeAttachments": [{"volumeId": "v-data", "tag": "data"}]}
    )
    fake.handlers["GET", "/images/i-own/members"] = lambda call, match: response(
        200, {"members": [{"member_id": "b"}, {"member_id": "a"}]}
    )
    whole = things.inventory()
    shared = things.image("i-own", visibility="shared")
    whole.images["i-own"] = shared
    refs = [Ref("server", "web"), Ref("image", "i-own"), Ref("image", "i-public")]
    found = complete(SourceCloud(fake.connection), whole, refs)
    record = found.servers["web"].record
    assert [each.tag for each in record.nics] == ["front"]
    assert [each.tag for each in record.volumes] == ["data"]
    assert found.images["i-own"].members == ("a", "b")
    assert len(fake.calls) == 3


def test_an_older_nova_is_not_asked_for_tags() -> None:
    fake = FakeCloud()
    fake.microversions["compute"] = "2.69"
    whole = things.inventory()
    found = complete(SourceCloud(fake.connection), whole, [Ref("server", "web")])
    assert found.servers == whole.servers
    assert fake.calls == []


def test_a_pinned_microversion_is_not_exceeded() -> None:
    fake = FakeCloud()
    fake.connection.compute.default_microversion = "2.60"
    fake.connection.block_storage.default_microversion = "3.99"
    cloud = SourceCloud(fake.connection)
    assert cloud.microversion("compute") == "2.60"
    assert cloud.microversion("block_storage") == "3.70"
    assert cloud.supports("compute", "2.60")
    assert not cloud.supports("compute", "2.61")


SERVERS, PAGE = 1000, 100
FLAVOR = {"original_name": "m1", "vcpus": 1, "ram": 512, "disk": 1}


def large() -> FakeCloud:
    """A thousand servers, each with two ports and a volume."""
    fake = FakeCloud()
    fake.page_size = PAGE
    fake.add("/networks", id="n", name="n", admin_state_up=True, project_id=PROJECT)
    for number in range(SERVERS):
        server, volume = f"s{number}", f"v{number}"
        for nic in range(2):
            fake.add(
                "/ports",
                id=f"p{number}-{nic}",
                name="",
                network_id="n",
                mac_address=f"{number}-{nic}",
                fixed_ips=[],
                admin_state_up=True,
                device_id=server,
                device_owner="compute:nova",
                project_id=PROJECT,
            )
        fake.add(
            "/volumes",
            id=volume,
            name="",
            size=1,
            bootable="false",
            status="in-use",
            attachments=[{"server_id": server, "device": "/dev/vdb"}],
        )
        attached = [{"id": volume, "delete_on_termination": False}]
        fake.add(
            "/servers",
            id=server,
            name=server,
            status="ACTIVE",
            flavor=FLAVOR,
            image={"id": "gone"},
            **{"os-extended-volumes:volumes_attached": attached},
        )
    attachments: dict[str, list[object]] = {"interfaceAttachments": [], "volumeAttachments": []}
    fake.handlers["GET", "/servers/.*/os-.*"] = lambda call, match: response(200, attachments)
    return fake


def test_a_thousand_servers_cost_their_pages_and_a_call_for_each_object() -> None:
    fake = large()
    cloud = SourceCloud(fake.connection)
    inventory = discover(cloud)
    pages = sum(
        -(-len(fake.of(path)) // PAGE) for path in ("/servers", "/volumes", "/ports", "/networks")
    )
    lists = len(fake.calls)
    assert len(inventory.servers) == SERVERS
    assert lists <= 3 * pages
    carried = closure(inventory, [each.record for each in inventory.servers.values()]).pulled_in_by
    complete(cloud, inventory, carried)
    assert len(fake.calls) - lists <= len(carried)
