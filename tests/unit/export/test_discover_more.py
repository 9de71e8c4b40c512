"""Address groups, trunks, forwardings, QoS policies: found where the source has them."""

from __future__ import annotations

from dataclasses import replace

from bundle_spec.model import (
    AddressGroup,
    Network,
    PortForwarding,
    QosPolicyReference,
    Ref,
    SubPort,
    Trunk,
)
from downpour_export.cloud import SourceCloud
from downpour_export.discover import address_group, complete, discover, floating_ip, trunk
from downpour_export.plan import make_plan
from downpour_export.plan.graph import closure
from tests.unit.export import things
from tests.unit.fake_cloud import PROJECT, FakeCloud, response

FORWARDING = PortForwarding(
    protocol="tcp", internal_port_id="p-web", internal_ip_address="10.0.0.5", internal_port=22,
    external_port=2222,
)  # fmt: skip


def test_an_address_group() -> None:
    item = {
        "id": "a",
        "name": "n",
        "description": None,
        "addresses": ["10.1.0.0/16", "10.0.0.1/32"],
    }
    assert address_group.record_of(item) == AddressGroup(
        id="a", name="n", addresses=("10.0.0.1/32", "10.1.0.0/16")
    )


def test_a_trunk() -> None:
    sub_ports = [
        {"port_id": "p2", "segmentation_type": "vlan", "segmentation_id": 9},
        {"port_id": "p1", "segmentation_type": "inherit", "segmentation_id": 3},
    ]
    item = {"id": "t", "name": "n", "port_id": "p", "admin_state_up": False, "tags": ["x"],
            "sub_ports": sub_ports}  # fmt: skip
    assert trunk.record_of(item) == Trunk(
        id="t",
        name="n",
        port_id="p",
        admin_state_up=False,
        tags=("x",),
        sub_ports=(
            SubPort(port_id="p1", segmentation_type="inherit", segmentation_id=3),
            SubPort(port_id="p2", segmentation_type="vlan", segmentation_id=9),
        ),
    )


def test_a_source_without_these_extensions_is_not_asked_for_them() -> None:
    fake = FakeCloud()
    fake.extensions = []
    discover(SourceCloud(fake.connection))
    assert not fake.sent("GET", "/trunks")
    assert not fake.sent("GET", "/address-groups")


def test_policies_are_asked_for_by_id_once_each_and_one_that_is_hidden_is_its_id() -> None:
    fake = FakeCloud()
    common = {"admin_state_up": True, "project_id": PROJECT, "qos_policy_id": "gold"}
    fake.add("/networks", id="n", name="n", **common)
    port = {"name": "", "network_id": "n", "mac_address": "m", "fixed_ips": []}
    fake.add("/ports", id="p1", device_id="", device_owner="", **port, **common)
    hidden = {**common, "qos_policy_id": "hidden"}
    fake.add("/ports", id="p2", device_id="", device_owner="", **port, **hidden)
    fake.handlers["GET", "/qos/policies/gold"] = lambda call, match: response(
        200, {"policy": {"id": "gold", "name": "Gold", "shared": True}}
    )
    found = discover(SourceCloud(fake.connection))
    assert found.qos_policies == {
        "gold": QosPolicyReference(id="gold", name="Gold", shared=True),
        "hidden": QosPolicyReference(id="hidden", name="hidden"),
    }
    assert len(fake.sent("GET", "/qos/policies/")) == 2


def test_a_network_that_is_shared_with_this_project_alone_is_found_by_its_port() -> None:
    """RBAC: it is neither the project's own, nor shared with everybody, nor external."""
    fake = FakeCloud()
    theirs = {"admin_state_up": True, "project_id": "another", "shared": False}
    theirs["router:external"] = False
    fake.add("/networks", id="theirs", name="theirs", **theirs)
    fake.add("/ports", id="p", name="", network_id="theirs", mac_address="m", fixed_ips=[],
             admin_state_up=True, device_id="", device_owner="", project_id=PROJECT)  # fmt: skip
    found = discover(SourceCloud(fake.connection))
    assert not found.networks["theirs"].owned
    assert [str(each) for each in fake.sent("GET", "/networks/")] == ["GET /networks/theirs"]


