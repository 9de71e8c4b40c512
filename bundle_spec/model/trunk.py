"""Network API: ``/trunks`` (extension ``trunk``)."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class SubPort(Record):
    """A port that the parent port carries."""

    port_id: str
    """The port whose traffic is carried."""
    segmentation_type: str
    """`vlan` or `inherit`."""
    segmentation_id: int
    """The VLAN number in the guest."""


@dataclass(frozen=True, kw_only=True)
class Trunk(Tagged):
    """The parent port carries the traffic of other ports, each in a VLAN."""

    type = "trunk"

    port_id: str
    """The parent port, which a server has."""
    admin_state_up: bool = True
    """Whether it forwards traffic."""
    sub_ports: tuple[SubPort, ...] = ()
    """The ports that it carries."""

    def references(self) -> tuple[Ref, ...]:
        return (Ref("port", self.port_id), *(Ref("port", port.port_id) for port in self.sub_ports))
