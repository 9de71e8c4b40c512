"""Floating IPs, attached through the port.  The address is the target's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bundle_spec.model import FloatingIp, PortForwarding, Ref
from downpour_import.recreate.base import NetworkRecreator, compare, qos_policy
from downpour_import.recreate.context import Context
from downpour_import.recreate.optional import Without, drop


class FloatingIps(NetworkRecreator[FloatingIp]):
    path = "/floatingips"
    key = "floatingip"
    collection = "floatingips"
    # Neutron takes both or none.
    optional: ClassVar[Mapping[str, Without]] = {"dns_name": drop("dns_name", "dns_domain")}

    def shown(self, record: FloatingIp, item: Any) -> str:
        return str(item["floating_ip_address"])

    def body(self, context: Context, record: FloatingIp) -> dict[str, Any]:
        body: dict[str, Any] = {
            "floating_network_id": context.target(Ref("network", record.floating_network_id))
        }
        if record.port_id:
            body["port_id"] = context.target(Ref("port", record.port_id))
            if record.fixed_ip_address:
                body["fixed_ip_address"] = record.fixed_ip_address
        if record.dns_name and context.has_extension("dns-integration"):
            body |= {"dns_name": record.dns_name, "dns_domain": record.dns_domain}
        policy = qos_policy(context, record.qos_policy_id)
        if policy:
            body["qos_policy_id"] = policy
        return body

    def complete(self, context: Context, record: FloatingIp, target: str) -> None:
        super().complete(context, record, target)
        have = self._forwardings(context, target) if record.port_forwardings else []
        for each in record.port_forwardings:
            body = _forwarding(context, each)
            if body not in have:
                path = f"{self.path}/{target}/port_forwardings"
                context.cloud.post("network", path, {"port_forwarding": body})

    def _forwardings(self, context: Context, target: str) -> list[dict[str, Any]]:
        path = f"{self.path}/{target}/port_forwardings"
        found = context.cloud.list("network", path, "port_forwardings")
        return [_plain(item) for item in found]

    def differences(self, context: Context, record: FloatingIp, item: Any) -> list[str]:
        found = super().differences(context, record, item)
        if record.port_forwardings:
            have = self._forwardings(context, item["id"])
            want = [_forwarding(context, each) for each in record.port_forwardings]
            found += compare({"port_forwardings": want}, {"port_forwardings": have})
        return found


_KEYS = (
    "protocol",
    "internal_port_id",
    "internal_ip_address",
    "internal_port",
    "external_port",
    "internal_port_range",
    "external_port_range",
    "description",
)


def _forwarding(context: Context, record: PortForwarding) -> dict[str, Any]:
    """The body of its POST."""
    body = {key: getattr(record, key) for key in _KEYS}
    body["internal_port_id"] = context.target(Ref("port", record.internal_port_id))
    return _plain(body)


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Its ports, or its ranges: the API takes either, and may tell both of one port."""
    single = item.get("internal_port") is not None
    return {
        key: item[key]
        for key in _KEYS
        if item.get(key) is not None and not (single and key.endswith("_range"))
    }
