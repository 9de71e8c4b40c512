"""Subnets: made without DHCP, which is switched on when every carried port has its address.

With DHCP on, the cloud's own DHCP port would take an address that a carried port needs.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from bundle_spec.form import codec
from bundle_spec.model import Ref, Subnet
from bundle_spec.model.subnet import AllocationPool
from downpour_import.recreate.base import NetworkRecreator, Outcome, is_pending, new_id
from downpour_import.recreate.context import Context
from downpour_import.state.journal import Journal


class Subnets(NetworkRecreator[Subnet]):
    path = "/subnets"
    key = "subnet"
    collection = "subnets"

    def used(self, context: Context, item: Any) -> bool:
        return any(
            ip["subnet_id"] == item["id"]
            for port in self.ports(context, network_id=item["network_id"])
            if port["device_owner"] not in ("network:dhcp", "network:distributed")
            for ip in port["fixed_ips"]
        )

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
        return new_id(context, self.path, answer, self.key)

    def differences(self, context: Context, record: Subnet, item: Any) -> list[str]:
        lines = super().differences(context, record, item)
        if item["enable_dhcp"] != record.enable_dhcp:
            lines.append(f"enable_dhcp is {item['enable_dhcp']}, not {record.enable_dhcp}")
        return lines


def recreate_dhcp(context: Context, record: Subnet, *, check: bool = False) -> Outcome:
    """Switch DHCP on or off as it was at the source.

    Addresses of ports that could not be made are kept out of the pools, so that the cloud's own
    port takes none of them; the step stays open, and the next run puts the pools right.
    """
    step = _dhcp_step(record)
    target = context.optional_target(record.ref)
    if record.ref in context.targets or not is_pending(context, step):
        return Outcome("unchanged", target)
    if check:
        return Outcome("planned", target)
    target = context.target(record.ref)
    kept = _addresses_to_keep(context, record)
    if not _needs_dhcp_from_start(record):
        body: dict[str, Any] = {"enable_dhcp": record.enable_dhcp}
        if kept or context.journal.entry(step):
            body["allocation_pools"] = codec.encode(_without(record.allocation_pools, kept))
        context.cloud.put("network", f"/subnets/{target}", {"subnet": body})
    context.journal.record("intent" if kept else "done", step, record.name)
    return Outcome("made", target)


def dhcp_is_open(journal: Journal, record: Subnet) -> bool:
    """Whether addresses are kept out of its pools until the next run."""
    entry = journal.entry(_dhcp_step(record))
    return entry is not None and entry.event == "intent"


def _dhcp_step(record: Subnet) -> Ref:
    """What the journal calls the DHCP of a subnet."""
    return Ref("subnet_dhcp", record.id)


def _addresses_to_keep(context: Context, record: Subnet) -> set[str]:
    """Those that ports that were not made in this run are to have on the subnet."""
    failures = context.failures
    if not record.enable_dhcp or not record.allocation_pools or not failures.all():
        return set()
    return {
        ip.ip_address
        for port in context.resources().ports
        if failures.of(port.ref)
        for ip in port.fixed_ips
        if ip.subnet_id == record.id
    }


def _without(pools: Iterable[AllocationPool], addresses: Iterable[str]) -> list[AllocationPool]:
    """``pools`` without ``addresses``."""
    left = list(pools)
    for address in addresses:
        left = [part for pool in left for part in _split(pool, address)]
    return left


def _split(pool: AllocationPool, address: str) -> Iterator[AllocationPool]:
    family = type(ipaddress.ip_address(pool.start))
    start, end, out = (int(ipaddress.ip_address(each)) for each in (pool.start, pool.end, address))
    if not start <= out <= end:
        yield pool
    if start < out <= end:
        yield AllocationPool(start=pool.start, end=str(family(out - 1)))
    if start <= out < end:
        yield AllocationPool(start=str(family(out + 1)), end=pool.end)


def _needs_dhcp_from_start(record: Subnet) -> bool:
    """IPv6 modes need DHCP and cannot be set after the POST (Networking API, "Subnets")."""
    return bool(record.ipv6_address_mode or record.ipv6_ra_mode)
