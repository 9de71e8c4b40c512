"""Networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bundle_spec.model import Network
from downpour_import.recreate.base import NetworkRecreator, qos_policy
from downpour_import.recreate.context import Context
from downpour_import.recreate.optional import Without, drop


class Networks(NetworkRecreator[Network]):
    path = "/networks"
    key = "network"
    collection = "networks"
    optional: ClassVar[Mapping[str, Without]] = {"dns_domain": drop("dns_domain")}

    def used(self, context: Context, item: Any) -> bool:
        return bool(item.get("subnets")) or any(self.ports(context, network_id=item["id"]))

    def body(self, context: Context, record: Network) -> dict[str, Any]:
        body: dict[str, Any] = {"name": record.name, "admin_state_up": record.admin_state_up}
        if record.mtu and context.has_extension("net-mtu-writable"):
            body["mtu"] = record.mtu
        if context.has_extension("port-security"):
            body["port_security_enabled"] = record.port_security_enabled
        if record.dns_domain and context.has_extension("dns-integration"):
            body["dns_domain"] = record.dns_domain
        policy = qos_policy(context, record.qos_policy_id)
        if policy:
            body["qos_policy_id"] = policy
        return body
