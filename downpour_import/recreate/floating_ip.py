"""Floating IPs, attached through the port.  The address is the target's choice."""

from __future__ import annotations

from typing import Any

from bundle_spec.model import FloatingIp, Ref
from downpour_import.recreate.base import NetworkRecreator
from downpour_import.recreate.context import Context


class FloatingIps(NetworkRecreator[FloatingIp]):
    path = "/floatingips"
    key = "floatingip"
    collection = "floatingips"

    def body(self, context: Context, record: FloatingIp) -> dict[str, Any]:
        body: dict[str, Any] = {
            "floating_network_id": context.target(Ref("network", record.floating_network_id))
        }
        if record.port_id:
            body["port_id"] = context.target(Ref("port", record.port_id))
            if record.fixed_ip_address:
                body["fixed_ip_address"] = record.fixed_ip_address
        return body
