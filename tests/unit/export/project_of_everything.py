"""A project with one of everything, on a source in memory: what hangs on a server, what does not,
and what no bundle carries."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.unit.export.capture_source import Source
from tests.unit.fake_cloud import PROJECT, Call, response

OWN = {"project_id": PROJECT, "admin_state_up": True}
OPEN = {"router:external": False, "shared": False}


def everything() -> Source:
    """Its names tell: ``spare-…`` needs no server, ``web-…`` is of the server ``web``."""
    fake = Source()
    for path in ("/servers", "/volumes"):
        fake.of(path).clear()
    fake.extensions = ["address-group", "trunk", "qos"]
    _networks(fake)
    _disks(fake)
    _no_bundle_carries(fake)
    fake.add("/os-keypairs", id="key", name="key", public_key="ssh-ed25519 A", type="ssh")
    for name in ("web-group", "spare-group"):
        members = ["web"] if name == "web-group" else []
        fake.add("/os-server-groups", id=name, name=name, policy="affinity", members=members)
    return fake


def rule(group: str, identity: str, **more: Any) -> dict[str, Any]:
    base = {"id": identity, "security_group_id": group, "direction": "egress", "ethertype": "IPv4"}
    return {**base, **more}


def default_rules(group: str) -> list[dict[str, Any]]:
    """As Neutron makes them."""
    return [
        rule(group, "r1"),
        rule(group, "r2", ethertype="IPv6"),
        rule(group, "r3", direction="ingress", remote_group_id=group),
        rule(group, "r4", direction="ingress", ethertype="IPv6", remote_group_id=group),
    ]


def port(fake: Source, name: str, network: str, **more: Any) -> None:
    number = len(fake.of("/ports")) + 10
    fake.add(
        "/ports",
        **{
            "id": name,
            "name": name,
            "network_id": network,
            "mac_address": f"fa:16:3e:00:00:{number}",
            "fixed_ips": [{"subnet_id": f"{network}-v4", "ip_address": f"10.0.0.{number}"}],
            "device_id": "",
            "device_owner": "",
            **OWN,
            **more,
        },
    )


def _networks(fake: Source) -> None:
    fake.add("/networks", id="public", name="public", **{**OPEN, "router:external": True})
    fake.of("/networks")["public"].update(project_id="operator", admin_state_up=True)
    for name in ("web-net", "spare-net"):
        fake.add("/networks", id=name, name=name, **OPEN, **OWN)
        fake.add(
            "/subnets",
            id=f"{name}-v4", name=f"{name}-v4", network_id=name, ip_version=4, cidr="10.0.0.0/24",
            gateway_ip="10.0.0.1", enable_dhcp=True, allocation_pools=[], host_routes=[],
            dns_nameservers=[], **OWN,
        )  # fmt: skip
        port(fake, f"{name}-dhcp", name, device_id="dhcp", device_owner="network:dhcp")
    for name in ("web-router", "spare-router"):
        fake.add(
            "/routers", id=name, name=name, external_gateway_info={"network_id": "public"}, **OWN
        )
    owner = {"device_owner": "network:router_interface"}
    port(fake, "interface", "web-net", device_id="web-router", **owner)
    for name in ("web-rules", "spare-rules"):
        fake.add("/security-groups", id=name, name=name, security_group_rules=[], **OWN)
    fake.add(
        "/security-groups",
        id="own", name="default", security_group_rules=default_rules("own"), **OWN,
    )  # fmt: skip
    fake.add("/address-groups", id="spare-addresses", name="spare-addresses", addresses=[], **OWN)
    port(fake, "web-port", "web-net", device_id="web", device_owner="compute:nova",
         security_groups=["web-rules"])  # fmt: skip
    port(fake, "spare-port", "spare-net")
    port(fake, "spare-parent", "spare-net")
    port(fake, "spare-child", "spare-net", device_id="spare-trunk", device_owner="trunk:subport")
    port(fake, "vip", "spare-net", device_id="lb-front", device_owner="Octavia")
    child = {"port_id": "spare-child", "segmentation_type": "vlan", "segmentation_id": 7}
    fake.add("/trunks", id="spare-trunk", name="spare-trunk", port_id="spare-parent",
             sub_ports=[child], **OWN)  # fmt: skip
    for name, used_by in (("192.0.2.1", "web-port"), ("192.0.2.2", None)):
        fake.add(
            "/floatingips",
            id=name, floating_ip_address=name, floating_network_id="public", port_id=used_by, **OWN,
        )  # fmt: skip


def _disks(fake: Source) -> None:
    flavor = {"original_name": "m1", "vcpus": 1, "ram": 1, "disk": 1}
    fake.add(
        "/servers",
        **{
            "id": "web", "name": "web", "status": "SHUTOFF", "flavor": flavor, "metadata": {},
            "image": {"id": "golden"}, "key_name": "key", "OS-EXT-STS:task_state": None,
            "os-extended-volumes:volumes_attached": [{"id": "web-data"}],
        },
    )  # fmt: skip
    attached = [{"server_id": "web", "device": "/dev/vdb"}]
    for name, more in (("web-data", {"attachments": attached}), ("spare-data", {})):
        status = "in-use" if more else "available"
        fake.add("/volumes", id=name, name=name, size=1, bootable="false", status=status,
                 **{"attachments": [], "metadata": {}, **more})  # fmt: skip
    for name, status in (("spare-snapshot", "available"), ("broken-snapshot", "error")):
        fake.add("/snapshots", id=name, name=name, size=1, volume_id="web-data", status=status,
                 created_at="2026-01-02T03:04:05.678901")  # fmt: skip
    fake.add("/images", id="queued", name="queued", owner=PROJECT, status="queued")
    fake.add("/backups", id="backup", name="nightly", project_id=PROJECT)
    for path, key in (
        ("os-interface", "interfaceAttachments"),
        ("os-volume_attachments", "volumeAttachments"),
    ):
        fake.handlers["GET", f"/servers/web/{path}"] = partial(_told, {key: []})
    fake.of("/images")["golden"].update(owner=PROJECT, status="active", size=16000)


def _told(answer: Any, call: Call, match: object) -> Any:
    return response(200, answer)


def _no_bundle_carries(fake: Source) -> None:
    fake.offer("identity", "/v3", {})
    fake.offer(
        "load-balancer",
        "/v2/lbaas/loadbalancers",
        {"loadbalancers": [{"id": "front", "name": "front", "project_id": PROJECT}]},
    )
    secret = {"secret_ref": "http://cloud/key-manager/v1/secrets/s1", "name": None}
    fake.offer("key-manager", "/v1/secrets", {"secrets": [secret], "total": 1})
    fake.offer("key-manager", "/v1/containers", {"containers": []})
    fake.offer("object-store", "/", [{"name": "photos", "count": 3, "bytes": 9}])
    fake.offer("orchestration", f"/v1/{PROJECT}/stacks", {"stacks": []})
    fake.offer("rating", "/v1", {})
    theirs = {"id": "gold", "name": "gold", "project_id": "operator"}
    mine = {"id": "slow", "name": "slow", "project_id": PROJECT}
    fake.offer("network", "/qos/policies", {"policies": [theirs, mine]})
