"""What only exists per object, read for what is carried: at most one call for each of them."""

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

    Tags are told from 2.70 on, where a server's ports and volumes cost a call each; a server
    has at least one of those for each call.  Raises CaptureError.
    """
    servers, images = dict(inventory.servers), dict(inventory.images)
    addresses = dict(inventory.floating_ips)
    with progress.task("details", len(refs), "resources") as task:
        for ref in refs:
            if ref.type == "server" and ref.id in servers and cloud.supports("compute", "2.70"):
                found = servers[ref.id]
                servers[ref.id] = replace(found, record=_with_tags(cloud, found.record))
            elif ref.type == "image" and ref.id in images:
                images[ref.id] = _with_members(cloud, images[ref.id])
            elif ref.type == "floating_ip" and ref.id in addresses:
                addresses[ref.id] = _with_forwardings(cloud, addresses[ref.id])
            task.advance(1)
    return replace(inventory, servers=servers, images=images, floating_ips=addresses)


def _with_tags(cloud: SourceCloud, server: Server) -> Server:
    path = f"/servers/{server.id}"
    if server.nics:
        found = cloud.get("compute", f"{path}/os-interface")["interfaceAttachments"]
        tags = {each["port_id"]: each.get("tag") for each in found}
        nics = tuple(replace(nic, tag=tags.get(nic.port_id)) for nic in server.nics)
        server = replace(server, nics=nics)
    if server.volumes:
        found = cloud.get("compute", f"{path}/os-volume_attachments")["volumeAttachments"]
        tags = {each["volumeId"]: each.get("tag") for each in found}
        volumes = tuple(replace(each, tag=tags.get(each.volume_id)) for each in server.volumes)
        server = replace(server, volumes=volumes)
    return server


def _with_forwardings(cloud: SourceCloud, address: FloatingIp) -> FloatingIp:
    """The list of addresses tells neither descriptions nor ranges."""
    if not address.port_forwardings:
        return address
    path = f"/floatingips/{address.id}/port_forwardings"
    found = cloud.list("network", path, "port_forwardings")
    return replace(address, port_forwardings=floating_ip.forwardings_of(found))


def _with_members(cloud: SourceCloud, image: FoundImage) -> FoundImage:
    """Only an image that is shared has members (Image API, "List image members")."""
    if not image.owned or image.record.visibility != "shared":
        return image
    found = cloud.get("image", f"/images/{image.record.id}/members")["members"]
    return replace(image, members=tuple(sorted(each["member_id"] for each in found)))
