"""Routers with their gateway, interfaces and static routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundle_spec.form import codec
from bundle_spec.model import Ref, Router
from downpour_import.recreate.base import NetworkRecreator, failure
from downpour_import.recreate.context import Context
from downpour_import.recreate.patience import settle

Interface = tuple[str, str | None]
"""(the target's subnet, address); None: whatever Neutron gives there."""


class Routers(NetworkRecreator[Router]):
    path = "/routers"
    key = "router"
    collection = "routers"

    def used(self, context: Context, item: Any) -> bool:
        return bool(item.get("routes") or self._interfaces(context, item["id"]))

    def body(self, context: Context, record: Router) -> dict[str, Any]:
        body: dict[str, Any] = {"name": record.name, "admin_state_up": record.admin_state_up}
        if record.external_network_id:
            network = context.target(Ref("network", record.external_network_id))
            body["external_gateway_info"] = {"network_id": network}
        return body

    def complete(self, context: Context, record: Router, target: str) -> None:
        super().complete(context, record, target)
        existing = self._standing(context, target)
        for subnet_id, address in _wanted(context, record):
            if address is None:
                existing = self._standing(context, target)  # it may have come with another one
            if (subnet_id, address) not in existing:
                self._add_interface(context, record, target, subnet_id, address)
        # Routes need their interfaces, so they cannot be part of the first request.
        if record.routes:
            body = {"routes": codec.encode(record.routes)}
            context.cloud.put("network", f"{self.path}/{target}", {"router": body})

    def _add_interface(
        self, context: Context, record: Router, target: str, subnet_id: str, address: str | None
    ) -> None:
        if address is not None and context.subnet(subnet_id)["gateway_ip"] == address:
            body = {"subnet_id": subnet_id}
        else:
            body = {"port_id": self._port(context, record, subnet_id, address)}
        path = f"{self.path}/{target}/add_router_interface"
        settle(
            lambda: context.cloud.put("network", path, body),
            lambda: (subnet_id, address) in self._standing(context, target),
        )

    def _port(self, context: Context, record: Router, subnet_id: str, address: str | None) -> str:
        """The ID of a port for an address that is not the gateway's; an earlier run's is used."""
        fixed = {"subnet_id": subnet_id} | ({"ip_address": address} if address else {})
        body = {
            "network_id": context.subnet(subnet_id)["network_id"],
            "fixed_ips": [fixed],
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
        wanted = body["fixed_ips"][0].items()
        for port in self.ours(context, ports):
            if port["description"] == body["description"] and any(
                wanted <= ip.items() for ip in port["fixed_ips"]
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

    def _standing(self, context: Context, target: str) -> set[Interface]:
        found = self._interfaces(context, target)
        return {(subnet, _asked_for(context, subnet, address)) for subnet, address in found}

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
        actual, wanted = self._standing(context, item["id"]), set(_wanted(context, record))
        lines += [f"the interface {_shown(each)} is missing" for each in _sorted(wanted - actual)]
        # What Neutron gives by itself to a port of another interface is nobody's wish.
        extra = [each for each in _sorted(actual - wanted) if each[1] is not None]
        lines += [f"the interface {_shown(each)} is too much" for each in extra]
        routes = {(route["destination"], route["nexthop"]) for route in item.get("routes") or ()}
        if routes != {(route.destination, route.nexthop) for route in record.routes}:
            lines.append(f"routes are {sorted(routes)}")
        return lines


def _asked_for(context: Context, subnet: str, address: str) -> str | None:
    """The address that an interface is asked for with; None where Neutron alone chooses it, as on a
    subnet of which addresses follow from MACs.  Its gateway's can be asked for."""
    automatic = context.subnet_gives_addresses(subnet)
    return None if automatic and context.subnet(subnet)["gateway_ip"] != address else address


def _wanted(context: Context, record: Router) -> list[Interface]:
    """Those of the record, with the target's subnets; the automatic ones last."""
    wanted = []
    for interface in record.interfaces:
        subnet = context.target(Ref("subnet", interface.subnet_id))
        wanted.append((subnet, _asked_for(context, subnet, interface.ip_address)))
    return sorted(dict.fromkeys(wanted), key=lambda each: each[1] is None)


def _sorted(interfaces: set[Interface]) -> list[Interface]:
    return sorted(interfaces, key=lambda each: (each[1] or "", each[0]))


def _shown(interface: Interface) -> str:
    return interface[1] or f"on subnet {interface[0]}"


def _is_interface(port: Any) -> bool:
    owner = port["device_owner"]
    return bool(
        owner.startswith("network:router_interface")
        or owner == "network:ha_router_replicated_interface"
    )
