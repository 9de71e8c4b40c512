"""What a tenant can read and nobody but an operator can set is told for each type."""

from __future__ import annotations

from typing import Any

import pytest

from downpour_export.discover import losses


@pytest.mark.parametrize(
    ("of", "item", "attributes"),
    [
        (losses.of_network, {"shared": True, "availability_zone_hints": ["a"]},
         ["shared", "availability_zone_hints"]),
        (losses.of_network, {"vlan_transparent": True}, ["vlan_transparent"]),
        (losses.of_network, {"shared": False, "availability_zone_hints": []}, []),
        (losses.of_subnet, {"subnetpool_id": "p", "dns_publish_fixed_ip": True},
         ["subnetpool_id", "dns_publish_fixed_ip"]),
        (losses.of_subnet, {"subnetpool_id": None}, []),
        (losses.of_router, {"external_gateway_info": {"enable_snat": False}, "ha": True},
         ["enable_snat", "ha"]),
        (losses.of_router, {"external_gateway_info": {"enable_snat": True}}, []),
        (losses.of_router, {"external_gateway_info": None, "availability_zone_hints": ["a"]},
         ["availability_zone_hints"]),
        (losses.of_port, {"binding:profile": {"trusted": True}, "device_profile": "gpu"},
         ["binding:profile", "device_profile"]),
        (losses.of_port, {"numa_affinity_policy": "required", "propagate_uplink_status": False},
         ["numa_affinity_policy", "propagate_uplink_status"]),
        (losses.of_port, {"binding:profile": {}, "propagate_uplink_status": True}, []),
        (losses.of_volume, {"group_id": "g", "replication_status": "enabled"},
         ["group_id", "replication_status"]),
        (losses.of_volume, {"consistencygroup_id": None, "replication_status": "disabled"}, []),
        (losses.of_server, {"trusted_image_certificates": ["c"]}, ["trusted_image_certificates"]),
        (losses.of_server, {}, []),
    ],
)  # fmt: skip
def test_losses(of: Any, item: dict[str, Any], attributes: list[str]) -> None:
    found = list(of(item))
    assert [each.attribute for each in found] == attributes
    assert all(each.reason for each in found)
