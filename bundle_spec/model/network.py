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
    mtu: Bytes | None = None
    port_security_enabled: bool = True
    dns_domain: str = ""
    qos_policy_id: str | None = None

    def references(self) -> tuple[Ref, ...]:
        return (Ref("qos_policy", self.qos_policy_id),) if self.qos_policy_id else ()
