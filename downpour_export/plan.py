"""What goes, what must stand on the target by itself, which disks are read, and what cannot be.

Pure: made of the resource file and the inventory, before anything is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bundle_spec.errors import PlanError, PlanFaults
from bundle_spec.model import (
    Omission,
    Port,
    Ref,
    References,
    Resource,
    Resources,
    Router,
    SecurityGroup,
    Server,
    Volume,
)
from downpour_export import reference
from downpour_export.discover import FoundServer, Inventory
from downpour_export.graph import Closure, carried_record, closure
from downpour_export.resource_file import ResourceFile
from downpour_export.select import Selection, select

Consistency = Literal["idle", "stopped", "paused", "live"]

# Nova takes an image of a server in these states only (Compute API, "createImage").
_CAPTURABLE: dict[str, Consistency] = {
    "ACTIVE": "live",
    "SHUTOFF": "stopped",
    "PAUSED": "paused",
    "SUSPENDED": "paused",
}


@dataclass(frozen=True, kw_only=True)
class DiskCapture:
    """One disk to read.  ``server_id``: snapshotted together with that server's other disks.

    ``size``: bytes to read at most; exact for images.  ``image_id``: an image that holds the
    disk already and is read as it is; of a shelved server Nova has made one.
    """

    type: Literal["image", "server", "volume", "volume_snapshot"]
    id: str
    name: str
    size: int
    consistency: Consistency
    server_id: str | None = None
    image_id: str | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.type, self.id)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``resources`` are as they will stand in the manifest, but for the disks' ids."""

    resources: Resources
    references: References
    captures: tuple[DiskCapture, ...]
    stops: Mapping[str, Literal["during", "keep"]]
    omissions: tuple[Omission, ...]
    warnings: tuple[str, ...]
    why: Closure


def make_plan(wanted: ResourceFile, inventory: Inventory) -> Plan:
    """Raises PlanFaults with everything that cannot be done as asked."""
    selection, faults = select(wanted, inventory)
    faults += _capture_faults(selection, inventory)
    if faults:
        raise PlanFaults("this export cannot be made as asked", faults)
    servers = {
        record.id: _server(record, item.save_state, item.key_name)
        for item, record in selection.servers
    }
    roots: list[Resource] = [
        *servers.values(),
        *(record for _, record in selection.volumes),
        *(record for _, record in selection.images),
        *(record for _, record in selection.keypairs),
        *selection.others,
    ]
    reached = closure(inventory, roots)
    carried = {
        ref: servers.get(ref.id) if ref.type == "server" else carried_record(inventory, ref)
        for ref in reached.why
    }
    omissions: list[Omission] = []
    records = [
        _prune(record, reached, inventory, omissions) for record in carried.values() if record
    ]
    omissions += _unreadable(servers, inventory)
    return Plan(
        resources=_resources(records),
        references=reference.references(
            inventory,
            (
                ref
                for ref, record in carried.items()
                if record is None and not _hidden(ref, inventory)
            ),
        ),
        captures=tuple(_captures(selection, records, inventory)),
        stops={},
        omissions=tuple(omissions),
        warnings=tuple(_warnings(selection, inventory)),
        why=reached,
    )


def _hidden(ref: Ref, inventory: Inventory) -> bool:
    """Whether the project cannot see what ``ref`` names: it is left out, which is an omission."""
    if ref.type == "subnet":
        return ref.id not in inventory.subnets
    return ref.type == "security_group"


def _server(record: Server, save_state: bool, key_name: str | None) -> Server:
    """The record as it will be carried: its own disk replaces the image it booted from."""
    if save_state:
        record = replace(record, image_id=None)
    if key_name is not None:
        record = replace(record, key_name=key_name)
    return record


def _capture_faults(selection: Selection, inventory: Inventory) -> Iterator[PlanError]:
    for item, server in selection.servers:
        found = inventory.servers[server.id]
        if item.save_state and found.status not in _CAPTURABLE:
            yield PlanError(
                f"server {server.name!r} is {found.status} and cannot be captured",
                where=item.where,
                remedy="bring it to ACTIVE, SHUTOFF, PAUSED or SUSPENDED first",
            )
        if item.save_state:
            continue
        if found.status in ("BUILD", "ERROR", "DELETED"):
            yield PlanError(
                f"server {server.name!r} is {found.status}: what it shall be is not known",
                where=item.where,
                remedy="take it out of the file",
            )
        if server.image_id is None:
            yield PlanError(
                f"server {server.name!r} boots from a volume, so it cannot be made again "
                "without its contents",
                where=item.where,
                remedy="leave save_state out for it",
            )
        elif server.image_id not in inventory.images:
            yield PlanError(
                f"the image {server.image_id} that server {server.name!r} booted from is gone",
                where=item.where,
                remedy="leave save_state out: then the server's own disk is carried",
            )
        elif inventory.images[server.image_id].status != "active":
            yield PlanError(
                f"the image {server.image_id} that server {server.name!r} booted from is "
                f"{inventory.images[server.image_id].status}, not active",
                where=item.where,
                remedy="leave save_state out: then the server's own disk is carried",
            )
    for item, image in selection.images:
        if inventory.images[image.id].status != "active":
            status = inventory.images[image.id].status
            yield PlanError(f"image {image.name!r} is {status}, not active", where=item.where)
    for volume, save in _volume_choices(selection, inventory):
        found_volume = inventory.volumes[volume.id]
        if save and found_volume.encrypted:
            yield PlanError(
                f"volume {volume.name!r} ({volume.id}) is encrypted: its bytes are of no use "
                "without the key, which stays with the source's key manager",
                remedy="list it under volumes with save_state: false and copy its contents "
                "from inside a server",
            )
        if save and found_volume.status not in ("available", "in-use"):
            yield PlanError(
                f"volume {volume.name!r} ({volume.id}) is {found_volume.status}",
                remedy="bring it to available or in-use first",
            )


