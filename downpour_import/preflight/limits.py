"""How much the project's quotas on the target leave for what is to be made."""

from __future__ import annotations

from bundle_spec.model import AddressGroup, Resources
from bundle_spec.model.base import Tagged
from downpour_cloud import quotas
from downpour_cloud.quotas import Quotas
from downpour_import.cloud import TargetCloud


def read(cloud: TargetCloud, resources: Resources) -> Quotas:
    """The room in the quotas of each service that is to make something, one call for each.

    The names of the quotas are those of ``downpour_cloud.quotas``.
    """
    room: Quotas = {}
    if resources.servers or resources.server_groups:
        room |= quotas.compute(cloud)
    volumes = (*resources.volumes, *resources.volume_snapshots)
    if volumes:
        room |= quotas.block_storage(cloud)
    if has_network(resources):
        room |= quotas.network(cloud)
    if resources.images or volumes:
        room |= quotas.image(cloud)
    return room


def has_network(resources: Resources) -> bool:
    """Whether Neutron has something to make."""
    return any(isinstance(record, (Tagged, AddressGroup)) for record in resources)
