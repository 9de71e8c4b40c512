"""The content of a bundle: the plan's records with the disks that were captured for them."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

from bundle_spec.model import AttachedVolume, Content, Disk, Image, Server, Source, Volume
from downpour_export.capture import Captured
from downpour_export.capture.moment import now
from downpour_export.plan import Plan
from downpour_export.plan.choices import root_volume


def assemble(plan: Plan, captured: Captured, source: Source) -> Content:
    """The plan's records with their disks, and servers with what they will boot from."""
    resources, disks = plan.resources, captured.disks
    images = [replace(image, disk_id=disks[image.ref].id) for image in resources.images]
    volumes = {
        volume.id: replace(volume, disk_id=disks[volume.ref].id) if volume.ref in disks else volume
        for volume in resources.volumes
    }
    flavors = {flavor.id: flavor.disk for flavor in plan.references.flavors}
    servers = []
    for server in resources.servers:
        if server.id in captured.stopped:
            server = replace(server, power_state="running")
        disk_image = captured.images.get(server.id)
        if plan.boots.get(server.id) == "image":
            server, image = _from_image(server, volumes)
            images.append(image)
        elif disk_image is not None and plan.boots.get(server.id) == "volume":
            disk = disks[server.ref]
            server, volume = _from_volume(server, disk_image, disk, flavors[server.flavor])
            volumes[volume.id] = volume
        elif disk_image is not None:
            images.append(_named_image(disk_image, server, disks[server.ref].id))
            server = replace(server, image_id=disk_image.id)
        servers.append(server)
    return Content(
        created=now(),
        tool=f"downpour {version('downpour')}",
        source=source,
        resources=replace(
            resources,
            images=tuple(images),
            volumes=tuple(volumes.values()),
            volume_snapshots=tuple(
                replace(taken, disk_id=disks[taken.ref].id) for taken in resources.volume_snapshots
            ),
            servers=tuple(servers),
        ),
        references=plan.references,
        omissions=(*plan.omissions, *plan.left_behind.omissions()),
    )


def _named_image(image: Image, server: Server, disk_id: str) -> Image:
    return replace(
        image,
        name=f"{server.name} (disk)"[:255],
        disk_id=disk_id,
        visibility="private",
        server_id=server.id,
    )


def _from_volume(
    server: Server, image: Image, disk: Disk, flavor_disk: int
) -> tuple[Server, Volume]:
    """A server that booted from an image, changed to boot from a volume with its own disk.

    The volume is as large as the flavor's disk, or as the image needs; GiB.
    """
    least = -(-(disk.virtual_size or disk.size) >> 30)
    volume = Volume(
        id=image.id,
        name=f"{server.name} (disk)"[:255],
        size=max(flavor_disk, image.min_disk, least, 1),
        bootable=True,
        image_metadata=image.properties,
        disk_id=disk.id,
    )
    boot = AttachedVolume(volume_id=volume.id, boot_index=0)
    return replace(server, image_id=None, volumes=(boot, *server.volumes)), volume


def _from_image(server: Server, volumes: dict[str, Volume]) -> tuple[Server, Image]:
    """A server that booted from a volume, changed to boot from an image with its contents.

    The volume is removed from ``volumes``.
    """
    root = root_volume(server)
    assert root is not None
    volume = volumes.pop(root)
    assert volume.disk_id is not None
    image = Image(
        id=volume.id,
        name="",
        disk_id="",
        disk_format="raw",
        container_format="bare",
        min_disk=volume.size,
        properties=volume.image_metadata,
    )
    others = tuple(attached for attached in server.volumes if attached.volume_id != root)
    server = replace(server, image_id=image.id, volumes=others)
    return server, _named_image(image, server, volume.disk_id)
