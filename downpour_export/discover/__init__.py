"""From API answers to records: one module per resource type, by list calls if possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bundle_spec.progress import NULL, Progress
from downpour_export.cloud import SourceCloud
from downpour_export.discover import (
    address_group,
    floating_ip,
    image,
    keypair,
    network,
    port,
    qos_policy,
    quota,
    router,
    security_group,
    server,
    server_group,
    subnet,
    trunk,
    volume,
    volume_snapshot,
)
from downpour_export.discover.details import complete
from downpour_export.discover.inventory import (
    FoundImage,
    FoundNetwork,
    FoundPort,
    FoundServer,
    FoundSnapshot,
    FoundVolume,
    Inventory,
)
from downpour_export.discover.losses import Loss

__all__ = [
    "FoundImage",
    "FoundNetwork",
    "FoundPort",
    "FoundServer",
    "FoundSnapshot",
    "FoundVolume",
    "Inventory",
    "complete",
    "discover",
]


def discover(cloud: SourceCloud, progress: Progress = NULL) -> Inventory:
    """Everything in the token's own project, and what it refers to in others.

    The number of calls grows with types and pages, not with resources; but there is one more for
    each image of another owner that a server booted from, for each network of another project that
    a port is on, and for each QoS policy.  Raises CaptureError.
    """
    with progress.task("discover resources", None, "resources") as task:
        networks = network.discover(cloud)
        ports = port.discover(cloud)
        used = {port.record.network_id for port in ports.values()}
        for network_id in sorted(used - networks.keys()):
            other_network = network.look_up(cloud, network_id)
            if other_network is not None:
                networks[network_id] = other_network
        foreign = [
            network.record.id
            for network in networks.values()
            if not network.owned and network.record.id in used
        ]
        volumes = volume.discover(cloud)
        groups, members = server_group.discover(cloud)
        servers = server.discover(cloud, ports.values(), volumes.values(), members)
        images = image.discover(cloud)
        _look_up_others(cloud, images, servers.values(), volumes)
        extensions = cloud.extensions()
        addresses = floating_ip.discover(cloud)
        lost: dict[str, tuple[Loss, ...]] = {}
        policies = {
            *(network.record.qos_policy_id for network in networks.values() if network.owned),
            *(port.record.qos_policy_id for port in ports.values()),
            *(address.qos_policy_id for address in addresses.values()),
        }
        subnets = subnet.discover(cloud, foreign, lost)
        inventory = Inventory(
            keypairs=keypair.discover(cloud),
            security_groups=security_group.discover(cloud),
            networks=networks,
            subnets=subnets,
            routers=router.discover(cloud, ports.values(), subnets, lost),
            ports=ports,
            floating_ips=addresses,
            address_groups=address_group.discover(cloud) if "address-group" in extensions else {},
            trunks=trunk.discover(cloud) if "trunk" in extensions else {},
            qos_policies=qos_policy.look_up(cloud, filter(None, policies)),
            losses=lost,
            room=quota.discover(cloud),
            extensions=extensions,
            images=images,
            volumes=volumes,
            volume_snapshots=volume_snapshot.discover(cloud, volumes),
            server_groups=groups,
            servers=servers,
            default_volume_type=volume.default_type(cloud),
        )
        task.advance(len(ports) + len(volumes) + len(servers) + len(images))
    return inventory


def _look_up_others(
    cloud: SourceCloud,
    images: dict[str, FoundImage],
    servers: Iterable[FoundServer],
    volumes: Mapping[str, FoundVolume],
) -> None:
    """Add to ``images`` those of other owners that servers or their boot volumes were made from."""
    wanted: set[str | None] = set()
    for entry in servers:
        boot = [volume.volume_id for volume in entry.record.volumes if volume.boot_index == 0]
        wanted.add(entry.record.image_id)
        wanted.update(volumes[identity].image_id for identity in boot if identity in volumes)
    for image_id in sorted(filter(None, wanted)):
        other = None if image_id in images else image.look_up(cloud, image_id)
        if other is not None:
            images[image_id] = other
