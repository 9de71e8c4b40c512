"""Make the plan of an export out of the parts in the other modules."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bundle_spec.form.mark_check import mark_faults
from bundle_spec.model import Omission, Ref, References, Resource, Resources, Server
from downpour_export.discover import Inventory
from downpour_export.errors import PlanError, PlanFaults
from downpour_export.plan import captures as disks
from downpour_export.plan import reference
from downpour_export.plan.choices import rebuilt_roots, snapshots
from downpour_export.plan.faults import faults
from downpour_export.plan.graph import Closure, carried_record, closure
from downpour_export.plan.model import Plan
from downpour_export.plan.omissions import omissions
from downpour_export.plan.prune import hidden, prune
from downpour_export.plan.room import room_faults
from downpour_export.plan.select import Selection, select
from downpour_export.plan.warnings import selection_warnings, sentences, size_warnings
from downpour_export.resource_file import Boot, Item, ResourceFile, in_order


def make_plan(wanted: ResourceFile, inventory: Inventory) -> Plan:
    """What an export of ``wanted`` carries, reads, stops and leaves behind.  Pure.

    1. The items of the resource file select records of the inventory.
    2. What these depend on is added; what a tenant cannot create becomes a reference.
    3. Each record loses what it cannot take along; every loss becomes an omission.
    4. The servers to stop and the disks to read follow from the items and the records.

    Raises PlanFaults with everything that cannot be done as asked.
    """
    selection = _selected(wanted, inventory)
    inventory = _with_rebuilt_roots(selection, inventory)
    servers = _servers(selection)
    reached = closure(inventory, _roots(selection, servers, inventory))
    carried = {
        ref: servers.get(ref.id) if ref.type == "server" else carried_record(inventory, ref)
        for ref in reached.pulled_in_by
    }
    lost: list[Omission] = []
    records = [prune(record, reached, inventory, lost) for record in carried.values() if record]
    boots = dict(_boots(selection))
    stops = disks.stops(selection, inventory)
    captures = tuple(disks.captures(selection, records, inventory, stops))
    resources = _resources(records)
    references = reference.references(inventory, _not_carried(carried, inventory))
    _refuse_marks(resources, references)
    plan = Plan(
        resources=resources,
        references=references,
        captures=captures,
        stops=stops,
        stopped_by=_stopped_by(selection, inventory),
        boots=boots,
        omissions=(
            *lost,
            *omissions(records, selection, inventory),
            *_lost_boot_volumes(servers.values(), boots),
        ),
        warnings=tuple(
            sentences([*selection_warnings(selection, inventory), *size_warnings(captures)])
        ),
        reached=reached,
    )
    if too_much := list(room_faults(plan)):
        raise PlanFaults("one bundle has no room for this export", too_much)
    return plan


def reach(wanted: ResourceFile, inventory: Inventory) -> Closure:
    """What ``wanted`` names and all that it needs, whatever may stand in its way."""
    selection, _ = select(wanted, inventory)
    inventory = _with_rebuilt_roots(selection, inventory)
    return closure(inventory, _roots(selection, _servers(selection), inventory))


def _servers(selection: Selection) -> dict[str, Server]:
    """The servers as they will be carried, by ID."""
    return {record.id: _server(record, item) for item, record in selection.servers}


def _selected(wanted: ResourceFile, inventory: Inventory) -> Selection:
    """Raises PlanFaults."""
    selection, mistakes = select(wanted, inventory)
    mistakes += faults(selection, inventory)
    if mistakes:
        raise PlanFaults("this export cannot be made as asked", in_order(mistakes))
    return selection


def _refuse_marks(resources: Resources, references: References) -> None:
    """Raise PlanFaults for a name that begins with a mark: no bundle may have it [M-16]."""
    remedy = "give it another name or value at the source"
    marked = [
        PlanError(fault.message, where=fault.where, remedy=remedy)
        for fault in mark_faults(resources, references)
    ]
    if marked:
        raise PlanFaults("this export cannot be made as asked", marked)


def _roots(
    selection: Selection, servers: Mapping[str, Server], inventory: Inventory
) -> list[Resource]:
    """The records that the resource file names, as they will be carried."""
    return [
        *servers.values(),
        *(inventory.volumes[record.id].record for _, record in selection.volumes),
        *(snapshot.record for snapshot in snapshots(selection, inventory)),
        *(record for _, record in selection.images),
        *(record for _, record in selection.keypairs),
        *selection.others,
    ]


def _not_carried(carried: Mapping[Ref, Resource | None], inventory: Inventory) -> Iterator[Ref]:
    """What is needed and not carried: the target must have it.  Hidden ones are omissions."""
    for ref, record in carried.items():
        if record is None and not hidden(ref, inventory):
            yield ref


def _stopped_by(selection: Selection, inventory: Inventory) -> dict[str, str]:
    """The ID of each server that is off because an export stopped it -> the uuid of its bundle."""
    return {
        server.id: bundle
        for _, server in selection.servers
        if server.power_state == "stopped"
        and (bundle := inventory.servers[server.id].stopped_by) is not None
    }


def _lost_boot_volumes(servers: Iterable[Server], boots: Mapping[str, Boot]) -> Iterator[Omission]:
    for server in servers:
        if boots.get(server.id) == "image":
            yield Omission(
                type="server",
                id=server.id,
                name=server.name,
                attribute="boot volume",
                reason="becomes an image, as boot: image asks, and loses its type and metadata",
            )


def _with_rebuilt_roots(selection: Selection, inventory: Inventory) -> Inventory:
    """The inventory where boot volumes that are carried without contents have an ``image_id``."""
    volumes = dict(inventory.volumes)
    for volume_id, image_id in rebuilt_roots(selection, inventory).items():
        volume = volumes[volume_id]
        record = replace(volume.record, image_id=image_id)
        volumes[volume_id] = replace(volume, record=record)
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
    """Servers whose item says another ``boot`` than the source has."""
    for item, server in selection.servers:
        now: Boot = "image" if server.image_id is not None else "volume"
        if item.boot is not None and item.boot != now:
            yield server.id, item.boot


def _resources(records: list[Resource]) -> Resources:
    sections: dict[str, list[Resource]] = {}
    for record in records:
        sections.setdefault(f"{record.type}s", []).append(record)
    return Resources(**{name: tuple(section) for name, section in sections.items()})  # type: ignore[arg-type]
