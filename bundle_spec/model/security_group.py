"""Network API: ``/security-groups`` and ``/security-group-rules``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class SecurityGroupRule(Record):
    """One rule: what it allows.  At most one of the three keys ``remote_…`` is not null."""

    id: str
    """The ID at the source; nothing refers to it."""
    direction: Literal["ingress", "egress"]
    """Of traffic, seen from the server."""
    ether_type: Literal["IPv4", "IPv6"]
    """As Neutron's `ethertype`."""
    protocol: str | None = None
    """A name or a number as Neutron has it; null: any protocol."""
    port_range_min: int | None = None
    """The first port, or the type of ICMP; null: any. 0 is a value."""
    port_range_max: int | None = None
    """The last port, or the code of ICMP; null: any. 0 is a value."""
    remote_ip_prefix: str | None = None
    """The other end as a CIDR; null: any address."""
    remote_group_id: str | None = None
    """The other end as a security group, which may be this one; null: any."""
    remote_address_group_id: str | None = None
    """The other end as an address group; null: any."""
    description: str = ""
    """Text of the tenant."""


@dataclass(frozen=True, kw_only=True)
class SecurityGroup(Tagged):
    """A security group with all of its rules, also those that Neutron made by itself.

    The groups that rules refer to are not ``references()``: they may refer to each other, so
    all groups are made first and their rules afterwards.
    """

    type = "security_group"

    stateful: bool = True
    """Whether answers are let through by themselves (extension `stateful-security-group`)."""
    rules: tuple[SecurityGroupRule, ...] = ()
    """All rules, also those that Neutron made by itself: a new group gets exactly these."""

    def references(self) -> tuple[Ref, ...]:
        ids = {rule.remote_address_group_id for rule in self.rules}
        return tuple(Ref("address_group", group) for group in sorted(filter(None, ids)))

    def remote_groups(self) -> tuple[Ref, ...]:
        """Other groups that a rule of this one names."""
        ids = {rule.remote_group_id for rule in self.rules if rule.remote_group_id}
        return tuple(Ref("security_group", group) for group in sorted(ids - {self.id}))
