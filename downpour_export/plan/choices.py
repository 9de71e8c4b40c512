"""Questions about a selection that several modules of the plan ask: whose contents are carried,
what a server boots from, which snapshots are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from bundle_spec.model import Server, Volume
from downpour_export.discover import FoundImage, FoundSnapshot, Inventory
from downpour_export.plan.model import SHELVED
from downpour_export.plan.select import Selection


def volume_choices(selection: Selection, inventory: Inventory) -> Iterator[tuple[Volume, bool]]:
    """Every carried volume, and whether its contents are: ``save_state`` of its own item decides,
    else that of its server's item."""
    listed = {record.id: item.save_state for item, record in selection.volumes}
    seen: set[str] = set()
    for item, server in selection.servers:
        for attached in server.volumes:
            if attached.volume_id in inventory.volumes and attached.volume_id not in seen:
                seen.add(attached.volume_id)
                volume = inventory.volumes[attached.volume_id].record
                yield volume, listed.get(volume.id, item.save_state)
    for volume_id, save in listed.items():
        if volume_id not in seen:
            yield inventory.volumes[volume_id].record, save


def root_volume(server: Server) -> str | None:
    """The ID of the volume that a server boots from."""
    return next((volume.volume_id for volume in server.volumes if volume.boot_index == 0), None)


def rebuilt_roots(selection: Selection, inventory: Inventory) -> dict[str, str | None]:
    """Volumes that servers boot from and that are carried without contents -> the image that they
    were made from; None where that is unknown, not active, or not visible.
    """
    saved = {volume.id: save for volume, save in volume_choices(selection, inventory)}
    images: dict[str, str | None] = {}
    for _, server in selection.servers:
        root = root_volume(server)
        if server.image_id is None and root is not None and saved.get(root) is False:
            image_id = inventory.volumes[root].image_id
            image = inventory.images.get(image_id or "")
            images[root] = image_id if image and image.status == "active" else None
    return images


def shelved_image(server: Server, inventory: Inventory) -> FoundImage | None:
    """The image that Nova made of a server's disk when it was shelved."""
    if inventory.servers[server.id].status not in SHELVED:
        return None
    candidates = [
        image
        for image in inventory.images.values()
        if image.owned
        and image.status == "active"
        and image.instance_id == server.id
        and image.record.name == f"{server.name}-shelved"
    ]
    return max(candidates, key=lambda image: image.created_at, default=None)


def snapshots(selection: Selection, inventory: Inventory) -> list[FoundSnapshot]:
    """Those that are named, and all of the volumes whose item, or whose server's item, says
    ``snapshots``."""
    named = {record.id for _, record in selection.volume_snapshots}
    volumes = {record.id for item, record in selection.volumes if item.snapshots}
    volumes |= {
        attached.volume_id
        for item, server in selection.servers
        if item.snapshots
        for attached in server.volumes
    }
    return [
        snapshot
        for snapshot in inventory.volume_snapshots.values()
        if snapshot.record.id in named or snapshot.record.volume_id in volumes
    ]
