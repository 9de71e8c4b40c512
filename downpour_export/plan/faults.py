"""What cannot be done as asked: all of it is reported at once, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator

from bundle_spec.model import Server
from downpour_export.discover import Inventory
from downpour_export.errors import PlanError
from downpour_export.plan.choices import (
    rebuilt_roots,
    root_volume,
    shelved_image,
    snapshots,
    volume_choices,
)
from downpour_export.plan.model import CAPTURABLE, SHELVED
from downpour_export.plan.select import Selection
from downpour_export.resource_file import Item

_UNSHELVE = "unshelve it first"


def faults(selection: Selection, inventory: Inventory) -> Iterator[PlanError]:
    """Everything that stands in the way of ``selection``."""
    for item, server in selection.servers:
        yield from _server(item, server, inventory)
    yield from _rebuilt(selection, inventory)
    yield from _boots(selection, inventory)
    for item, image in selection.images:
        status = inventory.images[image.id].status
        if inventory.images[image.id].volume_backed:
            yield PlanError(
                f"image {image.name!r} holds no bytes, but names snapshots of volumes",
                where=item.where,
                remedy="list those volumes with snapshots: true in its place",
            )
        elif status != "active":
            yield PlanError(f"image {image.name!r} is {status}, not active", where=item.where)
    yield from _volumes(selection, inventory)
    for snapshot in snapshots(selection, inventory):
        if snapshot.status != "available":
            yield PlanError(
                f"snapshot {snapshot.record.name!r} ({snapshot.record.id}) is {snapshot.status}",
                remedy="bring it to available, or delete it",
            )


def _server(item: Item, server: Server, inventory: Inventory) -> Iterator[PlanError]:
    entry = inventory.servers[server.id]
    what = f"server {server.name!r} is {entry.status}"
    if not entry.flavor.vcpus:
        yield PlanError(
            f"the flavor {entry.flavor.id} of server {server.name!r} is gone, and this Nova "
            "tells only its ID",
            where=item.where,
            remedy="ask for compute microversion 2.47 or newer",
        )
    if item.save_state:
        image_booted = server.image_id is not None
        if entry.status in SHELVED and image_booted and shelved_image(server, inventory) is None:
            yield PlanError(
                f"{what}, and the image that Nova made of its disk is not to be found",
                where=item.where,
                remedy=_UNSHELVE,
            )
        elif entry.status not in CAPTURABLE and entry.status not in SHELVED:
            yield PlanError(
                f"{what} and cannot be captured",
                where=item.where,
                remedy="bring it to ACTIVE, SHUTOFF, PAUSED or SUSPENDED first",
            )
        if item.stop != "no":
            yield from _stop(item, server, inventory)
        return
    if entry.status in ("BUILD", "ERROR", "DELETED"):
        yield PlanError(
            f"{what}: its intended state is not known",
            where=item.where,
            remedy="take it out of the file",
        )
    if server.image_id is not None:
        yield from _image(item, server, server.image_id, inventory)


def _stop(item: Item, server: Server, inventory: Inventory) -> Iterator[PlanError]:
    status = inventory.servers[server.id].status
    if status not in ("ACTIVE", "SHUTOFF", *SHELVED):
        yield PlanError(
            f"server {server.name!r} is {status} and cannot be stopped",
            where=item.where,
            remedy="bring it to ACTIVE or SHUTOFF, or leave stop out",
        )
    if server.locked and status == "ACTIVE":
        yield PlanError(
            f"server {server.name!r} is locked and cannot be stopped",
            where=item.where,
            remedy="unlock it, or leave stop out",
        )


def _image(item: Item, server: Server, image_id: str, inventory: Inventory) -> Iterator[PlanError]:
    image = inventory.images.get(image_id)
    remedy = "leave save_state out: then the server's own disk is carried"
    what = f"the image {image_id} that server {server.name!r} booted from is"
    if image is None:
        yield PlanError(f"{what} gone", where=item.where, remedy=remedy)
    elif image.status != "active":
        yield PlanError(f"{what} {image.status}, not active", where=item.where, remedy=remedy)


def _rebuilt(selection: Selection, inventory: Inventory) -> Iterator[PlanError]:
    images = rebuilt_roots(selection, inventory)
    for item, server in selection.servers:
        root = root_volume(server)
        nothing_to_boot = server.image_id is None and root is None and not item.save_state
        if nothing_to_boot or (root in images and images[root] is None):
            image_id = inventory.volumes[root].image_id if root else None
            yield PlanError(
                f"server {server.name!r} boots from a volume, and "
                + (
                    f"the image {image_id} that this was made from is gone"
                    if image_id
                    else "nothing tells which image this was made from"
                ),
                where=item.where,
                remedy="leave save_state out for it",
            )


def _boots(selection: Selection, inventory: Inventory) -> Iterator[PlanError]:
    listed = {record.id for _, record in selection.volumes}
    saved = {volume.id: save for volume, save in volume_choices(selection, inventory)}
    for item, server in selection.servers:
        root = root_volume(server)
        if item.boot == "volume" and server.image_id is not None and not item.save_state:
            yield PlanError(
                f"server {server.name!r} cannot boot from a volume without its contents",
                where=item.where,
                remedy="leave boot or save_state out",
            )
        if item.boot != "image" or server.image_id is not None or root is None:
            continue
        if not saved.get(root):
            yield PlanError(
                f"server {server.name!r} cannot boot from an image: the contents of the volume "
                "that it boots from do not go",
                where=item.where,
                remedy="leave boot or save_state out",
            )
        elif root in listed or len(inventory.volumes[root].devices) > 1:
            yield PlanError(
                f"server {server.name!r} cannot boot from an image: the volume {root} that it "
                "boots from is needed as a volume",
                where=item.where,
                remedy="leave boot out, or the volume",
            )


def _volumes(selection: Selection, inventory: Inventory) -> Iterator[PlanError]:
    for volume, save in volume_choices(selection, inventory):
        entry = inventory.volumes[volume.id]
        if save and entry.encrypted:
            yield PlanError(
                f"volume {volume.name!r} ({volume.id}) is encrypted: its bytes are of no use "
                "without the key, which stays with the source's key manager",
                remedy="list it under volumes with save_state: false and copy its contents "
                "from inside a server",
            )
        # An upload to an image ends by itself: it may be one that a killed run began.
        free = ("available", "in-use", *(() if entry.devices else ("uploading",)))
        if save and entry.status not in free:
            owners = map(inventory.servers.get, entry.devices)
            shelved = any(owner is not None and owner.status in SHELVED for owner in owners)
            yield PlanError(
                f"volume {volume.name!r} ({volume.id}) is {entry.status}",
                remedy="unshelve its server first"
                if shelved
                else "bring it to available or in-use first",
            )
    for snapshot in snapshots(selection, inventory):
        origin = inventory.volumes.get(snapshot.record.volume_id)
        if origin and origin.encrypted:
            yield PlanError(
                f"snapshot {snapshot.record.name!r} ({snapshot.record.id}) is of an encrypted "
                "volume: its bytes are of no use without the key",
                remedy="leave it out, or snapshots: true of its volume",
            )
