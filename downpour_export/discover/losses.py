"""Attributes that a tenant can read and only an operator can set: reported, not carried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from downpour_cloud import Json


class Loss(NamedTuple):
    attribute: str
    reason: str


def of_network(item: Json) -> Iterator[Loss]:
    if item.get("shared"):
        yield Loss("shared", "only an operator shares a network with everybody")
    if item.get("availability_zone_hints"):
        yield _hints(item)
    if item.get("vlan_transparent"):
        yield Loss("vlan_transparent", "the target's operator decides about it")


def of_subnet(item: Json) -> Iterator[Loss]:
    if item.get("subnetpool_id"):
        pool = item["subnetpool_id"]
        yield Loss("subnetpool_id", f"made with its CIDR, outside of any pool (it was {pool})")
    if item.get("dns_publish_fixed_ip"):
        yield Loss("dns_publish_fixed_ip", "the target's operator decides about it")


def of_router(item: Json) -> Iterator[Loss]:
    if (item.get("external_gateway_info") or {}).get("enable_snat") is False:
        yield Loss("enable_snat", "it is off at the source; only an operator turns it off")
    for name in ("distributed", "ha"):
        if item.get(name):
            yield Loss(name, "the target's operator decides about it")
    if item.get("availability_zone_hints"):
        yield _hints(item)


def of_port(item: Json) -> Iterator[Loss]:
    if item.get("binding:profile"):
        yield Loss("binding:profile", "only an operator sets it")
    if item.get("device_profile"):
        yield Loss("device_profile", f"{item['device_profile']}: only an operator makes one")
    if item.get("numa_affinity_policy"):
        yield Loss("numa_affinity_policy", "only an operator sets it")
    if item.get("propagate_uplink_status") is False:
        yield Loss("propagate_uplink_status", "the target's default is taken")


def of_volume(item: Json) -> Iterator[Loss]:
    for key, what in (("consistencygroup_id", "consistency group"), ("group_id", "volume group")):
        if item.get(key):
            yield Loss(key, f"it is in the {what} {item[key]}, which is not carried")
    if item.get("replication_status") not in (None, "disabled", "not-capable"):
        yield Loss("replication_status", "the target's volume type decides about replication")


def of_server(item: Json) -> Iterator[Loss]:
    if item.get("trusted_image_certificates"):
        ids = ", ".join(item["trusted_image_certificates"])
        yield Loss("trusted_image_certificates", f"they stay with the source's key manager: {ids}")


def _hints(item: Json) -> Loss:
    hints = ", ".join(item["availability_zone_hints"])
    return Loss("availability_zone_hints", f"{hints}: zones of the source's network service")
