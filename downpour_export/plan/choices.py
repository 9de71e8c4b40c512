"""Whose contents go: questions about a selection that several rooms of the plan ask."""

from __future__ import annotations

from collections.abc import Iterator

from bundle_spec.model import Server, Volume
from downpour_export.discover import FoundImage, FoundSnapshot, Inventory
from downpour_export.plan.model import SHELVED
from downpour_export.plan.select import Selection


def volume_choices(selection: Selection, inventory: Inventory) -> Iterator[tuple[Volume, bool]]:
    """Every volume that goes, and whether its contents do: its own item decides, else its server's.

    A volume of a server that goes without contents goes without contents.
    """
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
    return next((each.volume_id for each in server.volumes if each.boot_index == 0), None)


def rebuilt_roots(selection: Selection, inventory: Inventory) -> dict[str, str | None]:
    """Volumes that servers boot from and that go without contents -> the image they came from.

    None where nothing tells it, or it cannot be seen any more.
    """
    saved = {volume.id: save for volume, save in volume_choices(selection, inventory)}
    found: dict[str, str | None] = {}
    for _, server in selection.servers:
        root = root_volume(server)
        if server.image_id is None and root is not None and saved.get(root) is False:
            image_id = inventory.volumes[root].image_id
            image = inventory.images.get(image_id or "")
            found[root] = image_id if image and image.status == "active" else None
    return found


def shelved_image(server: Server, inventory: Inventory) -> FoundImage | None:
    """The image that Nova made of a server's disk when it was shelved."""
    if inventory.servers[server.id].status not in SHELVED:
        return None
    made = [
        image
        for image in inventory.images.values()
        if image.owned
        and image.status == "active"
        and image.instance_id == server.id
        and image.record.name == f"{server.name}-shelved"
    ]
    return max(made, key=lambda image: image.created_at, default=None)


def snapshots(selection: Selection, inventory: Inventory) -> list[FoundSnapshot]:
    """All snapshots of the volumes for which they were asked for."""
    volumes = {record.id for item, record in selection.volumes if item.snapshots}
    volumes |= {
        attached.volume_id
        for item, server in selection.servers
        if item.snapshots
        for attached in server.volumes
    }
    return [
        each for each in inventory.volume_snapshots.values() if each.record.volume_id in volumes
    ]
