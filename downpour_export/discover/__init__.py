"""From API answers to records: one module per resource type, bulk lists only."""

from __future__ import annotations

from bundle_spec.progress import NULL, Progress
from downpour_export.cloud import SourceCloud
from downpour_export.discover import (
    floating_ip,
    image,
    keypair,
    network,
    port,
    router,
    security_group,
    server,
    subnet,
    volume,
)
from downpour_export.discover.inventory import (
    FoundImage,
    FoundNetwork,
    FoundPort,
    FoundServer,
    FoundVolume,
    Inventory,
)

__all__ = [
    "FoundImage",
    "FoundNetwork",
    "FoundPort",
    "FoundServer",
    "FoundVolume",
    "Inventory",
    "discover",
]


def discover(cloud: SourceCloud, progress: Progress = NULL) -> Inventory:
    """Everything of the token's own project, and what it refers to of others.

    The number of calls grows with types and pages; one more for each image of another owner
    that a server booted from, and for each foreign network that a port is on.
    """
    with progress.task("discover", None, "resources") as task:
        networks = network.discover(cloud)
        ports = port.discover(cloud)
        used = {each.record.network_id for each in ports.values()}
        foreign = [
            each.record.id
            for each in networks.values()
            if not each.owned and each.record.id in used
        ]
        volumes = volume.discover(cloud)
        servers = server.discover(cloud, ports.values(), volumes.values())
        images = image.discover(cloud)
        for each in servers.values():
            wanted = each.record.image_id
            if wanted and wanted not in images:
                other = image.look_up(cloud, wanted)
                if other is not None:
                    images[wanted] = other
        inventory = Inventory(
            keypairs=keypair.discover(cloud),
            security_groups=security_group.discover(cloud),
            networks=networks,
            subnets=subnet.discover(cloud, foreign),
            routers=router.discover(cloud, ports.values()),
            ports=ports,
            floating_ips=floating_ip.discover(cloud),
            images=images,
            volumes=volumes,
            servers=servers,
            default_volume_type=volume.default_type(cloud),
        )
        task.advance(len(ports) + len(volumes) + len(servers) + len(images))
    return inventory
