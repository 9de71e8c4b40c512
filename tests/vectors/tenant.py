"""A tenant with a resource of every type, all keys given, and names that people do not expect."""

from __future__ import annotations

import copy
from typing import Any

from tests.vectors.forge import Json

ODD = [
    "",
    " ",
    "x" * 255,
    "ü" * 255,
    "{{ braces }} {% and %} ${more}",
    "two\nlines\r\nand a\ttab",
    'quotes " and \\ backslashes /',
    "controls \x00 \x01 \x0b \x1f \x7f",
    "\u2028 \u2029 \ufeff \ufffd",
    "العربية 漢字 e\u0301 \U0001f469\u200d\U0001f680",
    "../../etc/passwd",
    "-rf",
    "%s $(touch x) `touch x` ; #",
    "null",
    "0123",
    "dpb in prose, and dpb- too",
]

TAGGED: Json = {"description": "", "tags": []}

DEFAULTS: dict[str, Json] = {
    "keypairs": {"key_type": "ssh"},
    "address_groups": {"description": "", "addresses": []},
    "security_groups": {**TAGGED, "stateful": True, "rules": []},
    "networks": {
        **TAGGED,
        "admin_state_up": True,
        "mtu": None,
        "port_security_enabled": True,
        "dns_domain": "",
        "qos_policy_id": None,
    },
    "subnets": {
        **TAGGED,
        "gateway_ip": None,
        "enable_dhcp": True,
        "allocation_pools": [],
        "host_routes": [],
        "dns_nameservers": [],
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "service_types": [],
    },
    "routers": {
        **TAGGED,
        "admin_state_up": True,
        "external_network_id": None,
        "interfaces": [],
        "routes": [],
    },
    "ports": {
        **TAGGED,
        "fixed_ips": [],
        "security_group_ids": [],
        "admin_state_up": True,
        "port_security_enabled": True,
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "dns_name": "",
        "dns_domain": "",
        "vnic_type": "normal",
        "qos_policy_id": None,
    },
    "trunks": {**TAGGED, "admin_state_up": True, "sub_ports": []},
    "images": {
        "disk_format": "raw",
        "container_format": "bare",
        "min_disk": 0,
        "min_ram": 0,
        "visibility": "private",
        "protected": False,
        "hidden": False,
        "tags": [],
        "properties": {},
        "server_id": None,
    },
    "volumes": {
        "size": 1,
        "description": "",
        "volume_type": None,
        "availability_zone": None,
        "bootable": False,
        "multiattach": False,
        "metadata": {},
        "image_metadata": {},
        "disk_id": None,
        "image_id": None,
    },
    "server_groups": {"max_server_per_host": None},
    "servers": {
        "power_state": "running",
        "description": None,
        "image_id": None,
        "key_name": None,
        "availability_zone": None,
        "config_drive": False,
        "hostname": None,
        "metadata": {},
        "tags": [],
        "user_data": None,
        "disk_config": None,
        "access_ip_v4": None,
        "access_ip_v6": None,
        "locked": False,
        "locked_reason": None,
        "server_group_id": None,
        "nics": [],
        "volumes": [],
    },
    "floating_ips": {
        **TAGGED,
        "port_id": None,
        "fixed_ip_address": None,
        "dns_name": "",
        "dns_domain": "",
        "qos_policy_id": None,
        "port_forwardings": [],
    },
}
DEFAULTS["volume_snapshots"] = {**DEFAULTS["volumes"], "created_at": None}

RULE: Json = {
    "protocol": None,
    "port_range_min": None,
    "port_range_max": None,
    "remote_ip_prefix": None,
    "remote_group_id": None,
    "remote_address_group_id": None,
    "description": "",
}


def record(section: str, each: str, **values: Any) -> Json:
    """A resource with the ID ``each``."""
    return {"id": each, "name": each, **copy.deepcopy(DEFAULTS[section]), **values}


