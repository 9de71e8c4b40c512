"""From the items of a resource file to the resources of a project: by ID, or by a unique name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Image,
    Keypair,
    Network,
    Port,
    Resource,
    Router,
    SecurityGroup,
    Server,
    ServerGroup,
    Trunk,
    Volume,
    VolumeSnapshot,
)
from downpour_export.discover import Inventory
from downpour_export.errors import PlanError
from downpour_export.resource_file import SECTIONS, Item, ResourceFile

_TREATED_APART = ("keypairs", "images", "volumes", "servers", "volume_snapshots")

R = TypeVar("R", bound=Resource)
Chosen = tuple[tuple[Item, R], ...]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Each item with the one resource that it names."""

    keypairs: Chosen[Keypair] = ()
    images: Chosen[Image] = ()
    volumes: Chosen[Volume] = ()
    servers: Chosen[Server] = ()
    networks: Chosen[Network] = ()
    routers: Chosen[Router] = ()
    security_groups: Chosen[SecurityGroup] = ()
    floating_ips: Chosen[FloatingIp] = ()
    server_groups: Chosen[ServerGroup] = ()
    address_groups: Chosen[AddressGroup] = ()
    trunks: Chosen[Trunk] = ()
    ports: Chosen[Port] = ()
    volume_snapshots: Chosen[VolumeSnapshot] = ()

    @property
    def others(self) -> Iterator[Resource]:
        """The named resources that are carried as they are."""
        for section in SECTIONS:
            if section not in _TREATED_APART:
                yield from (record for _, record in getattr(self, section))


@dataclass
class _Finder:
    faults: list[PlanError] = field(default_factory=list)

    def choose(self, kind: str, items: Iterable[Item], records: Iterable[R]) -> Chosen[R]:
        by_id: dict[str, R] = {}
        by_name: dict[str, list[R]] = {}
        for record in records:
            by_id[record.id] = record
            by_name.setdefault(record.name, []).append(record)
        chosen: dict[str, tuple[Item, R]] = {}
        for item in items:
            match = self._find(kind, item, by_id, by_name)
            if match is None:
                continue
            if match.id in chosen:
                self._fault(
                    item,
                    f"the {kind} {item.wanted!r} is the one that {chosen[match.id][0].where} names",
                    "remove one of the two",
                )
            chosen[match.id] = (item, match)
        return tuple(chosen.values())

    def _find(
        self, kind: str, item: Item, by_id: Mapping[str, R], by_name: Mapping[str, list[R]]
    ) -> R | None:
        if item.id is not None:
            if item.id not in by_id:
                self._fault(item, f"no {kind} of this project has the ID {item.id!r}", None)
            return by_id.get(item.id)
        namesakes = by_name.get(item.name or "", [])
        if len(namesakes) == 1:
            return namesakes[0]
        if namesakes:
            ids = ", ".join(sorted(record.id for record in namesakes))
            self._fault(
                item,
                f"{len(namesakes)} {kind}s of this project are named {item.name!r}",
                f"write id: instead of name:, one of {ids}",
            )
        else:
            near = difflib.get_close_matches(item.name or "", by_name, n=1)
            hint = f"did you mean {near[0]!r}?" if near else None
            self._fault(item, f"no {kind} of this project is named {item.name!r}", hint)
        return None

    def _fault(self, item: Item, message: str, remedy: str | None) -> None:
        self.faults.append(PlanError(message, where=item.where, remedy=remedy))


def select(wanted: ResourceFile, inventory: Inventory) -> tuple[Selection, list[PlanError]]:
    """What the file names, and every name that is missing or ambiguous."""
    finder = _Finder()
    listable = inventory.listable()
    chosen: dict[str, Any] = {
        section: finder.choose(_kind(section), getattr(wanted, section), listable[section])
        for section in SECTIONS
    }
    return Selection(**chosen), finder.faults


def _kind(section: str) -> str:
    """``server group``, ``floating IP``: what an item of the section names."""
    return section.removesuffix("s").replace("_ip", "_IP").replace("_", " ")
