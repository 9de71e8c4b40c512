"""Ports of the project, of servers, routers and anything else."""

from __future__ import annotations

from bundle_spec.model import AddressPair, DhcpOption, FixedIp, Port
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import losses, marks
from downpour_export.discover.inventory import FoundPort


def discover(cloud: SourceCloud) -> dict[str, FoundPort]:
    items = cloud.list("network", "/ports", "ports", {"project_id": cloud.project_id})
    return {port.record.id: port for port in map(found_of, items)}


def found_of(item: Json) -> FoundPort:
    return FoundPort(
        record=Port(
            id=item["id"],
            name=item["name"],
            description=marks.text(item.get("description")),
            tags=marks.tags(item.get("tags")),
            network_id=item["network_id"],
            mac_address=item["mac_address"],
            fixed_ips=tuple(
                FixedIp(subnet_id=ip["subnet_id"], ip_address=ip["ip_address"])
                for ip in item["fixed_ips"]
            ),
            security_group_ids=tuple(item.get("security_groups") or ()),
            admin_state_up=item["admin_state_up"],
            port_security_enabled=item.get("port_security_enabled", True),
            allowed_address_pairs=tuple(
                # Neutron fills in the port's own address where none was given.
                AddressPair(
                    ip_address=pair["ip_address"],
                    mac_address=None
                    if pair.get("mac_address") == item["mac_address"]
                    else pair.get("mac_address"),
                )
                for pair in item.get("allowed_address_pairs") or ()
            ),
            extra_dhcp_opts=tuple(
                DhcpOption(
                    opt_name=option["opt_name"],
                    opt_value=option["opt_value"],
                    ip_version=int(option.get("ip_version", 4)),
                )
                for option in item.get("extra_dhcp_opts") or ()
            ),
            dns_name=item.get("dns_name") or "",
            dns_domain=item.get("dns_domain") or "",
            qos_policy_id=item.get("qos_policy_id"),
            vnic_type=item.get("binding:vnic_type") or "normal",
        ),
        device_id=item["device_id"],
        device_owner=item["device_owner"],
        losses=tuple(losses.of_port(item)),
    )
