"""What is lost of carried resources, since a tenant cannot read it or cannot set it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.model import (
    FloatingIp,
    Image,
    Keypair,
    Network,
    Omission,
    Port,
    Resource,
    Server,
    Volume,
)
from downpour_export.discover import Inventory
from downpour_export.discover.losses import Loss
from downpour_export.plan.choices import volume_choices
from downpour_export.plan.select import Selection


def omissions(
    records: Iterable[Resource], selection: Selection, inventory: Inventory
) -> Iterator[Omission]:
    """What is lost of ``records``, which are carried."""
    choices = {volume.id: save for volume, save in volume_choices(selection, inventory)}
    items = {server.id: item for item, server in selection.servers}
    for record in records:
        losses: Iterable[Loss]
        match record:
            case Server():
                losses = _server(record, items[record.id].save_state, inventory)
            case Volume() if record.type == "volume":
                losses = _volume(record, choices.get(record.id, True), inventory)
            case Image():
                losses = _image(record, inventory)
            case Keypair():
                losses = [Loss("private key", "it was never in the cloud")]
            case Network():
                losses = inventory.networks[record.id].losses
            case Port():
                losses = inventory.ports[record.id].losses
            case FloatingIp():
                losses = [Loss("address", "the target gives another one")]
            case _:
                losses = inventory.losses.get(record.id, ())
        for loss in losses:
            yield Omission(
                type=record.type,
                id=record.id,
                name=record.name,
                attribute=loss.attribute,
                reason=loss.reason,
            )


def _server(record: Server, save_state: bool, inventory: Inventory) -> Iterator[Loss]:
    entry = inventory.servers[record.id]
    yield from entry.losses
    for attribute, size, unit in (
        ("ephemeral disk", entry.flavor.ephemeral, "GiB"),
        ("swap disk", entry.flavor.swap, "MiB"),
    ):
        if size:
            yield Loss(attribute, f"{size} {unit} made again empty: no API reads its contents")
    if record.user_data is None:
        yield Loss("user_data", "no tenant can read it back; a file may be named in its place")
    booted = entry.record.image_id
    if booted is not None and booted not in inventory.images:
        yield Loss("image", "what it was made from is gone; its own disk is carried")
    if booted is not None and not save_state:
        yield Loss("own disk", "made again from its image, as save_state: false asks")
    key = record.key_name
    if key is not None and key not in inventory.keypairs:
        yield Loss("key_name", f"the keypair {key} is not this user's: the target must have it")


def _volume(record: Volume, saved: bool, inventory: Inventory) -> Iterator[Loss]:
    entry = inventory.volumes[record.id]
    yield from entry.losses
    if saved:
        return
    if entry.encrypted:
        yield Loss("contents", "encrypted: the key stays with the source's key manager")
    elif record.image_id is not None:
        yield Loss("contents", "made again from its image, as save_state: false asks")
    else:
        yield Loss("contents", "made again empty, as save_state: false asks")


def _image(record: Image, inventory: Inventory) -> Iterator[Loss]:
    members = inventory.images[record.id].members
    if members:
        number = len(members)
        yield Loss("members", f"{number} projects of the source, which are none of the target")
    if record.visibility == "public":
        yield Loss("visibility", "made private: only an operator publishes an image")
