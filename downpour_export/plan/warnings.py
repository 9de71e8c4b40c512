"""What may surprise whoever exports, but does not prevent the export.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bundle_spec.model import Resource, Server
from bundle_spec.text import some_of
from downpour_export.discover import Inventory
from downpour_export.plan.choices import root_volume
from downpour_export.plan.model import CAPTURABLE, DiskCapture
from downpour_export.plan.select import Selection
from downpour_export.resource_file import Item

_TIB = 1 << 40
_SHOWN = 3


class Warned(NamedTuple):
    """A resource of this type and name, and what may surprise about it."""

    type: str
    name: str
    text: str


def sentences(warned: Iterable[Warned]) -> Iterator[str]:
    """One sentence for all resources of a type about which the same is to be said."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in warned:
        groups.setdefault((each.type, each.text), []).append(each.name)
    for (kind, text), names in groups.items():
        yield f"{kind.replace('_', ' ')} {some_of(names, _SHOWN)}: {text}"


def selection_warnings(selection: Selection, inventory: Inventory) -> Iterator[Warned]:
    """What the resource file asks for and may surprise."""
    for item, server in selection.servers:
        for text in (
            *_of_capture(item, server, inventory),
            *_of_boot(item, server, inventory),
            *_of_keypair(item, server, inventory),
        ):
            yield _about(server, text)
    yield from _of_attachments(selection, inventory)


def size_warnings(captures: Iterable[DiskCapture]) -> Iterator[Warned]:
    """Disks that may be too large for an image."""
    for capture in captures:
        if capture.size > _TIB:
            yield Warned(
                capture.type,
                capture.name or capture.id,
                "may have more than 1 TiB: Glance takes no larger image unless its image_size_cap "
                "was raised",
            )


def _about(record: Resource, text: str) -> Warned:
    return Warned(record.type, record.name or record.id, text)


def _of_capture(item: Item, server: Server, inventory: Inventory) -> Iterator[str]:
    state = CAPTURABLE.get(inventory.servers[server.id].status)
    if item.save_state and state == "live" and item.stop == "no":
        yield "captured while it runs: its disks are as after a power cut"
    if item.user_data is not None:
        yield (
            "its user data goes into the bundle as the file has it; see that it holds nothing that "
            "whoever finds the bundle must not know"
        )
    if item.stop != "no" and not item.save_state:
        yield "goes without its contents and is not stopped for that"


def _of_boot(item: Item, server: Server, inventory: Inventory) -> Iterator[str]:
    if item.boot != "image" or server.image_id is not None:
        return
    root = root_volume(server)
    size = inventory.volumes[root].record.size if root in inventory.volumes else 0
    disk = inventory.servers[server.id].flavor.disk
    if disk < size:
        yield (
            f"will boot from an image of {size} GiB, and its flavor has a disk of {disk} GiB: map "
            "the flavor to a larger one"
        )


def _of_keypair(item: Item, server: Server, inventory: Inventory) -> Iterator[str]:
    key = item.key_name or server.key_name
    if key and key not in inventory.keypairs:
        yield (
            f"names the keypair {key!r}, which this user does not have at the source: the target "
            "must have it, or a mapping for it"
        )


def _of_attachments(selection: Selection, inventory: Inventory) -> Iterator[Warned]:
    chosen = {server.id for _, server in selection.servers}
    for item, volume in selection.volumes:
        others = set(inventory.volumes[volume.id].devices) - chosen
        if others and item.save_state:
            yield _about(
                volume,
                f"attached to server {', '.join(sorted(others))}, which is not listed: it is "
                "captured by a snapshot and goes without the server",
            )
