"""Subnets: made without DHCP, which is switched on when every carried port has its address.

With DHCP on, the cloud's own DHCP port would take an address that a carried port needs.
"""

from __future__ import annotations

from typing import Any

from bundle_spec.form import codec
from bundle_spec.model import Ref, Subnet
from downpour_import.recreate.base import NetworkRecreator, Outcome, is_pending
from downpour_import.recreate.context import Context


class Subnets(NetworkRecreator[Subnet]):
    path = "/subnets"
    key = "subnet"
    collection = "subnets"

    def body(self, context: Context, record: Subnet) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": record.name,
            "network_id": context.target(Ref("network", record.network_id)),
            "ip_version": record.ip_version,
            "cidr": record.cidr,
            "gateway_ip": record.gateway_ip,
            "allocation_pools": codec.encode(record.allocation_pools),
            "host_routes": codec.encode(record.host_routes),
            "dns_nameservers": list(record.dns_nameservers),
        }
        for name in ("ipv6_address_mode", "ipv6_ra_mode"):
            if getattr(record, name):
                body[name] = getattr(record, name)
        if record.service_types and context.has_extension("subnet-service-types"):
            body["service_types"] = list(record.service_types)
        return body

    def make(self, context: Context, record: Subnet) -> str:
        body = {
            **self.body(context, record),
            "description": context.marker(record.ref),
            "enable_dhcp": record.enable_dhcp and _needs_dhcp_from_start(record),
        }
        answer = context.cloud.post("network", self.path, {self.key: body})
        identity: str = answer[self.key]["id"]
        return identity

    def differences(self, context: Context, record: Subnet, item: Any) -> list[str]:
        lines = super().differences(context, record, item)
        if item["enable_dhcp"] != record.enable_dhcp:
            lines.append(f"enable_dhcp is {item['enable_dhcp']}, not {record.enable_dhcp}")
        return lines


def recreate_dhcp(context: Context, record: Subnet, *, check: bool = False) -> Outcome:
    """Switch DHCP on or off as it was at the source."""
    step = Ref("subnet_dhcp", record.id)
    target = context.optional_target(record.ref)
    if record.ref in context.targets or not is_pending(context, step):
        return Outcome("unchanged", target)
    if check:
        return Outcome("planned", target)
    target = context.target(record.ref)
    if not _needs_dhcp_from_start(record):
        context.cloud.put(
            "network", f"/subnets/{target}", {"subnet": {"enable_dhcp": record.enable_dhcp}}
        )
    context.journal.record("done", step, record.name)
    return Outcome("made", target)


def _needs_dhcp_from_start(record: Subnet) -> bool:
    """IPv6 modes need DHCP and cannot be set after the POST (Networking API, "Subnets")."""
    return bool(record.ipv6_address_mode or record.ipv6_ra_mode)