def test_hidden_images_are_found_too() -> None:
    fake = FakeCloud()
    fake.handlers["GET", "/images"] = lambda call, match: response(
        200,
        {
            "images": [
                {"id": "h" if call.params.get("os_hidden") else "v", "owner": PROJECT,
                 "status": "active"}
            ]
        },
    )  # fmt: skip
    assert set(discover(SourceCloud(fake.connection)).images) == {"h", "v"}


def test_forwardings_have_their_descriptions_from_their_own_list() -> None:
    fake = FakeCloud()
    inside = {"internal_port_id": "p-web", "internal_ip_address": "10.0.0.5", "internal_port": 22}
    told = {"id": "x", "protocol": "tcp", "external_port": 2222, **inside}
    fake.handlers["GET", "/floatingips/f2/port_forwardings"] = lambda call, match: response(
        200, {"port_forwardings": [{**told, "description": "ssh"}]}
    )
    whole = things.inventory()
    whole.floating_ips["f2"] = replace(
        whole.floating_ips["f2"], port_forwardings=floating_ip.forwardings_of([told])
    )
    refs = [Ref("floating_ip", "f1"), Ref("floating_ip", "f2")]
    found = complete(SourceCloud(fake.connection), whole, refs)
    assert found.floating_ips["f2"].port_forwardings == (replace(FORWARDING, description="ssh"),)
    assert len(fake.calls) == 1


def test_a_server_pulls_in_trunks_and_addresses_that_forward_to_it() -> None:
    whole = things.inventory()
    whole.ports["p-sub"] = things.port("p-sub", "n-own", "s-own")
    sub_port = SubPort(port_id="p-sub", segmentation_type="vlan", segmentation_id=1)
    whole.trunks["t"] = Trunk(id="t", name="", port_id="p-web", sub_ports=(sub_port,))
    whole.floating_ips["f2"] = replace(whole.floating_ips["f2"], port_forwardings=(FORWARDING,))
    reached = closure(whole, [whole.servers["web"].record])
    assert Ref("trunk", "t") in reached
    assert Ref("port", "p-sub") in reached
    assert Ref("floating_ip", "f2") in reached


def test_what_leads_nowhere_is_left_out_and_told() -> None:
    whole = things.inventory()
    elsewhere = replace(FORWARDING, internal_port_id="p-of-another-server")
    whole.floating_ips["f2"] = replace(
        whole.floating_ips["f2"], port_forwardings=(FORWARDING, elsewhere)
    )
    theirs = SubPort(port_id="of another project", segmentation_type="vlan", segmentation_id=1)
    whole.trunks["t"] = Trunk(id="t", name="t", port_id="p-web", sub_ports=(theirs,))
    rule = things.rule("r", remote_address_group_id="of another project")
    group = whole.security_groups["g-web"]
    whole.security_groups["g-web"] = replace(group, rules=(rule,))
    own = whole.images["i-own"]
    kernel = {"kernel_id": "gone", "os_distro": "x"}
    whole.images["i-own"] = replace(own, record=replace(own.record, properties=kernel))
    text = "servers: [{name: web}]\nimages: [{name: i-own}]\n"
    plan = make_plan(things.wanted(text), whole)
    lost = {(each.type, each.attribute) for each in plan.omissions}
    assert {
        ("floating_ip", "port_forwardings"),
        ("trunk", "sub_ports"),
        ("security_group", "rules"),
        ("image", "kernel_id"),
    } <= lost
    address = next(each for each in plan.resources.floating_ips if each.id == "f2")
    assert address.port_forwardings == (FORWARDING,)
    assert plan.resources.trunks[0].sub_ports == ()
    assert plan.resources.images[0].properties == {"os_distro": "x"}


def test_a_policy_is_referred_to() -> None:
    whole = things.inventory()
    record = Network(id="n-own", name="own", qos_policy_id="gold")
    whole.networks["n-own"] = replace(whole.networks["n-own"], record=record)
    whole.qos_policies["gold"] = QosPolicyReference(id="gold", name="Gold")
    plan = make_plan(things.wanted("servers: [{name: web}]\n"), whole)
    assert plan.references.qos_policies == (QosPolicyReference(id="gold", name="Gold"),)
