"""Network API: ``/floatingips``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class PortForwarding(Record):
    """Traffic to a port of the floating IP goes to a port of a server; ranges as ``first:last``."""

    protocol: str
    internal_port_id: str
    internal_ip_address: str
    internal_port: int | None = None
    external_port: int | None = None
    internal_port_range: str | None = None
    external_port_range: str | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class FloatingIp(Tagged):
    """A floating IP; its name is its address at the source.

    A tenant cannot choose the address, so the target gives another one.
    """

    type = "floating_ip"

    floating_network_id: str
    port_id: str | None = None
    fixed_ip_address: str | None = None
    dns_name: str = ""
    dns_domain: str = ""
    qos_policy_id: str | None = None
    port_forwardings: tuple[PortForwarding, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        port = (Ref("port", self.port_id),) if self.port_id else ()
        policy = (Ref("qos_policy", self.qos_policy_id),) if self.qos_policy_id else ()
        port_ids = {forwarding.internal_port_id for forwarding in self.port_forwardings}
        return (
            Ref("network", self.floating_network_id),
            *port,
            *policy,
            *(Ref("port", port_id) for port_id in sorted(port_ids)),
        )
