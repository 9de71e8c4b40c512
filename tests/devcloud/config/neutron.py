from __future__ import annotations

from pathlib import Path

from ..cloud import Cloud
from .common import (
    PACKAGE,
    Sections,
    authtoken,
    concurrency,
    credentials,
    database,
    defaults,
)

_PLUGINS = (
    "router",
    "port_forwarding",
    "tag",
    "qos",
    "trunk",
    "network_ip_availability",
    "timestamp",
    "revisions",
    "auto_allocate",
)


def sections(cloud: Cloud) -> Sections:
    quotas = cloud.spec.quotas
    return {
        "DEFAULT": {
            **defaults(cloud, "neutron"),
            "host": cloud.name,
            "state_path": cloud.root / "neutron",
            "core_plugin": "ml2",
            "service_plugins": ",".join(_PLUGINS),
            "auth_strategy": "keystone",
            "api_paste_config": cloud.etc / "neutron-api-paste.ini",
            "global_physnet_mtu": 1500,
            # There are no agents to notify or to schedule on, and ports are ACTIVE as
            # soon as they are bound: Nova need not be told.
            "notify_nova_on_port_status_changes": False,
            "notify_nova_on_port_data_changes": False,
            "dhcp_agent_notification": False,
            "network_auto_schedule": False,
            "router_auto_schedule": False,
            "router_distributed": False,
            "l3_ha": False,
            "rpc_response_timeout": 5,
        },
        "database": database(cloud, "neutron"),
        "keystone_authtoken": authtoken(cloud),
        "oslo_concurrency": concurrency(cloud),
        "ml2": {
            "type_drivers": "flat,vlan,vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "devcloud",
            "extension_drivers": "port_security,qos,dns_domain_ports",
        },
        "ml2_type_flat": {"flat_networks": "*"},
        "ml2_type_vlan": {"network_vlan_ranges": "physnet1:1:4000"},
        "ml2_type_vxlan": {"vni_ranges": "1:100000"},
        "securitygroup": {"enable_security_group": True},
        "nova": credentials(cloud),
        "placement": credentials(cloud),
        "quotas": {
            "quota_network": quotas.networks,
            "quota_subnet": quotas.subnets,
            "quota_port": quotas.ports,
            "quota_router": quotas.routers,
            "quota_floatingip": quotas.floating_ips,
            "quota_security_group": quotas.security_groups,
            "quota_security_group_rule": quotas.security_group_rules,
        },
    }


def write_entry_point(folder: Path) -> None:
    """Neutron takes mechanism drivers from entry points only: on PYTHONPATH, this is one."""
    info = folder / "devcloud_neutron-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: devcloud-neutron\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[neutron.ml2.mechanism_drivers]\n"
        f"devcloud = {PACKAGE}.drivers.neutron:DevcloudMechanismDriver\n"
    )
