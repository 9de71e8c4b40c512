"""Network API: ``/floatingips``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class PortForwarding(Record):
    """Traffic to a port number of the floating IP goes to one of a server."""

    protocol: str
    """As Neutron has it: `tcp`, `udp`, …"""
    internal_port_id: str
    """The port (of Neutron) that gets the traffic."""
    internal_ip_address: str
    """Which of its addresses."""
    internal_port: int | None = None
    """The port number there; null: see the range."""
    external_port: int | None = None
    """The port number at the floating IP; null: see the range."""
    internal_port_range: str | None = None
    """`first:last`, where more than one port is forwarded; with `internal_port` it says the same,
    and is not sent."""
    external_port_range: str | None = None
    """`first:last`, in the same way."""
    description: str = ""
    """Text of the tenant."""


@dataclass(frozen=True, kw_only=True)
class FloatingIp(Tagged):
    """A floating IP; its name is its address at the source.

    A tenant cannot choose the address, so the target gives another one.
    """

    type = "floating_ip"

    floating_network_id: str
    """The external network that it comes from, which the target must have."""
    port_id: str | None = None
    """The port that it leads to; null: none."""
    fixed_ip_address: str | None = None
    """Which address of that port; null: it has only one."""
    dns_name: str = ""
    """The host name that Neutron's DNS gives it; empty: none."""
    dns_domain: str = ""
    """The domain of `dns_name`; Neutron takes the two only together."""
    qos_policy_id: str | None = None
    """The QoS policy, which the target must have; null: none."""
    port_forwardings: tuple[PortForwarding, ...] = ()
    """What single ports of it lead to, where `port_id` is null."""

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
