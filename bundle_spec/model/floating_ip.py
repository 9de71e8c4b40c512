"""Network API: ``/floatingips``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class FloatingIp(Tagged):
    """A floating IP; its name is its address at the source.

    A tenant cannot choose the address, so the target gives another one.
    """

    type = "floating_ip"

    floating_network_id: str
    port_id: str | None = None
    fixed_ip_address: str | None = None

    def references(self) -> tuple[Ref, ...]:
        port = (Ref("port", self.port_id),) if self.port_id else ()
        return (Ref("network", self.floating_network_id), *port)
