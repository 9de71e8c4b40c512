"""Network API: ``/routers``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged
from bundle_spec.model.forms import Address
from bundle_spec.model.subnet import HostRoute


@dataclass(frozen=True, kw_only=True)
class RouterInterface(Record):
    """An interface of a router: one address on one subnet."""

    subnet_id: str
    """The subnet."""
    ip_address: Address
    """The router's address on it; if it is the subnet's gateway, the interface is made by subnet,
    else by a port."""


@dataclass(frozen=True, kw_only=True)
class Router(Tagged):
    """A router.  Its address on the external network is the cloud's choice, not carried."""

    type = "router"

    admin_state_up: bool = True
    """Whether it forwards traffic."""
    external_network_id: str | None = None
    """The network of its gateway; null: it has none."""
    interfaces: tuple[RouterInterface, ...] = ()
    """Its interfaces on subnets, in no order that matters."""
    routes: tuple[HostRoute, ...] = ()
    """Static routes; they need the interfaces first."""

    def references(self) -> tuple[Ref, ...]:
        external = (Ref("network", self.external_network_id),) if self.external_network_id else ()
        return (*external, *(Ref("subnet", interface.subnet_id) for interface in self.interfaces))
