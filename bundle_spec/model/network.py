"""Network API: ``/networks``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Ref, Tagged
from bundle_spec.model.forms import Bytes


@dataclass(frozen=True, kw_only=True)
class Network(Tagged):
    """A network that the tenant owns.  Provider attributes are the operator's, not carried."""

    type = "network"

    admin_state_up: bool = True
    """Whether it forwards traffic."""
    mtu: Bytes | None = None
    """The largest packet, to be kept where the target lets a tenant set it; null: the target's
    choice."""
    port_security_enabled: bool = True
    """The default of its ports."""
    dns_domain: str = ""
    """The domain of its ports, with a dot at the end; empty: none."""
    qos_policy_id: str | None = None
    """The QoS policy, which the target must have; null: none."""

    def references(self) -> tuple[Ref, ...]:
        return (Ref("qos_policy", self.qos_policy_id),) if self.qos_policy_id else ()
