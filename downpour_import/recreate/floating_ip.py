"""Floating IPs, attached through the port.  The address is the target's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bundle_spec.model import FloatingIp, PortForwarding, Ref
from downpour_import.recreate.base import NetworkRecreator, compare, qos_policy, unset
from downpour_import.recreate.context import Context
from downpour_import.recreate.optional import Without, drop
from downpour_import.recreate.patience import settle


class FloatingIps(NetworkRecreator[FloatingIp]):
    path = "/floatingips"
    key = "floatingip"
    collection = "floatingips"
    # Neutron takes a DNS name and its domain only together.
    optional: ClassVar[Mapping[str, Without]] = {"dns_name": drop("dns_name", "dns_domain")}

    def display_name(self, record: FloatingIp, item: Any) -> str:
        return str(item["floating_ip_address"])

    def used(self, context: Context, item: Any) -> bool:
        return bool(item.get("port_id") or item.get("port_forwardings"))

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
        existing = self._forwardings(context, target) if record.port_forwardings else []
        for forwarding in record.port_forwardings:
            body = _body_of(context, forwarding)
            if body not in existing:
                self._forward(context, target, body)

    def _forward(self, context: Context, target: str, body: dict[str, Any]) -> None:
        path = f"{self.path}/{target}/port_forwardings"
        settle(
            lambda: context.cloud.post("network", path, {"port_forwarding": body}),
            lambda: body in self._forwardings(context, target),
        )

    def release(self, context: Context, target: str, item: Any) -> None:
        """Delete its port forwardings; with one, Neutron deletes no floating IP ("in use")."""
        if not context.has_extension("floating-ip-port-forwarding"):
            return
        path = f"{self.path}/{target}/port_forwardings"
        for forwarding in list(context.cloud.list("network", path, "port_forwardings")):
            unset(context, "network", f"{path}/{forwarding['id']}")

    def _forwardings(self, context: Context, target: str) -> list[dict[str, Any]]:
        path = f"{self.path}/{target}/port_forwardings"
        items = context.cloud.list("network", path, "port_forwardings")
        return [_ports_or_ranges(item) for item in items]

    def differences(self, context: Context, record: FloatingIp, item: Any) -> list[str]:
        lines = super().differences(context, record, item)
        if record.port_forwardings:
            actual = self._forwardings(context, item["id"])
            wanted = [_body_of(context, forwarding) for forwarding in record.port_forwardings]
            lines += compare({"port_forwardings": wanted}, {"port_forwardings": actual})
        return lines


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


def _body_of(context: Context, record: PortForwarding) -> dict[str, Any]:
    """The attributes of the POST of a port forwarding."""
    body = {key: getattr(record, key) for key in _KEYS}
    body["internal_port_id"] = context.target(Ref("port", record.internal_port_id))
    return _ports_or_ranges(body)


def _ports_or_ranges(item: Mapping[str, Any]) -> dict[str, Any]:
    """A port forwarding with its ports, or else its ranges: the API takes one and may give both."""
    single = item.get("internal_port") is not None
    return {
        key: item[key]
        for key in _KEYS
        if item.get(key) is not None and not (single and key.endswith("_range"))
    }
