"""Network API: ``/trunks`` (extension ``trunk``)."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Record, Ref, Tagged


@dataclass(frozen=True, kw_only=True)
class SubPort(Record):
    """A port that the parent port carries; ``segmentation_type`` is ``vlan`` or ``inherit``."""

    port_id: str
    segmentation_type: str
    segmentation_id: int


@dataclass(frozen=True, kw_only=True)
class Trunk(Tagged):
    """The port ``port_id``, which a server has, carries the traffic of other ports."""

    type = "trunk"

    port_id: str
    admin_state_up: bool = True
    sub_ports: tuple[SubPort, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        return (Ref("port", self.port_id), *(Ref("port", port.port_id) for port in self.sub_ports))
