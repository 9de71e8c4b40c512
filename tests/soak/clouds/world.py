"""What a project holds at one moment, in one form for clouds in memory and real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.fake_cloud import FakeCloud

KINDS = {
    "keypair": "/os-keypairs",
    "address_group": "/address-groups",
    "security_group": "/security-groups",
    "network": "/networks",
    "subnet": "/subnets",
    "router": "/routers",
    "port": "/ports",
    "trunk": "/trunks",
    "image": "/images",
    "volume": "/volumes",
    "volume_snapshot": "/snapshots",
    "server_group": "/os-server-groups",
    "server": "/servers",
    "floating_ip": "/floatingips",
}
"""Type, as a bundle calls it -> where clouds in memory keep such objects."""

MARK = "dpb-"


@dataclass(frozen=True)
class Item:
    """``facts``: all that the cloud tells of it."""

    kind: str
    id: str
    name: str
    facts: Mapping[str, Any] = field(repr=False)

    @property
    def marked(self) -> bool:
        """Whether it bears a mark of downpour, or is a temporary object of it."""
        return f"'{MARK}" in repr(self.facts) or self.temporary

    @property
    def temporary(self) -> bool:
        return self.name.startswith("downpour-")

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} ({self.id})"


@dataclass(frozen=True)
class World:
    """``items``: by type and ID."""

    items: Mapping[tuple[str, str], Item]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items.values())

    def get(self, kind: str, identity: str) -> Item | None:
        return self.items.get((kind, identity))

    def beyond(self, other: World) -> World:
        """What is here and not in ``other``."""
        return World({key: item for key, item in self.items.items() if key not in other.items})


def world_of(cloud: FakeCloud) -> World:
    """A copy: the cloud goes on."""
    items = {}
    for kind, path in KINDS.items():
        for identity, facts in cloud.of(path).items():
            told = {key: _copied(value) for key, value in facts.items() if not key.startswith("_")}
            items[kind, identity] = Item(kind, identity, str(facts.get("name") or ""), told)
    return World(items)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [*map(_copied, value)] if isinstance(value, (list, tuple)) else value
