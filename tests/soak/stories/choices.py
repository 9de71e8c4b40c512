"""How a story is told: options of the commands, and what the resource file says of each thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import pyrage
import yaml

from tests.soak.stories.tenant import Server, Tenant, Thing

Stop = Literal[True, "keep"] | None

SECTIONS = {
    "keypair": "keypairs",
    "image": "images",
    "volume": "volumes",
    "server": "servers",
    "network": "networks",
    "router": "routers",
    "security_group": "security_groups",
    "floating_ip": "floating_ips",
    "server_group": "server_groups",
    "address_group": "address_groups",
    "trunk": "trunks",
    "port": "ports",
}
"""Type -> the section of a resource file."""


@dataclass(frozen=True)
class Choices:
    """``stops``: key of a server -> how it is stopped.  ``listed``: keys in the resource file.
    ``export``, ``load``: options of the export and the import."""

    listed: tuple[str, ...]
    stops: dict[str, Stop] = field(default_factory=dict)
    export: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    encrypted: bool = False

    @property
    def no_start(self) -> bool:
        return "--no-start" in self.load


def random_choices(rng: Random, tenant: Tenant) -> Choices:
    """Mostly everything goes, sometimes a part of it with what it depends on."""
    things = [thing for thing in tenant.things if thing.kind in SECTIONS]
    if rng.random() < 0.3:
        things = rng.sample(things, max(1, len(things) // 2))
    servers = [thing for thing in things if isinstance(thing, Server)]
    stops: dict[str, Stop] = {}
    for server in servers:
        how: Stop = rng.choice((None, True, True, "keep"))
        if how:
            stops[server.key] = how
    export = ["--jobs", str(rng.choice((1, 2, 4))), "--level", rng.choice(("fast", "1", "3"))]
    encrypted = rng.random() < 0.1
    if rng.random() < 0.2 and not encrypted:
        export += ["--split", "1M"]
    if rng.random() < 0.2:
        export += ["--max-temporary", rng.choice(("8", "30"))]
    load = ["--jobs", str(rng.choice((1, 2, 3)))]
    if rng.random() < 0.2:
        load.append("--no-start")
    if rng.random() < 0.1:
        load.append("--keep-images")
    return Choices(
        tuple(thing.key for thing in things), stops, tuple(export), tuple(load), encrypted
    )


def write_files(work: Path, tenant: Tenant, choices: Choices, id_of: Callable[[str], str]) -> None:
    """What the commands of a story name: ``export.yml``, and keys of age."""
    write_resource_file(work / "export.yml", tenant, choices, id_of)
    if choices.encrypted:
        identity = pyrage.x25519.Identity.generate()
        (work / "recipient.txt").write_text(f"{identity.to_public()}\n")
        (work / "identity.txt").write_text(f"{identity}\n")
        (work / "identity.txt").chmod(0o600)


def write_resource_file(
    path: Path, tenant: Tenant, choices: Choices, id_of: Callable[[str], str]
) -> None:
    """``id_of``: key -> the source's ID.  Things are named by it: names may be those of two."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for key in choices.listed:
        thing = tenant.thing(key)
        item: dict[str, Any] = _named(thing, id_of)
        if key in choices.stops:
            item["stop"] = choices.stops[key]
        sections.setdefault(SECTIONS[thing.kind], []).append(item)
    path.write_text(yaml.safe_dump(sections, allow_unicode=True))


def _named(thing: Thing, id_of: Callable[[str], str]) -> dict[str, Any]:
    return {"name": thing.name} if thing.kind == "keypair" else {"id": id_of(thing.key)}
