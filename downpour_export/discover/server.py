"""Servers of the project, with their NICs and volumes in the guest's order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from bundle_spec.model import AttachedVolume, FlavorReference, Nic, Server
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import losses, marks
from downpour_export.discover.inventory import FoundPort, FoundServer, FoundVolume

_FIRST_DEVICE = re.compile(r"/dev/(?:x?v|s|h)da")
STOPPED = ("SHUTOFF", "SHELVED", "SHELVED_OFFLOADED")


def discover(
    cloud: SourceCloud,
    ports: Iterable[FoundPort],
    volumes: Iterable[FoundVolume],
    groups: Mapping[str, str],
) -> dict[str, FoundServer]:
    """``ports`` and ``volumes`` are those of the project: NICs and device names come from them.

    ``groups``: the ID of each server that is in a server group -> that of the group.
    """
    devices = {volume.record.id: volume.devices for volume in volumes}
    by_server: dict[str, list[FoundPort]] = {}
    for port in ports:
        by_server.setdefault(port.device_id, []).append(port)
    items = cloud.list("compute", "/servers/detail", "servers")
    flavors: dict[str, FlavorReference] = {}
    return {
        item["id"]: found_of(
            item,
            flavor_of(cloud, item["flavor"], flavors),
            by_server.get(item["id"], []),
            devices,
            groups.get(item["id"]),
        )
        for item in items
    }


def found_of(
    item: Json,
    flavor: FlavorReference,
    ports: Iterable[FoundPort],
    devices: Mapping[str, Mapping[str, str]],
    group_id: str | None = None,
) -> FoundServer:
    volumes = volumes_of(item, devices)
    boots_from_volume = any(volume.boot_index == 0 for volume in volumes)
    image = None if boots_from_volume else (item.get("image") or {}).get("id")
    return FoundServer(
        record=Server(
            id=item["id"],
            name=item["name"],
            flavor=flavor.id,
            power_state="stopped" if item["status"] in STOPPED else "running",
            description=description_of(item),
            image_id=image,
            key_name=item.get("key_name"),
            availability_zone=zone_of(item),
            config_drive=bool(item.get("config_drive")),
            hostname=item.get("OS-EXT-SRV-ATTR:hostname"),
            metadata=marks.mapping(item.get("metadata")),
            tags=marks.tags(item.get("tags")),
            disk_config=item.get("OS-DCF:diskConfig"),
            access_ip_v4=item.get("accessIPv4") or None,
            access_ip_v6=item.get("accessIPv6") or None,
            locked=bool(item.get("locked")),
            locked_reason=item.get("locked_reason"),
            server_group_id=group_id,
            nics=nics_of(item, ports),
            volumes=volumes,
        ),
        status=item["status"],
        stopped_by=_stopped_by(item),
        flavor=flavor,
        losses=tuple(losses.of_server(item)),
    )


def _stopped_by(item: Json) -> str | None:
    mark = (item.get("metadata") or {}).get(marks.STOPPED)
    return None if mark is None else marks.Mark.of(mark).bundle


def description_of(item: Json) -> str | None:
    """From microversion 2.19 on, where null means that there is none."""
    description = item.get("description")
    return None if description is None else marks.text(description)


def flavor_of(cloud: SourceCloud, item: Json, known: dict[str, FlavorReference]) -> FlavorReference:
    """The flavor of a server: microversion 2.47 and later embed it, without its ID; older ones give
    only its ID.

    ``known``: by ID, the flavors that were read already; it is filled.  One that was deleted gets
    its ID as its name and 0 for its sizes.
    """
    if "original_name" in item:
        return _flavor(item | {"name": item["original_name"]})
    if not known:
        listed = cloud.list("compute", "/flavors/detail", "flavors", {"is_public": "None"})
        known.update((flavor["id"], _flavor(flavor)) for flavor in listed)
    if item["id"] not in known:
        answer = cloud.get_or_none("compute", f"/flavors/{item['id']}")
        gone = {"name": item["id"], "vcpus": 0, "ram": 0, "disk": 0}
        known[item["id"]] = _flavor(answer["flavor"] if answer else gone)
    return known[item["id"]]


def _flavor(item: Json) -> FlavorReference:
    return FlavorReference(
        id=item["name"],
        name=item["name"],
        vcpus=item["vcpus"],
        ram=item["ram"],
        disk=item["disk"],
        ephemeral=item.get("ephemeral", item.get("OS-FLV-EXT-DATA:ephemeral")) or 0,
        swap=item.get("swap") or 0,
    )


def flavor_name(cloud: SourceCloud, name_or_id: str) -> str:
    """The name of the flavor with this ID; if there is none, ``name_or_id`` as it is."""
    answer = cloud.get_or_none("compute", f"/flavors/{quote(name_or_id, safe='')}")
    return str(answer["flavor"]["name"]) if answer else name_or_id


def zone_of(item: Json) -> str | None:
    """The zone that was asked for (microversion 2.96 and later), else the one that it is in."""
    if "pinned_availability_zone" in item:
        pinned: str | None = item["pinned_availability_zone"]
        return pinned
    return item.get("OS-EXT-AZ:availability_zone") or None


def nics_of(item: Json, ports: Iterable[FoundPort]) -> tuple[Nic, ...]:
    """In the order of ``addresses``, which follows Nova's network info cache.

    A port without an address does not appear there and comes last.
    """
    order: dict[str, int] = {}
    for addresses in (item.get("addresses") or {}).values():
        for address in addresses:
            order.setdefault(address.get("OS-EXT-IPS-MAC:mac_addr", ""), len(order))
    return tuple(
        Nic(port_id=port.record.id)
        for port in sorted(
            ports, key=lambda port: (order.get(port.record.mac_address, len(order)), port.record.id)
        )
    )


def volumes_of(item: Json, devices: Mapping[str, Mapping[str, str]]) -> tuple[AttachedVolume, ...]:
    """By device name, /dev/vda before /dev/vdb before /dev/vdaa.

    A server without an image boots from the volume with the first device name.  So does one with
    a volume at /dev/vda: it was made from an image of a volume-booted server, and Nova shows that
    image.
    """
    attached = item.get("os-extended-volumes:volumes_attached") or ()
    volumes = [(volume, devices.get(volume["id"], {}).get(item["id"], "")) for volume in attached]
    volumes.sort(
        key=lambda pair: (
            not pair[1],
            not _FIRST_DEVICE.fullmatch(pair[1]),
            len(pair[1]),
            pair[1],
            pair[0]["id"],
        )
    )
    boots = not item.get("image") or any(_FIRST_DEVICE.fullmatch(name) for _, name in volumes)
    return tuple(
        AttachedVolume(
            volume_id=volume["id"],
            device=device or None,
            boot_index=0 if boots and position == 0 else None,
            delete_on_termination=bool(volume.get("delete_on_termination")),
        )
        for position, (volume, device) in enumerate(volumes)
    )
