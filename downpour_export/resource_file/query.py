"""Which resources of an inventory fit the options of ``query``.  Pure.

Values of one option are alternatives; a server must fit all options for servers: ``--server-name
'web*' --server-name 'db*' --server-tag prod`` finds servers named web… or db… that have the tag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import TypeVar

from bundle_spec.model import Resource, Server
from downpour_export.discover import Inventory, marks

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, kw_only=True)
class Query:
    """``…_names``: globs for names and IDs.  ``flavors``: names.  ``networks``: names or IDs.

    ``metadata``: pairs of key and value.  ``everything``: all that can be carried.
    """

    server_names: tuple[str, ...] = ()
    flavors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    networks: tuple[str, ...] = ()
    image_names: tuple[str, ...] = ()
    volume_names: tuple[str, ...] = ()
    keypair_names: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True)
class Match:
    """``by_name``: whether its name identifies it, so that no ID is needed."""

    section: str
    record: Resource
    by_name: bool


def all_principal(inventory: Inventory) -> dict[str, list[Resource]]:
    """The servers, images, keypairs and volumes of no server that ``--all`` takes, by section."""
    candidates = _candidates(inventory)
    backed = {image.record.id for image in inventory.images.values() if image.volume_backed}
    images = [record for record in candidates["images"] if record.id not in backed]
    return {**candidates, "images": images}


def matches(query: Query, inventory: Inventory) -> tuple[list[Match], list[str]]:
    """What fits, sorted by name, and the options that fit nothing, as given.

    A volume that is attached to a server of the project is left to that server.
    """
    candidates = _candidates(inventory)
    fruitless: list[str] = []

    def matching(option: str, values: Iterable[str], records: list[R], fits: _Fits[R]) -> list[R]:
        matched: dict[str, R] = {}
        for value in values:
            hits = [record for record in records if fits(record, value)]
            if not hits:
                fruitless.append(f"{option} {value}")
            matched |= {record.id: record for record in hits}
        return list(matched.values())

    servers = [server.record for server in inventory.servers.values()]
    filters: list[tuple[str, Iterable[str], _Fits[Server]]] = [
        ("--server-name", query.server_names, _glob),
        ("--server-flavor", query.flavors, lambda server, value: server.flavor == value),
        ("--server-tag", query.tags, lambda server, value: value in server.tags),
        (
            "--server-metadata",
            [f"{key}={value}" for key, value in query.metadata],
            lambda server, value: value in {f"{k}={v}" for k, v in server.metadata.items()},
        ),
        (
            "--network",
            query.networks,
            lambda server, value: value in set(_networks(server, inventory)),
        ),
    ]
    chosen = servers if any(values for _, values, _ in filters) else []
    for option, values, fits in filters:
        if values:
            hits = {server.id for server in matching(option, values, servers, fits)}
            chosen = [server for server in chosen if server.id in hits]
    fitting: dict[str, list[Resource]] = {
        "keypairs": matching("--keypair-name", query.keypair_names, candidates["keypairs"], _glob),
        "images": matching("--image-name", query.image_names, candidates["images"], _glob),
        "volumes": matching("--volume-name", query.volume_names, candidates["volumes"], _glob),
        "servers": list(chosen),
    }
    return as_matches(fitting, inventory), fruitless


_Fits = Callable[[R, str], bool]


def _glob(record: Resource, pattern: str) -> bool:
    return fnmatchcase(record.name, pattern) or fnmatchcase(record.id, pattern)


def _networks(server: Server, inventory: Inventory) -> Iterator[str]:
    """Names and IDs of the networks that a server has a NIC on."""
    for nic in server.nics:
        port = inventory.ports.get(nic.port_id)
        if port is None:
            continue
        yield port.record.network_id
        network = inventory.networks.get(port.record.network_id)
        if network is not None:
            yield network.record.name


def _candidates(inventory: Inventory) -> dict[str, list[Resource]]:
    return {
        "keypairs": list(inventory.keypairs.values()),
        "images": [
            image.record
            for image in inventory.images.values()
            if image.owned and image.status == "active"
        ],
        "volumes": [
            volume.record
            for volume in inventory.volumes.values()
            if not any(server in inventory.servers for server in volume.devices)
        ],
        "servers": [server.record for server in inventory.servers.values()],
    }


def as_matches(fitting: Mapping[str, Iterable[Resource]], inventory: Inventory) -> list[Match]:
    """Each section's records sorted by name, without temporary objects of exports."""
    listable = inventory.listable()
    found: list[Match] = []
    for section, records in fitting.items():
        count = Counter(record.name for record in listable[section])
        for record in sorted(records, key=attrgetter("name", "id")):
            if not marks.is_temporary(record.name):
                by_name = bool(record.name) and count[record.name] == 1
                found.append(Match(section, record, by_name))
    return found
