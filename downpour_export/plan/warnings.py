"""What may surprise whoever exports, but does not prevent the export.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.model import Server
from downpour_export.discover import Inventory
from downpour_export.plan.choices import root_volume
from downpour_export.plan.model import CAPTURABLE, DiskCapture
from downpour_export.plan.select import Selection
from downpour_export.resource_file import Item

_TIB = 1 << 40


def selection_warnings(selection: Selection, inventory: Inventory) -> Iterator[str]:
    """One sentence for each thing that the resource file asks for and that may surprise."""
    for item, server in selection.servers:
        yield from _of_capture(item, server, inventory)
        yield from _of_boot(item, server, inventory)
        yield from _of_keypair(item, server, inventory)
    yield from _of_attachments(selection, inventory)


def size_warnings(captures: Iterable[DiskCapture]) -> Iterator[str]:
    """Disks that may be too large for an image."""
    for capture in captures:
        if capture.size > _TIB:
            yield (
                f"{capture.type.replace('_', ' ')} {capture.name!r} may have more than 1 TiB: "
                "Glance takes no larger image unless its image_size_cap was raised"
            )


def _of_capture(item: Item, server: Server, inventory: Inventory) -> Iterator[str]:
    state = CAPTURABLE.get(inventory.servers[server.id].status)
    if item.save_state and state == "live" and item.stop == "no":
        yield f"server {server.name!r} is running: its disks are captured as after a power cut"
    if item.user_data is not None:
        yield (
            f"server {server.name!r}: its user data goes into the bundle as the file has it; "
            "see that it holds nothing that whoever finds the bundle must not know"
        )
    if item.stop != "no" and not item.save_state:
        yield f"server {server.name!r} goes without its contents and is not stopped for that"


def _of_boot(item: Item, server: Server, inventory: Inventory) -> Iterator[str]:
    if item.boot != "image" or server.image_id is not None:
        return
    root = root_volume(server)
    size = inventory.volumes[root].record.size if root in inventory.volumes else 0
    disk = inventory.servers[server.id].flavor.disk
    if disk < size:
        yield (
            f"server {server.name!r} will boot from an image of {size} GiB, and its flavor "
            f"has a disk of {disk} GiB: map the flavor to a larger one"
        )


def _of_keypair(item: Item, server: Server, inventory: Inventory) -> Iterator[str]:
    key = item.key_name or server.key_name
    if key and key not in inventory.keypairs:
        yield (
            f"server {server.name!r} names the keypair {key!r}, which this user does not have "
            "at the source: the target must have it, or a mapping for it"
        )


def _of_attachments(selection: Selection, inventory: Inventory) -> Iterator[str]:
    chosen = {server.id for _, server in selection.servers}
    for item, volume in selection.volumes:
        others = set(inventory.volumes[volume.id].devices) - chosen
        if others and item.save_state:
            yield (
                f"volume {volume.name!r} is attached to server {', '.join(sorted(others))}, which "
                "is not listed: the volume is captured by a snapshot and goes without the server"
            )
