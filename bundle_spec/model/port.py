"""Network API: ``/ports``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged
from bundle_spec.model.forms import Address


@dataclass(frozen=True, kw_only=True)
class FixedIp(Record):
    """An address of a port."""

    subnet_id: str
    """A subnet of the port's network."""
    ip_address: Address
    """The address, to be kept on a network of the tenant; else the target's choice."""


@dataclass(frozen=True, kw_only=True)
class AddressPair(Record):
    """A further address that a port may send from (extension ``allowed-address-pairs``)."""

    ip_address: str
    """An address, or a network as a CIDR."""
    mac_address: str | None = None
    """The MAC; null: that of the port."""


@dataclass(frozen=True, kw_only=True)
class DhcpOption(Record):
    """What DHCP tells this port besides (extension ``extra_dhcp_opt``)."""

    opt_name: str
    """The option's name or number, as Neutron has it."""
    opt_value: str
    """Its value."""
    ip_version: int = 4
    """4 or 6."""


@dataclass(frozen=True, kw_only=True)
class Port(Tagged):
    """A port of a server, or one that waits for a server.

    Ports of routers are the routers' interfaces; ports of DHCP and other services belong to
    the cloud and are not carried.
    """

    type = "port"

    network_id: str
    """Its network."""
    mac_address: str
    """The MAC, to be kept on a network of the tenant; else the target's choice."""
    fixed_ips: tuple[FixedIp, ...] = ()
    """Its addresses, in the order of the source."""
    security_group_ids: tuple[str, ...] = ()
    """Its security groups; without port security there are none."""
    admin_state_up: bool = True
    """Whether it forwards traffic."""
    port_security_enabled: bool = True
    """Whether Neutron filters what it sends and receives."""
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    """Further addresses that it may send from."""
    extra_dhcp_opts: tuple[DhcpOption, ...] = ()
    """Options of DHCP for it."""
    dns_name: str = ""
    """The host name that Neutron's DNS gives it; empty: none."""
    dns_domain: str = ""
    """The domain of `dns_name`, with a dot at the end; empty: that of the network."""
    vnic_type: str = "normal"
    """As `binding:vnic_type`; a tenant may set it, the hardware must fit."""
    qos_policy_id: str | None = None
    """The QoS policy, which the target must have; null: that of the network."""

    def references(self) -> tuple[Ref, ...]:
        return (
            Ref("network", self.network_id),
            *(Ref("subnet", ip.subnet_id) for ip in self.fixed_ips),
            *(Ref("security_group", group) for group in self.security_group_ids),
            *((Ref("qos_policy", self.qos_policy_id),) if self.qos_policy_id else ()),
        )
