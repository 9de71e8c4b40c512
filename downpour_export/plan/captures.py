"""Which disks are read, from which servers, in which state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.model import Resource, Server, Volume
from downpour_export.discover import Inventory
from downpour_export.plan.choices import shelved_image, snapshots, volume_choices
from downpour_export.plan.model import CAPTURABLE, SHELVED, Consistency, DiskCapture, StopMode
from downpour_export.plan.select import Selection

Stops = dict[str, StopMode]
"""The ID of a server -> how it is stopped."""


def stops(selection: Selection, inventory: Inventory) -> Stops:
    """The servers that run and are stopped for their capture."""
    return {
        server.id: item.stop
        for item, server in selection.servers
        if item.stop != "no" and item.save_state and inventory.servers[server.id].status == "ACTIVE"
    }


def captures(
    selection: Selection, records: Iterable[Resource], inventory: Inventory, stopped: Stops
) -> Iterator[DiskCapture]:
    """Servers first, each with its volumes, then volumes, snapshots, and images."""
    servers = {server.id: server.name for _, server in selection.servers}
    states = {server: _state(server, inventory, stopped) for server in inventory.servers}
    for item, server in selection.servers:
        # A server without an image keeps its own disk in a volume.
        if item.save_state and server.image_id is not None:
            shelved = shelved_image(server, inventory)
            yield DiskCapture(
                type="server",
                id=server.id,
                name=server.name,
                size=_own_size(server, inventory),
                consistency=states[server.id],
                server_id=server.id,
                image_id=shelved.record.id if shelved else None,
            )
    for volume, save in volume_choices(selection, inventory):
        if save:
            yield _volume(volume, servers, states, inventory)
    for snapshot in snapshots(selection, inventory):
        yield DiskCapture(
            type="volume_snapshot",
            id=snapshot.record.id,
            name=snapshot.record.name,
            size=snapshot.record.size << 30,
            # Nobody knows what wrote to the volume when it was taken: assume the worst.
            consistency="live",
            taken=snapshot.taken,
        )
    for record in records:
        if record.type == "image":
            image = inventory.images[record.id]
            yield DiskCapture(
                type="image",
                id=record.id,
                name=record.name,
                size=image.size or 0,
                consistency="idle",
            )


def _state(server_id: str, inventory: Inventory, stopped: Stops) -> Consistency:
    status = inventory.servers[server_id].status
    if server_id in stopped or status in SHELVED:
        return "stopped"
    return CAPTURABLE.get(status, "live")


def _own_size(server: Server, inventory: Inventory) -> int:
    """Bytes of a server's own disk: its flavor's disk, or its image if that is larger."""
    image = inventory.images.get(server.image_id or "")
    least = max(image.size or 0, image.virtual_size or 0) if image else 0
    return max(inventory.servers[server.id].flavor.disk << 30, least)


def _volume(
    volume: Volume, servers: dict[str, str], states: dict[str, Consistency], inventory: Inventory
) -> DiskCapture:
    attached = list(inventory.volumes[volume.id].devices)
    consistency: Consistency = "idle"
    if attached:
        # Of several servers, the one that may still write decides.
        seen = {states.get(server_id, "live") for server_id in attached}
        consistency = "live" if "live" in seen else "paused" if "paused" in seen else "stopped"
    server_id = next((server_id for server_id in attached if server_id in servers), None)
    return DiskCapture(
        type="volume",
        id=volume.id,
        name=volume.name,
        size=volume.size << 30,
        consistency=consistency,
        server_id=server_id,
        server_name=servers[server_id] if server_id else None,
    )
