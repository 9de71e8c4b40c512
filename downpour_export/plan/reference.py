"""References: what the target must have already, with the attributes by which it is recognised."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.model import (
    AvailabilityZoneReference,
    FlavorReference,
    ImageReference,
    KeypairReference,
    NetworkReference,
    Ref,
    Reference,
    References,
    SubnetReference,
    VolumeTypeReference,
)
from downpour_export.discover import Inventory


def references(inventory: Inventory, refs: Iterable[Ref]) -> References:
    """A reference record for each of ``refs``, which are needed and not carried."""
    sections: dict[str, list[Reference]] = {}
    for ref in refs:
        section = "qos_policies" if ref.type == "qos_policy" else f"{ref.type}s"
        sections.setdefault(section, []).append(_reference(inventory, ref))
    return References(**{name: tuple(section) for name, section in sections.items()})  # type: ignore[arg-type]


def _reference(inventory: Inventory, ref: Ref) -> Reference:
    match ref.type:
        case "flavor":
            return _flavor(inventory, ref.id)
        case "network":
            network = inventory.networks[ref.id]
            return NetworkReference(
                id=ref.id,
                name=network.record.name,
                external=network.external,
                shared=network.shared,
            )
        case "subnet":
            subnet = inventory.subnets[ref.id]
            return SubnetReference(
                id=ref.id, name=subnet.name, network_id=subnet.network_id, cidr=subnet.cidr
            )
        case "image":
            image = inventory.images[ref.id]
            return ImageReference(
                id=ref.id,
                name=image.record.name,
                disk_format=image.record.disk_format,
                size=image.size,
                hash_algo=image.hash_algo,
                hash_value=image.hash_value,
            )
        case "volume_type":
            return VolumeTypeReference(
                id=ref.id, name=ref.id, is_default=ref.id == inventory.default_volume_type
            )
        case "availability_zone":
            service, _, name = ref.id.partition("/")
            return AvailabilityZoneReference(
                id=ref.id, name=name, service="compute" if service == "compute" else "volume"
            )
        case "qos_policy":
            return inventory.qos_policies[ref.id]
        case "keypair":
            return KeypairReference(id=ref.id, name=ref.id)
        case _:
            raise AssertionError(f"{ref} belongs to the project and is carried")


def _flavor(inventory: Inventory, name: str) -> FlavorReference:
    return next(server.flavor for server in inventory.servers.values() if server.flavor.id == name)
