"""Network API: ``/ports``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class FixedIp(Record):
    subnet_id: str
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class AddressPair(Record):
    ip_address: str
    mac_address: str | None = None


@dataclass(frozen=True, kw_only=True)
class DhcpOption(Record):
    opt_name: str
    opt_value: str
    ip_version: int = 4


@dataclass(frozen=True, kw_only=True)
class Port(Tagged):
    """A port of a server, or one that waits for a server.

    Ports of routers are the routers' interfaces; ports of DHCP and other services belong to
    the cloud and are not carried.
    """

    type = "port"

    network_id: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    admin_state_up: bool = True
    port_security_enabled: bool = True
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    extra_dhcp_opts: tuple[DhcpOption, ...] = ()
    dns_name: str = ""
    dns_domain: str = ""
    vnic_type: str = "normal"
    qos_policy_id: str | None = None

    def references(self) -> tuple[Ref, ...]:
        return (
            Ref("network", self.network_id),
            *(Ref("subnet", ip.subnet_id) for ip in self.fixed_ips),
            *(Ref("security_group", group) for group in self.security_group_ids),
            *((Ref("qos_policy", self.qos_policy_id),) if self.qos_policy_id else ()),
        )
