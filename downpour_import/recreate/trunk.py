"""Trunks, made before the servers, while their parent ports are not bound."""

from __future__ import annotations

from typing import Any

from bundle_spec.model import Ref, Trunk
from downpour_import.recreate.base import NetworkRecreator
from downpour_import.recreate.context import Context


class Trunks(NetworkRecreator[Trunk]):
    path = "/trunks"
    key = "trunk"
    collection = "trunks"

    def used(self, context: Context, item: Any) -> bool:
        return bool(item.get("sub_ports"))

    def body(self, context: Context, record: Trunk) -> dict[str, Any]:
        return {
            "name": record.name,
            "admin_state_up": record.admin_state_up,
            "port_id": context.target(Ref("port", record.port_id)),
            "sub_ports": [
                {
                    "port_id": context.target(Ref("port", sub_port.port_id)),
                    "segmentation_type": sub_port.segmentation_type,
                    "segmentation_id": sub_port.segmentation_id,
                }
                for sub_port in record.sub_ports
            ],
        }
