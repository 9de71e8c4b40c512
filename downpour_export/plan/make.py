"""The plan of an export, put together."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

from bundle_spec.model import Omission, Resource, Resources, Server
from downpour_export.discover import Inventory
from downpour_export.errors import PlanFaults
from downpour_export.plan import captures as disks
from downpour_export.plan import reference
from downpour_export.plan.choices import rebuilt_roots, root_volume, snapshots
from downpour_export.plan.faults import faults
from downpour_export.plan.graph import carried_record, closure
from downpour_export.plan.model import CAPTURABLE, Plan
from downpour_export.plan.omissions import omissions
from downpour_export.plan.prune import hidden, prune
from downpour_export.plan.select import Selection, select
from downpour_export.resource_file import Boot, Item, ResourceFile, in_order

_TIB = 1 << 40


def make_plan(wanted: ResourceFile, inventory: Inventory) -> Plan:
    """Raises PlanFaults with everything that cannot be done as asked."""
    selection, found_faults = select(wanted, inventory)
    found_faults += faults(selection, inventory)
    if found_faults:
        raise PlanFaults("this export cannot be made as asked", in_order(found_faults))
    inventory = _with_rebuilt_roots(selection, inventory)
    servers = {record.id: _server(record, item) for item, record in selection.servers}
    roots: list[Resource] = [
        *servers.values(),
        *(inventory.volumes[record.id].record for _, record in selection.volumes),
        *(snapshot.record for snapshot in snapshots(selection, inventory)),
        *(record for _, record in selection.images),
        *(record for _, record in selection.keypairs),
        *selection.others,
    ]
    reached = closure(inventory, roots)
    carried = {
        ref: servers.get(ref.id) if ref.type == "server" else carried_record(inventory, ref)
        for ref in reached.pulled_in_by
    }
    lost: list[Omission] = []
    records = [prune(record, reached, inventory, lost) for record in carried.values() if record]
    lost += omissions(records, selection, inventory)
    boots = dict(_boots(selection))
    lost += (
        Omission(
            type="server",
            id=each.id,
            name=each.name,
            attribute="boot volume",
            reason="becomes an image, as boot: image asks, and loses its type and metadata",
        )
        for each in servers.values()
        if boots.get(each.id) == "image"
    )
    stopped = disks.stops(selection, inventory)
    captured = tuple(disks.captures(selection, records, inventory, stopped))
    return Plan(
        resources=_resources(records),
        references=reference.references(
            inventory,
            (
                ref
                for ref, record in carried.items()
                if record is None and not hidden(ref, inventory)
            ),
        ),
        captures=captured,
        stops=stopped,
        stopped_by={
            server.id: by
            for _, server in selection.servers
            if server.power_state == "stopped"
            and (by := inventory.servers[server.id].stopped_by) is not None
        },
        boots=boots,
        omissions=tuple(lost),
        warnings=(
            *_warnings(selection, inventory),
            *(
                f"{each.type.replace('_', ' ')} {each.name!r} may have more than 1 TiB: Glance "
                "takes no larger image unless its image_size_cap was raised"
                for each in captured
                if each.size > _TIB
            ),
        ),
        reached=reached,
    )


def _with_rebuilt_roots(selection: Selection, inventory: Inventory) -> Inventory:
    """Volumes that servers boot from and that go without contents name their image."""
    volumes = dict(inventory.volumes)
    for volume_id, image_id in rebuilt_roots(selection, inventory).items():
        found = volumes[volume_id]
        record = replace(found.record, image_id=image_id)
        volumes[volume_id] = replace(found, record=record)
    return replace(inventory, volumes=volumes)


def _server(record: Server, item: Item) -> Server:
    """The record as it will be carried: its own disk replaces the image it booted from."""
    if item.save_state:
        record = replace(record, image_id=None)
    if item.key_name is not None:
        record = replace(record, key_name=item.key_name)
    if item.user_data is not None:
        record = replace(record, user_data=base64.b64encode(item.user_data).decode())
    return record


def _boots(selection: Selection) -> Iterator[tuple[str, Boot]]:
    """Only where it differs from the source."""
    for item, server in selection.servers:
        now: Boot = "image" if server.image_id is not None else "volume"
        if item.boot is not None and item.boot != now:
            yield server.id, item.boot


def _resources(records: list[Resource]) -> Resources:
    sections: dict[str, list[Resource]] = {}
    for record in records:
        sections.setdefault(f"{record.type}s", []).append(record)
    return Resources(**{name: tuple(found) for name, found in sections.items()})  # type: ignore[arg-type]


def _warnings(selection: Selection, inventory: Inventory) -> Iterator[str]:
    chosen = {server.id for _, server in selection.servers}
    for item, server in selection.servers:
        found = inventory.servers[server.id]
        if item.save_state and CAPTURABLE.get(found.status) == "live" and item.stop == "no":
            yield (
                f"server {server.name!r} is running: its disks are captured as after a power cut"
            )
        if item.user_data is not None:
            yield (
                f"server {server.name!r}: its user data goes into the bundle as the file has it; "
                "see that it holds nothing that whoever finds the bundle must not know"
            )
        if item.stop != "no" and not item.save_state:
            yield f"server {server.name!r} goes without its contents and is not stopped for that"
        if item.boot == "image" and server.image_id is None:
            root = root_volume(server)
            size = inventory.volumes[root].record.size if root in inventory.volumes else 0
            if found.flavor.disk < size:
                yield (
                    f"server {server.name!r} will boot from an image of {size} GiB, and its flavor "
                    f"has a disk of {found.flavor.disk} GiB: map the flavor to a larger one"
                )
        key = item.key_name or server.key_name
        if key and key not in inventory.keypairs:
            yield (
                f"server {server.name!r} names the keypair {key!r}, which this user does not have "
                "at the source: the target must have it, or a mapping for it"
            )
    for item, volume in selection.volumes:
        others = set(inventory.volumes[volume.id].devices) - chosen
        if others and item.save_state:
            yield (
                f"volume {volume.name!r} is attached to server {', '.join(sorted(others))}, which "
                "is not listed: the volume is captured by a snapshot and goes without the server"
            )
