"""Ports.  On a network of the project they keep their MAC and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bundle_spec.model import Port, Ref
from downpour_import.preflight import dns_name_ref, port_address_ref
from downpour_import.recreate.base import NetworkRecreator, qos_policy
from downpour_import.recreate.context import Context
from downpour_import.recreate.optional import Without, drop


class Ports(NetworkRecreator[Port]):
    path = "/ports"
    key = "port"
    collection = "ports"
    optional: ClassVar[Mapping[str, Without]] = {
        "dns_name": drop("dns_name"),
        "dns_domain": drop("dns_domain"),
    }

    def used(self, context: Context, item: Any) -> bool:
        query = {"port_id": item["id"]}
        floating = context.cloud.list("network", "/floatingips", "floatingips", query)
        return bool(item["device_id"] or item["device_owner"] or item.get("trunk_details")) or any(
            floating
        )

    def body(self, context: Context, record: Port) -> dict[str, Any]:
        network = context.target(Ref("network", record.network_id))
        body: dict[str, Any] = {
            "network_id": network,
            "name": record.name,
            "admin_state_up": record.admin_state_up,
        }
        if record.port_security_enabled:
            body["security_groups"] = [
                context.target(Ref("security_group", group)) for group in record.security_group_ids
            ]
        if record.vnic_type != "normal":
            body["binding:vnic_type"] = record.vnic_type
        if record.extra_dhcp_opts and context.has_extension("extra_dhcp_opt"):
            body["extra_dhcp_opts"] = [
                {
                    "opt_name": option.opt_name,
                    "opt_value": option.opt_value,
                    "ip_version": option.ip_version,
                }
                for option in record.extra_dhcp_opts
            ]
        kept = dns_name_ref(record.id) not in context.targets
        if record.dns_name and kept and context.has_extension("dns-integration"):
            body["dns_name"] = record.dns_name
        if record.dns_domain and context.has_extension("dns-domain-ports"):
            body["dns_domain"] = record.dns_domain
        policy = qos_policy(context, record.qos_policy_id)
        if policy:
            body["qos_policy_id"] = policy
        # On a network of somebody else, policy refuses the rest to a tenant.
        if context.network_is_ours(network):
            body.update(self._owner_only(context, record))
        return body

    def _owner_only(self, context: Context, record: Port) -> dict[str, Any]:
        body: dict[str, Any] = {"mac_address": record.mac_address, "fixed_ips": []}
        for ip in record.fixed_ips:
            subnet = context.target(Ref("subnet", ip.subnet_id))
            fixed = {"subnet_id": subnet}
            kept = port_address_ref(record.id, ip.ip_address) not in context.targets
            if kept and context.takes_address(subnet, ip.ip_address):
                fixed["ip_address"] = ip.ip_address
            body["fixed_ips"].append(fixed)
        if context.has_extension("port-security"):
            body["port_security_enabled"] = record.port_security_enabled
        if record.allowed_address_pairs and record.port_security_enabled:
            body["allowed_address_pairs"] = [
                {"ip_address": pair.ip_address}
                | ({"mac_address": pair.mac_address} if pair.mac_address else {})
                for pair in record.allowed_address_pairs
            ]
        return body

    def differences(self, context: Context, record: Port, item: Any) -> list[str]:
        asked = {
            (ip["subnet_id"], ip.get("ip_address"))
            for ip in self.body(context, record).get("fixed_ips", ())
        }
        subnets = {subnet for subnet, _ in asked}
        item = {
            **item,
            # Neutron fills in what was left to it, and gives an address on each subnet of the
            # network of which addresses follow from MACs.
            "fixed_ips": [
                ip
                if (ip["subnet_id"], ip["ip_address"]) in asked
                else {"subnet_id": ip["subnet_id"]}
                for ip in item["fixed_ips"]
                if ip["subnet_id"] in subnets or not context.subnet_gives_addresses(ip["subnet_id"])
            ],
            "allowed_address_pairs": [
                {"ip_address": pair["ip_address"]}
                | (
                    {"mac_address": pair["mac_address"]}
                    if pair["mac_address"] != item["mac_address"]
                    else {}
                )
                for pair in item.get("allowed_address_pairs") or ()
            ],
        }
        return super().differences(context, record, item)