def tenant(disk: str, volume_disk: str) -> dict[str, Json]:
    """``resources`` and ``references`` of a manifest; two disks of the bundle are used."""
    rule = {
        **RULE,
        "id": "r1",
        "direction": "ingress",
        "ether_type": "IPv4",
        "protocol": "tcp",
        "port_range_min": 0,
        "port_range_max": 65535,
        "remote_group_id": "g2",
        "remote_address_group_id": "ag",
    }
    own = {**RULE, "id": "r2", "direction": "egress", "ether_type": "IPv6", "remote_group_id": "g2"}
    resources = {
        "keypairs": [record("keypairs", "my key", public_key="ssh-ed25519 AAAA")],
        "address_groups": [record("address_groups", "ag", addresses=["192.0.2.0/24"])],
        "security_groups": [
            record("security_groups", "g1", rules=[rule]),
            record("security_groups", "g2", rules=[own]),
        ],
        "networks": [
            record("networks", f"n{number}", name=name, description=name, tags=[name])
            for number, name in enumerate(ODD)
        ],
        "subnets": [
            record("subnets", "s1", network_id="n1", ip_version=4, cidr="10.0.0.0/24"),
            record(
                "subnets",
                "s2",
                network_id="n1",
                ip_version=6,
                cidr="fd00::/64",
                gateway_ip="fd00::1",
                ipv6_ra_mode="slaac",
                ipv6_address_mode="slaac",
                allocation_pools=[{"start": "fd00::10", "end": "fd00::ff"}],
                host_routes=[{"destination": "::/0", "nexthop": "fd00::1"}],
                dns_nameservers=["fd00::53"],
            ),
        ],
        "routers": [
            record(
                "routers",
                "rt",
                external_network_id="ext",
                interfaces=[{"subnet_id": "s1", "ip_address": "10.0.0.1"}],
                routes=[{"destination": "10.9.0.0/16", "nexthop": "10.0.0.2"}],
            )
        ],
        "ports": [
            record(
                "ports",
                "p1",
                network_id="n1",
                mac_address="fa:16:3e:00:00:01",
                fixed_ips=[{"subnet_id": "s1", "ip_address": "10.0.0.5"}],
                security_group_ids=["g1", "g2"],
                qos_policy_id="gold",
                allowed_address_pairs=[{"ip_address": "10.0.0.9", "mac_address": None}],
                extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
            )
        ],
        "trunks": [
            record(
                "trunks",
                "tr",
                port_id="p1",
                sub_ports=[{"port_id": "p1", "segmentation_type": "vlan", "segmentation_id": 7}],
            )
        ],
        "images": [
            record(
                "images",
                "i1",
                disk_id=disk,
                server_id="v1",
                properties={"a\nb": "", "kernel_id": "i9", "ramdisk_id": "i1"},
            )
        ],
        "volumes": [
            record(
                "volumes",
                "v1",
                name="a server has this ID too",
                disk_id=volume_disk,
                volume_type="fast",
                availability_zone="nova",
                metadata={"{{ key }}": "{{ value }}"},
            )
        ],
        "volume_snapshots": [
            record(
                "volume_snapshots",
                "v1",
                disk_id=volume_disk,
                volume_id="of a volume that is not here",
                volume_type="fast",
                image_id="i1",
            )
        ],
        "server_groups": [
            record("server_groups", "sg", policy="anti-affinity", max_server_per_host=2)
        ],
        "servers": [
            record(
                "servers",
                "v1",
                flavor="m1.small",
                image_id="i1",
                key_name="my key",
                availability_zone="nova",
                metadata={"mydpb-x": "dpb-x"},
                server_group_id="sg",
                nics=[{"port_id": "p1", "tag": None}],
                volumes=[
                    {
                        "volume_id": "v1",
                        "device": "/dev/vdb",
                        "boot_index": None,
                        "delete_on_termination": False,
                        "tag": None,
                    }
                ],
            )
        ],
        "floating_ips": [
            record("floating_ips", "f1", floating_network_id="ext", port_id="p1"),
            record(
                "floating_ips",
                "f2",
                floating_network_id="ext",
                port_forwardings=[
                    {
                        "protocol": "tcp",
                        "internal_port_id": "p1",
                        "internal_ip_address": "10.0.0.5",
                        "internal_port": 22,
                        "external_port": 2222,
                        "internal_port_range": None,
                        "external_port_range": None,
                        "description": "",
                    }
                ],
            ),
        ],
    }
    return {"resources": resources, "references": _references()}


def without(disk: str) -> dict[str, Json]:
    """``resources`` and ``references`` where an empty text stands in the place of null."""
    rule = {**RULE, "id": "r", "direction": "ingress", "ether_type": "IPv4"}
    rule |= {"remote_group_id": "", "remote_address_group_id": ""}
    server = {"image_id": "", "key_name": "", "availability_zone": "", "server_group_id": ""}
    volume = {"volume_type": "", "availability_zone": "", "image_id": ""}
    resources: Json = {section: [] for section in DEFAULTS}
    resources |= {
        "security_groups": [record("security_groups", "g", rules=[rule])],
        "networks": [record("networks", "n", qos_policy_id="")],
        "routers": [record("routers", "rt", external_network_id="")],
        "ports": [
            record("ports", "p", network_id="n", mac_address="fa:16:3e:00:00:01", qos_policy_id="")
        ],
        "images": [
            record(
                "images",
                "i",
                disk_id=disk,
                server_id="",
                properties={"kernel_id": "", "ramdisk_id": ""},
            )
        ],
        "volumes": [record("volumes", "v", **volume)],
        "servers": [record("servers", "s", flavor="m1.small", **server)],
        "floating_ips": [
            record("floating_ips", "f", floating_network_id="ext", port_id="", qos_policy_id="")
        ],
    }
    return {"resources": resources, "references": _references()}


def _references() -> Json:
    return {
        "flavors": [
            {
                "id": "m1.small",
                "name": "m1.small",
                "vcpus": 1,
                "ram": 512,
                "disk": 1,
                "ephemeral": 0,
                "swap": 0,
            }
        ],
        "networks": [{"id": "ext", "name": "public", "external": True, "shared": False}],
        "subnets": [{"id": "s9", "name": "s9", "network_id": "ext", "cidr": "192.0.2.0/24"}],
        "images": [
            {
                "id": "i9",
                "name": "cirros",
                "disk_format": None,
                "size": 2**53 - 1,
                "hash_algo": None,
                "hash_value": None,
            }
        ],
        "volume_types": [{"id": "fast", "name": "fast", "is_default": False}],
        "availability_zones": [
            {"id": "compute/nova", "name": "nova", "service": "compute"},
            {"id": "volume/nova", "name": "nova", "service": "volume"},
        ],
        "keypairs": [{"id": "gone", "name": "gone"}],
        "qos_policies": [{"id": "gold", "name": "gold", "shared": True}],
    }
