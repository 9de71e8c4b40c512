"""Network API: ``/security-groups`` and ``/security-group-rules``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class SecurityGroupRule(Record):
    """One rule.  None means "any" throughout; port 0 and ICMP type 0 are values."""

    id: str
    direction: Literal["ingress", "egress"]
    ether_type: Literal["IPv4", "IPv6"]
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None
    remote_address_group_id: str | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class SecurityGroup(Tagged):
    """A security group with all of its rules, also those that Neutron made by itself.

    The groups that rules refer to are not ``references()``: they may refer to each other, so
    all groups are made first and their rules afterwards.
    """

    type = "security_group"

    stateful: bool = True
    rules: tuple[SecurityGroupRule, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        ids = {rule.remote_address_group_id for rule in self.rules}
        return tuple(Ref("address_group", group) for group in sorted(filter(None, ids)))

    def remote_groups(self) -> tuple[Ref, ...]:
        """Other groups that a rule of this one names."""
        ids = {rule.remote_group_id for rule in self.rules if rule.remote_group_id}
        return tuple(Ref("security_group", group) for group in sorted(ids - {self.id}))
