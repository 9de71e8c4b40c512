"""Details that no list call gives: they are read one by one, and only for what is carried."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bundle_spec.model import FloatingIp, Ref, Server
from bundle_spec.progress import NULL, Progress
from downpour_export.cloud import SourceCloud
from downpour_export.discover import floating_ip
from downpour_export.discover.inventory import FoundImage, Inventory


def complete(
    cloud: SourceCloud, inventory: Inventory, refs: Collection[Ref], progress: Progress = NULL
) -> Inventory:
    """The inventory with the details of ``refs``: device tags, members of images, and
    the port forwardings of floating IPs.

    A server costs one call for its ports and one for its volumes, if it has any: both lists have
    tags from compute microversion 2.70 on.  An image or a floating IP costs one call at most.
    Raises CaptureError.
    """
    servers, images = dict(inventory.servers), dict(inventory.images)
    addresses = dict(inventory.floating_ips)
    with progress.task("read details", len(refs), "resources") as task:
        for ref in refs:
            if ref.type == "server" and ref.id in servers and cloud.supports("compute", "2.70"):
                server = servers[ref.id]
                servers[ref.id] = replace(server, record=_with_tags(cloud, server.record))
            elif ref.type == "image" and ref.id in images:
                images[ref.id] = _with_members(cloud, images[ref.id])
            elif ref.type == "floating_ip" and ref.id in addresses:
                addresses[ref.id] = _with_forwardings(cloud, addresses[ref.id])
            task.advance(1)
    return replace(inventory, servers=servers, images=images, floating_ips=addresses)


def _with_tags(cloud: SourceCloud, server: Server) -> Server:
    path = f"/servers/{server.id}"
    if server.nics:
        interfaces = cloud.get("compute", f"{path}/os-interface")["interfaceAttachments"]
        tags = {item["port_id"]: item.get("tag") for item in interfaces}
        nics = (replace(nic, tag=tags.get(nic.port_id)) for nic in server.nics)
        server = replace(server, nics=tuple(nics))
    if server.volumes:
        attached = cloud.get("compute", f"{path}/os-volume_attachments")["volumeAttachments"]
        tags = {item["volumeId"]: item.get("tag") for item in attached}
        volumes = (replace(volume, tag=tags.get(volume.volume_id)) for volume in server.volumes)
        server = replace(server, volumes=tuple(volumes))
    return server


def _with_forwardings(cloud: SourceCloud, address: FloatingIp) -> FloatingIp:
    """The list of floating IPs has neither descriptions nor port ranges of forwardings."""
    if not address.port_forwardings:
        return address
    path = f"/floatingips/{address.id}/port_forwardings"
    items = cloud.list("network", path, "port_forwardings")
    return replace(address, port_forwardings=floating_ip.forwardings_of(items))


def _with_members(cloud: SourceCloud, image: FoundImage) -> FoundImage:
    """Only an image that is shared has members (Image API, "List image members")."""
    if not image.owned or image.record.visibility != "shared":
        return image
    members = cloud.get("image", f"/images/{image.record.id}/members")["members"]
    return replace(image, members=tuple(sorted(member["member_id"] for member in members)))
