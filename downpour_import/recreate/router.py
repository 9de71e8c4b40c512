"""Routers with their gateway, interfaces and static routes."""

from __future__ import annotations

from typing import Any

from bundle_spec.form import codec
from bundle_spec.model import Ref, Router, RouterInterface
from downpour_import.recreate.base import NetworkRecreator
from downpour_import.recreate.context import Context


class Routers(NetworkRecreator[Router]):
    path = "/routers"
    key = "router"
    collection = "routers"

    def body(self, context: Context, record: Router) -> dict[str, Any]:
        body: dict[str, Any] = {"name": record.name, "admin_state_up": record.admin_state_up}
        if record.external_network_id:
            network = context.target(Ref("network", record.external_network_id))
            body["external_gateway_info"] = {"network_id": network}
        return body

    def complete(self, context: Context, record: Router, target: str) -> None:
        super().complete(context, record, target)
        have = self._interfaces(context, target)
        for interface in record.interfaces:
            subnet = context.target(Ref("subnet", interface.subnet_id))
            if (subnet, interface.ip_address) not in have:
                self._add(context, record, target, subnet, interface)
        # Routes need their interfaces, so they cannot be part of the first request.
        if record.routes:
            body = {"routes": codec.encode(record.routes)}
            context.cloud.put("network", f"{self.path}/{target}", {"router": body})

    def _add(
        self,
        context: Context,
        record: Router,
        target: str,
        subnet: str,
        interface: RouterInterface,
    ) -> None:
        found = context.cloud.get("network", f"/subnets/{subnet}")["subnet"]
        if found["gateway_ip"] == interface.ip_address:
            body = {"subnet_id": subnet}
        else:
            body = {"port_id": self._port(context, record, found, interface.ip_address)}
        context.cloud.put("network", f"{self.path}/{target}/add_router_interface", body)

    def _port(self, context: Context, record: Router, subnet: Any, address: str) -> str:
        """A port for an address that is not the gateway's; one of an earlier try is used."""
        network, marker = subnet["network_id"], context.marker(record.ref)
        ports = context.cloud.list(
            "network", "/ports", "ports", {"network_id": network, "description": marker}
        )
        for port in ports:
            if port["description"] == marker and address in (
                ip["ip_address"] for ip in port["fixed_ips"]
            ):
                return str(port["id"])
        body = {
            "network_id": network,
            "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": address}],
            "description": marker,
        }
        answer = context.cloud.post("network", "/ports", {"port": body})
        return str(answer["port"]["id"])

    def _interfaces(self, context: Context, target: str) -> set[tuple[str, str]]:
        """(subnet, address) of every interface, the gateway's port aside."""
        ports = context.cloud.list("network", "/ports", "ports", {"device_id": target})
        return {
            (ip["subnet_id"], ip["ip_address"])
            for port in ports
            if _is_interface(port)
            for ip in port["fixed_ips"]
        }

    def release(self, context: Context, target: str, item: Any) -> None:
        """Routes hold interfaces, and these hold the router (Networking API, "Delete Router")."""
        if item.get("routes"):
            context.cloud.put("network", self.at(target), {"router": {"routes": []}})
        ports = context.cloud.list("network", "/ports", "ports", {"device_id": target})
        for port in list(ports):
            if _is_interface(port):
                path = f"{self.at(target)}/remove_router_interface"
                context.cloud.put("network", path, {"port_id": port["id"]})

    def differences(self, context: Context, record: Router, item: Any) -> list[str]:
        gateway = item.get("external_gateway_info") or {}
        item = {**item, "external_gateway_info": {"network_id": gateway.get("network_id")}}
        found = super().differences(context, record, item)
        have = self._interfaces(context, item["id"])
        want = {
            (context.target(Ref("subnet", each.subnet_id)), each.ip_address)
            for each in record.interfaces
        }
        found += [f"the interface {address} is missing" for _, address in sorted(want - have)]
        found += [f"the interface {address} is too much" for _, address in sorted(have - want)]
        routes = {(each["destination"], each["nexthop"]) for each in item.get("routes") or ()}
        if routes != {(each.destination, each.nexthop) for each in record.routes}:
            found.append(f"routes are {sorted(routes)}")
        return found


def _is_interface(port: Any) -> bool:
    owner = port["device_owner"]
    return bool(
        owner.startswith("network:router_interface")
        or owner == "network:ha_router_replicated_interface"
    )
