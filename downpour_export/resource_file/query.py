"""Which resources of a project fit what a person looks for.  Pure: made of the inventory.

Values of one option unite, different options of servers narrow each other: ``--server-name 'web*'
--server-name 'db*' --server-tag prod`` finds what is called web… or db…, of those with the tag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from bundle_spec.model import Resource, Server
from downpour_export.discover import Inventory, marks

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, kw_only=True)
class Query:
    """Globs fit names and IDs.  ``flavors``: names; ``networks``: names or IDs.

    ``metadata``: each as key and value.  ``everything``: all that the project has.
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
    """``by_name``: whether its name is enough to find it again."""

    section: str
    record: Resource
    by_name: bool


def matches(query: Query, inventory: Inventory) -> tuple[list[Match], list[str]]:
    """What fits, by name, and the options that fit nothing, as given.

    A volume that is attached to a server of the project is left to that server.
    """
    own = _candidates(inventory)
    if query.everything:
        return list(_as_matches(own, inventory)), []
    fruitless: list[str] = []

    def united(option: str, values: Iterable[str], records: list[R], fits: _Fits[R]) -> list[R]:
        found: dict[str, R] = {}
        for value in values:
            hits = [record for record in records if fits(record, value)]
            if not hits:
                fruitless.append(f"{option} {value}")
            found |= {record.id: record for record in hits}
        return list(found.values())

    servers = [each.record for each in inventory.servers.values()]
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
            hits = {each.id for each in united(option, values, servers, fits)}
            chosen = [each for each in chosen if each.id in hits]
    found: dict[str, list[Resource]] = {
        "keypairs": united("--keypair-name", query.keypair_names, own["keypairs"], _glob),
        "images": united("--image-name", query.image_names, own["images"], _glob),
        "volumes": united("--volume-name", query.volume_names, own["volumes"], _glob),
        "servers": list(chosen),
    }
    return list(_as_matches(found, inventory)), fruitless


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
            each.record
            for each in inventory.images.values()
            if each.owned and each.status == "active"
        ],
        "volumes": [
            each.record
            for each in inventory.volumes.values()
            if not any(server in inventory.servers for server in each.devices)
        ],
        "servers": [each.record for each in inventory.servers.values()],
    }


def _as_matches(found: Mapping[str, Iterable[Resource]], inventory: Inventory) -> Iterator[Match]:
    names: dict[str, Iterable[Resource]] = {
        "keypairs": inventory.keypairs.values(),
        "images": [each.record for each in inventory.images.values() if each.owned],
        "volumes": [each.record for each in inventory.volumes.values()],
        "servers": [each.record for each in inventory.servers.values()],
    }
    for section, records in found.items():
        count = Counter(record.name for record in names[section])
        for record in sorted(records, key=lambda each: (each.name, each.id)):
            if not marks.is_temporary(record.name):
                yield Match(section, record, bool(record.name) and count[record.name] == 1)
