"""What the project may still make on the target, of what is to be made."""

from __future__ import annotations

from bundle_spec.model import AddressGroup, Resources
from bundle_spec.model.base import Tagged
from downpour_cloud import quotas
from downpour_cloud.quotas import Quotas
from downpour_import.cloud import TargetCloud


def read(cloud: TargetCloud, resources: Resources) -> Quotas:
    """One call to each service that is to make something.

    The names of the quotas are those of ``downpour_cloud.quotas``.
    """
    found: Quotas = {}
    if resources.servers or resources.server_groups:
        found |= quotas.compute(cloud)
    volumes = (*resources.volumes, *resources.volume_snapshots)
    if volumes:
        found |= quotas.block_storage(cloud)
    if has_network(resources):
        found |= quotas.network(cloud)
    if resources.images or volumes:
        found |= quotas.image(cloud)
    return found


def has_network(resources: Resources) -> bool:
    """Whether Neutron has something to make."""
    return any(isinstance(record, (Tagged, AddressGroup)) for record in resources)