def _volume_choices(selection: Selection, inventory: Inventory) -> Iterator[tuple[Volume, bool]]:
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


def _captures(
    selection: Selection, records: list[Resource], inventory: Inventory
) -> Iterator[DiskCapture]:
    """Servers first, each with its volumes, then volumes, then images."""
    servers = {server.id: inventory.servers[server.id] for _, server in selection.servers}
    for item, server in selection.servers:
        # A server without an image keeps its own disk in a volume.
        if item.save_state and inventory.servers[server.id].record.image_id is not None:
            found = servers[server.id]
            yield DiskCapture(
                type="server",
                id=server.id,
                name=server.name,
                size=found.flavor.disk << 30,
                consistency=_CAPTURABLE[found.status],
                server_id=server.id,
            )
    for volume, save in _volume_choices(selection, inventory):
        if save:
            yield _volume_capture(volume, servers, inventory)
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


def _volume_capture(
    volume: Volume, servers: dict[str, FoundServer], inventory: Inventory
) -> DiskCapture:
    attached = list(inventory.volumes[volume.id].devices)
    owner = next((each for each in attached if each in servers), None)
    consistency: Consistency = "idle"
    if attached:
        # Of several servers, the one that may still write decides.
        states = {
            _CAPTURABLE.get(inventory.servers[each].status, "live")
            if each in inventory.servers
            else "live"
            for each in attached
        }
        consistency = "live" if "live" in states else "paused" if "paused" in states else "stopped"
    return DiskCapture(
        type="volume",
        id=volume.id,
        name=volume.name,
        size=volume.size << 30,
        consistency=consistency,
        server_id=owner,
    )


def _prune(
    record: Resource, reached: Closure, inventory: Inventory, omissions: list[Omission]
) -> Resource:
    """The record without what points at things that do not go; each loss is an omission."""

    def omit(attribute: str, reason: str) -> None:
        omissions.append(
            Omission(
                type=record.type,
                id=record.id,
                name=record.name,
                attribute=attribute,
                reason=reason,
            )
        )

    own = inventory.security_groups
    if isinstance(record, Router):
        kept = tuple(each for each in record.interfaces if Ref("subnet", each.subnet_id) in reached)
        for each in record.interfaces:
            if each not in kept:
                omit("interfaces", f"{each.ip_address}: subnet {each.subnet_id} is not carried")
        return replace(record, interfaces=kept)
    if isinstance(record, SecurityGroup):
        rules = tuple(rule for rule in record.rules if rule.remote_group_id in (None, *own))
        for rule in record.rules:
            if rule not in rules:
                omit("rules", f"rule {rule.id} names a group of another project")
        return replace(record, rules=rules)
    if isinstance(record, Port):
        groups = tuple(each for each in record.security_group_ids if each in own)
        for group in record.security_group_ids:
            if group not in own:
                omit("security_group_ids", f"group {group} belongs to another project")
        addresses = tuple(ip for ip in record.fixed_ips if ip.subnet_id in inventory.subnets)
        for ip in record.fixed_ips:
            if ip not in addresses:
                omit("fixed_ips", f"{ip.ip_address}: subnet {ip.subnet_id} is not to be seen")
        return replace(record, security_group_ids=groups, fixed_ips=addresses)
    return record


def _unreadable(servers: dict[str, Server], inventory: Inventory) -> Iterator[Omission]:
    for server in servers.values():
        flavor = inventory.servers[server.id].flavor
        for attribute, size, unit in (
            ("ephemeral disk", flavor.ephemeral, "GiB"),
            ("swap disk", flavor.swap, "MiB"),
        ):
            if size:
                yield Omission(
                    type="server",
                    id=server.id,
                    name=server.name,
                    attribute=attribute,
                    reason=f"{size} {unit} made again empty: no API reads its contents",
                )


def _resources(records: list[Resource]) -> Resources:
    sections: dict[str, list[Resource]] = {}
    for record in records:
        sections.setdefault(f"{record.type}s", []).append(record)
    return Resources(**{name: tuple(found) for name, found in sections.items()})  # type: ignore[arg-type]


def _warnings(selection: Selection, inventory: Inventory) -> Iterator[str]:
    chosen = {server.id for _, server in selection.servers}
    for item, server in selection.servers:
        if item.save_state and _CAPTURABLE[inventory.servers[server.id].status] == "live":
            yield (
                f"server {server.name!r} is running: its disks are captured as after a power cut"
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
