"""A tenant in which every attribute that can be set is set, made through the plain APIs.

In the source's other project: the demo's tenant stays as small as it is.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Cloud = Any
"""A connection of openstacksdk."""

POLICY = "gold"
MAC = "fa:16:3e:12:34:56"
USER_DATA = b"#!/bin/sh\necho '{{ 7*7 }}'\n"

EXPORT_YML = """\
keypairs:
  - name: rich-key
images:
  - name: rich-image
volumes:
  - name: rich-data
    snapshots: true
servers:
  - name: rich
    stop: true
    user_data: init.sh
  - name: to-volume
    boot: volume
    stop: keep
  - name: to-image
    boot: image
  - name: again
    save_state: false
  - name: shelf
networks:
  - name: spare
server_groups:
  - name: nobody
"""


@dataclass
class Rich:
    """Name -> what the API answered when it was made."""

    made: dict[str, Any] = field(default_factory=dict)

    def id(self, name: str) -> str:
        identity: str = self.made[name]["id"]
        return identity


def call(adapter: Any, method: str, path: str, body: Any = None, version: str | None = None) -> Any:
    """One request; its JSON answer, or None."""
    answer = adapter.request(path, method, json=body, microversion=version, raise_exc=False)
    assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def wait(look: Callable[[], Any], ready: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 180
    while not ready(item := look()):
        assert time.monotonic() < deadline, item
        time.sleep(0.3)
    return item


def policies(admin: Cloud) -> None:
    """What only an operator makes: a policy that tenants may use."""
    body = {"policy": {"name": POLICY, "shared": True}}
    call(admin.network, "POST", "/qos/policies", body)


def build(cloud: Cloud) -> Rich:
    rich = Rich()
    policy = call(cloud.network, "GET", f"/qos/policies?name={POLICY}")["policies"][0]["id"]
    _networks(cloud, rich, policy)
    _groups(cloud, rich)
    _ports(cloud, rich, policy)
    _images(cloud, rich)
    _volumes(cloud, rich)
    _servers(cloud, rich)
    return rich


def _network_maker(cloud: Cloud, rich: Rich) -> Callable[..., Any]:
    def make(key: str, known_as: str, tags: tuple[str, ...] = (), **body: Any) -> Any:
        path = "/" + key.replace("_", "-") + "s"
        made = call(cloud.network, "POST", path, {key: body})[key]
        rich.made[known_as] = made
        if tags:
            call(cloud.network, "PUT", f"{path}/{made['id']}/tags", {"tags": list(tags)})
        return made

    return make


def _networks(cloud: Cloud, rich: Rich, policy: str) -> None:
    make = _network_maker(cloud, rich)
    make(
        "network",
        "lab",
        ("net-a", "net-b"),
        name="lab",
        description="the lab",
        mtu=1400,
        qos_policy_id=policy,
        dns_domain="lab.example.",
    )
    make("network", "bare", name="bare", port_security_enabled=False, admin_state_up=False)
    make("network", "spare", name="spare", description="no server needs it")
    make(
        "subnet",
        "lab-v4",
        ("sub",),
        network_id=rich.id("lab"),
        name="lab-v4",
        ip_version=4,
        cidr="10.50.0.0/24",
        gateway_ip="10.50.0.254",
        description="both pools",
        allocation_pools=[
            {"start": "10.50.0.10", "end": "10.50.0.99"},
            {"start": "10.50.0.120", "end": "10.50.0.199"},
        ],
        host_routes=[{"destination": "172.30.0.0/16", "nexthop": "10.50.0.9"}],
        dns_nameservers=["192.0.2.53", "192.0.2.54"],
    )
    make(
        "subnet",
        "lab-v6",
        network_id=rich.id("lab"),
        name="lab-v6",
        ip_version=6,
        cidr="fd00:50::/64",
        gateway_ip=None,
        ipv6_address_mode="dhcpv6-stateful",
        ipv6_ra_mode="dhcpv6-stateful",
    )
    make(
        "subnet",
        "bare-v4",
        network_id=rich.id("bare"),
        name="",
        ip_version=4,
        cidr="10.51.0.0/24",
        gateway_ip=None,
        enable_dhcp=False,
    )
    make(
        "subnet",
        "bare-agents",
        network_id=rich.id("bare"),
        name="agents",
        ip_version=4,
        cidr="10.52.0.0/24",
        gateway_ip=None,
        enable_dhcp=False,
        service_types=["network:floatingip_agent_gateway"],
    )
    make(
        "subnet",
        "spare-v4",
        network_id=rich.id("spare"),
        name="spare",
        ip_version=4,
        cidr="10.53.0.0/24",
    )
    outside = cloud.network.find_network("public").id
    make(
        "router",
        "edge",
        ("r",),
        name="lab-edge",
        description="the way out",
        external_gateway_info={"network_id": outside},
    )
    port = make(
        "port",
        "edge-port",
        network_id=rich.id("lab"),
        name="",
        fixed_ips=[{"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.1"}],
    )
    path = f"/routers/{rich.id('edge')}"
    call(cloud.network, "PUT", f"{path}/add_router_interface", {"port_id": port["id"]})
    route = {"destination": "172.29.0.0/16", "nexthop": "10.50.0.77"}
    call(cloud.network, "PUT", path, {"router": {"routes": [route]}})


def _groups(cloud: Cloud, rich: Rich) -> None:
    make = _network_maker(cloud, rich)
    make(
        "address_group",
        "partners",
        name="partners",
        description="who may come in",
        addresses=["192.0.2.0/24", "198.51.100.7/32"],
    )
    make("security_group", "front", ("sg",), name="front", description="the front")
    make("security_group", "loose", name="loose", stateful=False)
    default = call(
        cloud.network, "GET", f"/security-groups?name=default&project_id={cloud.current_project_id}"
    )
    rich.made["default"] = default["security_groups"][0]

    def rule(group: str, **body: Any) -> None:
        body = {"security_group_id": rich.id(group), "direction": "ingress", **body}
        body.setdefault("ethertype", "IPv4")
        call(cloud.network, "POST", "/security-group-rules", {"security_group_rule": body})

    rule("front", protocol="icmp", port_range_min=0, port_range_max=0, description="pong")
    rule(
        "front",
        protocol="tcp",
        port_range_min=1,
        port_range_max=65535,
        remote_address_group_id=rich.id("partners"),
        description="partners",
    )
    rule("front", protocol="udp", remote_group_id=rich.id("front"))
    rule("front", protocol="132", ethertype="IPv6", remote_ip_prefix="fd00::/8")
    rule("default", protocol="tcp", port_range_min=22, port_range_max=22, description="ssh")


def _ports(cloud: Cloud, rich: Rich, policy: str) -> None:
    make = _network_maker(cloud, rich)
    make(
        "port",
        "front-port",
        ("p",),
        name="front-port",
        description="the first NIC",
        network_id=rich.id("lab"),
        mac_address=MAC,
        fixed_ips=[
            {"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.20"},
            {"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.21"},
            {"subnet_id": rich.id("lab-v6"), "ip_address": "fd00:50::20"},
        ],
        security_groups=[rich.id("front"), rich.id("default")],
        allowed_address_pairs=[
            {"ip_address": "10.50.0.200"},
            {"ip_address": "10.50.0.201", "mac_address": "fa:16:3e:00:00:99"},
        ],
        extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        dns_name="front",
        qos_policy_id=policy,
    )
    make("port", "back-port", name="back-port", network_id=rich.id("bare"), admin_state_up=False)
    make(
        "port",
        "vlan-port",
        name="vlan-port",
        network_id=rich.id("lab"),
        fixed_ips=[{"subnet_id": rich.id("lab-v4"), "ip_address": "10.50.0.150"}],
        security_groups=[rich.id("front")],
    )
    make(
        "trunk",
        "trunk",
        ("t",),
        name="trunk",
        description="two in one",
        port_id=rich.id("front-port"),
        sub_ports=[
            {"port_id": rich.id("vlan-port"), "segmentation_type": "vlan", "segmentation_id": 101}
        ],
    )
    outside = cloud.network.find_network("public").id
    fip = call(
        cloud.network,
        "POST",
        "/floatingips",
        {"floatingip": {"floating_network_id": outside, "description": "ssh only"}},
    )
    rich.made["fip"] = fip["floatingip"]
    call(cloud.network, "PUT", f"/floatingips/{rich.id('fip')}/tags", {"tags": ["f"]})
    forwarding = {
        "protocol": "tcp",
        "internal_port": 22,
        "external_port": 2222,
        "internal_ip_address": "10.50.0.20",
        "internal_port_id": rich.id("front-port"),
        "description": "ssh",
    }
    call(
        cloud.network,
        "POST",
        f"/floatingips/{rich.id('fip')}/port_forwardings",
        {"port_forwarding": forwarding},
    )


def _images(cloud: Cloud, rich: Rich) -> None:
    def image(name: str, content: bytes, **more: Any) -> None:
        made = cloud.image.create_image(
            name,
            data=io.BytesIO(content),
            wait=True,
            disk_format="raw",
            container_format="bare",
            allow_duplicates=True,
            **more,
        )
        rich.made[name] = {"id": made.id}

    image("rich-kernel", b"kernel" * 1000)
    image(
        "rich-image",
        b"image " * 5000,
        min_disk=1,
        min_ram=64,
        tags=["i", "j"],
        kernel_id=rich.id("rich-kernel"),
        hw_disk_bus="scsi",
        os_distro="debian",
        my_own="{{ braces }}",
    )
    patch = [
        {"op": "replace", "path": "/protected", "value": True},
        {"op": "replace", "path": "/os_hidden", "value": True},
    ]
    path = f"/images/{rich.id('rich-image')}"
    headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    answer = cloud.image.request(path, "PATCH", json=patch, headers=headers)
    assert answer.status_code == 200, answer.text


def _volumes(cloud: Cloud, rich: Rich) -> None:
    storage = cloud.block_storage

    def volume(name: str, **more: Any) -> None:
        made = call(storage, "POST", "/volumes", {"volume": {"name": name, "size": 1, **more}})
        rich.made[name] = made["volume"]
        path = f"/volumes/{rich.id(name)}"
        wait(lambda: call(storage, "GET", path)["volume"], lambda it: it["status"] == "available")

    volume(
        "rich-data",
        description="the data",
        metadata={"kept": "{{ yes }}"},
        volume_type="hdd",
        availability_zone="nova",
    )
    path = f"/volumes/{rich.id('rich-data')}/action"
    call(storage, "POST", path, {"os-set_bootable": {"bootable": True}})
    call(storage, "POST", path, {"os-set_image_metadata": {"metadata": {"hw_disk_bus": "virtio"}}})
    snapshot = {
        "name": "before",
        "volume_id": rich.id("rich-data"),
        "description": "as it was",
        "metadata": {"why": "upgrade"},
    }
    made = call(storage, "POST", "/snapshots", {"snapshot": snapshot})["snapshot"]
    rich.made["before"] = made
    wait(
        lambda: call(storage, "GET", f"/snapshots/{made['id']}")["snapshot"],
        lambda it: it["status"] == "available",
    )
    public = cloud.image.find_image("tiny-linux-1.0").id
    volume("to-image-root", imageRef=public)
    volume("again-root", imageRef=public)


def _servers(cloud: Cloud, rich: Rich) -> None:
    compute = cloud.compute
    rich.made["rich-key"] = {"id": cloud.compute.create_keypair(name="rich-key").name}
    for name in ("spread", "nobody"):
        group = {"name": name, "policy": "anti-affinity", "rules": {"max_server_per_host": 2}}
        made = call(compute, "POST", "/os-server-groups", {"server_group": group}, "2.64")
        rich.made[name] = made["server_group"]
    image = cloud.image.find_image("tiny-linux-1.0").id
    tiny, nodisk = (compute.find_flavor(name).id for name in ("m1.tiny", "m1.nodisk"))

    def server(name: str, flavor: str = tiny, hints: Any = None, **more: Any) -> None:
        body = {"server": {"name": name, "flavorRef": flavor, "networks": "none", **more}}
        if hints:
            body["os:scheduler_hints"] = hints
        rich.made[name] = call(compute, "POST", "/servers", body, "2.96")["server"]
        path = f"/servers/{rich.id(name)}"
        wait(lambda: call(compute, "GET", path)["server"], lambda it: it["status"] == "ACTIVE")

    def root(volume: str) -> list[dict[str, Any]]:
        return [
            {
                "boot_index": 0,
                "uuid": rich.id(volume),
                "source_type": "volume",
                "destination_type": "volume",
            }
        ]

    server(
        "rich",
        imageRef=image,
        key_name="rich-key",
        config_drive=True,
        description="all of it",
        hostname="rich-host",
        metadata={"role": "{{ rich }}"},
        tags=["s", "t"],
        networks=[
            {"port": rich.id("front-port"), "tag": "front"},
            {"port": rich.id("back-port"), "tag": "back"},
        ],
        hints={"group": rich.id("spread")},
        accessIPv4="203.0.113.9",
        accessIPv6="2001:db8::9",
        user_data=base64.b64encode(b"what the tenant cannot read").decode(),
        **{"OS-DCF:diskConfig": "MANUAL"},
    )
    path = f"/servers/{rich.id('rich')}"
    attachment = {"volumeId": rich.id("rich-data"), "tag": "data", "delete_on_termination": True}
    call(compute, "POST", f"{path}/os-volume_attachments", {"volumeAttachment": attachment}, "2.79")
    storage = cloud.block_storage
    wait(
        lambda: call(storage, "GET", f"/volumes/{rich.id('rich-data')}")["volume"],
        lambda it: it["status"] == "in-use",
    )
    server("to-volume", imageRef=image)
    server("to-image", block_device_mapping_v2=root("to-image-root"))
    server("again", nodisk, block_device_mapping_v2=root("again-root"))
    lock = {"lock": {"locked_reason": "not on a Sunday"}}
    call(compute, "POST", f"/servers/{rich.id('again')}/action", lock, "2.73")
    server("shelf", imageRef=image)
    path = f"/servers/{rich.id('shelf')}"
    call(compute, "POST", f"{path}/action", {"shelve": None})
    wait(
        lambda: call(compute, "GET", path)["server"], lambda it: it["status"] == "SHELVED_OFFLOADED"
    )
