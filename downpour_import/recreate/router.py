"""Routers with their gateway, interfaces and static routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundle_spec.form import codec
from bundle_spec.model import Ref, Router, RouterInterface
from downpour_import.recreate.base import NetworkRecreator, failure
from downpour_import.recreate.context import Context
from downpour_import.recreate.patience import settle


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
        existing = self._interfaces(context, target)
        for interface in record.interfaces:
            subnet_id = context.target(Ref("subnet", interface.subnet_id))
            if (subnet_id, interface.ip_address) not in existing:
                self._add_interface(context, record, target, subnet_id, interface)
        # Routes need their interfaces, so they cannot be part of the first request.
        if record.routes:
            body = {"routes": codec.encode(record.routes)}
            context.cloud.put("network", f"{self.path}/{target}", {"router": body})

    def _add_interface(
        self,
        context: Context,
        record: Router,
        target: str,
        subnet_id: str,
        interface: RouterInterface,
    ) -> None:
        subnet = context.cloud.get("network", f"/subnets/{subnet_id}")["subnet"]
        if subnet["gateway_ip"] == interface.ip_address:
            body = {"subnet_id": subnet_id}
        else:
            body = {"port_id": self._port(context, record, subnet, interface.ip_address)}
        path = f"{self.path}/{target}/add_router_interface"
        settle(
            lambda: context.cloud.put("network", path, body),
            lambda: (subnet_id, interface.ip_address) in self._interfaces(context, target),
        )

    def _port(self, context: Context, record: Router, subnet: Any, address: str) -> str:
        """The ID of a port for an address that is not the gateway's; an earlier run's is used."""
        body = {
            "network_id": subnet["network_id"],
            "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": address}],
            "description": context.marker(record.ref),
        }
        found = self._made_port(context, body)
        if found is None:
            settle(
                lambda: context.cloud.post("network", "/ports", {"port": body}),
                lambda: self._made_port(context, body) is not None,
            )
            found = self._made_port(context, body)
        if found is None:
            raise failure(f"the target made no port for its interface {address}", record)
        return found

    def _made_port(self, context: Context, body: Mapping[str, Any]) -> str | None:
        """The ID of the port that was made with this ``body``."""
        query = {key: body[key] for key in ("network_id", "description")}
        ports = context.cloud.list("network", "/ports", "ports", query)
        address = body["fixed_ips"][0]["ip_address"]
        for port in self.ours(context, ports):
            if port["description"] == body["description"] and address in (
                ip["ip_address"] for ip in port["fixed_ips"]
            ):
                return str(port["id"])
        return None

    def _interfaces(self, context: Context, target: str) -> set[tuple[str, str]]:
        """(subnet ID, address) of every interface, without the external gateway's port."""
        ports = context.cloud.list("network", "/ports", "ports", {"device_id": target})
        return {
            (ip["subnet_id"], ip["ip_address"])
            for port in ports
            if _is_interface(port)
            for ip in port["fixed_ips"]
        }

    def release(self, context: Context, target: str, item: Any) -> None:
        """Remove routes, then interfaces; with one, Neutron deletes no router ("Delete Router")."""
        if item.get("routes"):
            context.cloud.put("network", self.path_of(target), {"router": {"routes": []}})
        ports = context.cloud.list("network", "/ports", "ports", {"device_id": target})
        for port in list(ports):
            if _is_interface(port):
                self._detach(context, target, port["id"])

    def _detach(self, context: Context, target: str, port: str) -> None:
        path = f"{self.path_of(target)}/remove_router_interface"
        settle(
            lambda: context.cloud.put("network", path, {"port_id": port}),
            lambda: context.cloud.get_or_none("network", f"/ports/{port}") is None,
        )

    def differences(self, context: Context, record: Router, item: Any) -> list[str]:
        gateway = item.get("external_gateway_info") or {}
        item = {**item, "external_gateway_info": {"network_id": gateway.get("network_id")}}
        lines = super().differences(context, record, item)
        actual = self._interfaces(context, item["id"])
        wanted = {
            (context.target(Ref("subnet", interface.subnet_id)), interface.ip_address)
            for interface in record.interfaces
        }
        lines += [f"the interface {address} is missing" for _, address in sorted(wanted - actual)]
        lines += [f"the interface {address} is too much" for _, address in sorted(actual - wanted)]
        routes = {(route["destination"], route["nexthop"]) for route in item.get("routes") or ()}
        if routes != {(route.destination, route.nexthop) for route in record.routes}:
            lines.append(f"routes are {sorted(routes)}")
        return lines


def _is_interface(port: Any) -> bool:
    owner = port["device_owner"]
    return bool(
        owner.startswith("network:router_interface")
        or owner == "network:ha_router_replicated_interface"
    )
