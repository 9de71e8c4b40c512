"""What must be true, as pure comparisons.  Each gives one line for each thing that is wrong.

It reads what users read (bundle, uuids.csv, the clouds), and takes nothing of downpour's word for
what it did.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak.clouds.world import Item, World

Problems = Iterator[str]

PORTABLE: Mapping[str, tuple[str, ...]] = {
    "keypair": ("public_key",),
    "subnet": ("cidr", "gateway_ip", "ip_version"),
    "port": ("mac_address",),
    "image": ("disk_format", "container_format"),
    "volume": ("size",),
    "server_group": ("policy",),
    "server": ("key_name",),
}
"""Attributes that a thing has at the target as it had at the source."""

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "subnet": {"network_id": "network"},
    "port": {"network_id": "network"},
    "trunk": {"port_id": "port"},
    "floating_ip": {"port_id": "port"},
}
"""Attributes that name another thing, and its type."""

ERROR_WORDS = ("Traceback (most recent call last)", "a fault of downpour itself")


@dataclass(frozen=True)
class Row:
    """Of uuids.csv."""

    kind: str
    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Expected:
    """One resource that an import is to make.  ``item``: it at the source, None for the image of a
    server's disk, which was made on the way.  ``on``: whether a server is to run; None: no server.
    """

    kind: str
    old: str
    name: str
    item: Item | None = None
    on: bool | None = None


def read_rows(path: Path) -> list[Row]:
    """Raises OSError, ValueError."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    if head != ["Resource Type", "Resource Name", "Old", "New"]:
        raise ValueError(f"uuids.csv has the header {head}")
    return [Row(kind.replace(" ", "_"), *rest) for kind, *rest in rows]


def unchanged(before: World, after: World, what: str) -> Problems:
    """Both hold the same, attribute by attribute."""
    for item in after.beyond(before):
        yield f"{what} has {item} too much"
    for item in before:
        there = after.get(item.kind, item.id)
        if there is None:
            yield f"{what} lacks {item}"
        else:
            yield from _differences(item, there, what)


def _differences(before: Item, after: Item, what: str) -> Problems:
    for name in sorted(before.facts.keys() | after.facts.keys()):
        was, is_now = before.facts.get(name), after.facts.get(name)
        if was != is_now:
            yield f"{what}: {before}: {name} was {was!r}, is {is_now!r}"


def kept(before: World, after: World, what: str) -> Problems:
    """Whatever stood before still stands as it was; more may stand."""
    there = {key: item for key, item in after.items.items() if key in before.items}
    return unchanged(before, World(there), what)


def only_ours(new: World, what: str) -> Problems:
    """What an interrupted export has put into the source is recognised by its name."""
    for item in new:
        if not item.temporary:
            yield f"{what} has {item}, which is nobody's"


def once(expected: Collection[Expected], rows: Collection[Row], new: World) -> Problems:
    """Each expected thing stands once, nothing else is new, and uuids.csv says which is which."""
    by_old = {(row.kind, row.old): row for row in rows}
    yield from _rows_are_of(expected, rows)
    taken: set[tuple[str, str]] = set()
    for each in expected:
        row = by_old.get((each.kind, each.old))
        if row is None:
            yield f"uuids.csv has no row for {each.kind} {each.name!r} ({each.old})"
            continue
        item = new.get(each.kind, row.new)
        if item is None:
            yield f"uuids.csv: {each.kind} {each.name!r} is {row.new}, which is not there"
            continue
        taken.add((each.kind, row.new))
        yield from _is(each, row, item, by_old)
    for item in new:
        if (item.kind, item.id) not in taken and not _comes_by_itself(item, taken):
            yield f"the target has {item} too much"


def _rows_are_of(expected: Iterable[Expected], rows: Iterable[Row]) -> Problems:
    known = {(each.kind, each.old) for each in expected}
    for row in rows:
        if (row.kind, row.old) not in known:
            yield f"uuids.csv has a row for {row.kind} {row.old}, which was not to be made"
    for (kind, new), count in Counter((row.kind, row.new) for row in rows).items():
        if count > 1:
            yield f"uuids.csv gives {kind} {new} to {count} old ones"
    for (kind, old), count in Counter((row.kind, row.old) for row in rows).items():
        if count > 1:
            yield f"uuids.csv has {count} rows for {kind} {old}"


def _is(each: Expected, row: Row, item: Item, by_old: Mapping[tuple[str, str], Row]) -> Problems:
    if row.name != each.name:
        yield f"uuids.csv calls {each.kind} {each.old} {row.name!r}, not {each.name!r}"
    if each.kind != "floating_ip" and item.name != each.name:
        yield f"{item} is to be called {each.name!r}"
    if each.on is not None and (item.facts["status"] == "ACTIVE") != each.on:
        yield f"{item} is {item.facts['status']}, and was {'on' if each.on else 'off'}"
    if each.item is None:
        return
    for name in PORTABLE.get(each.kind, ()):
        was, is_now = each.item.facts.get(name), item.facts.get(name)
        if was != is_now:
            yield f"{item}: {name} was {was!r} at the source, is {is_now!r}"
    yield from _refers(each.item, item, by_old)
    if each.kind == "security_group":
        yield from _has_rules(each.item, item, by_old)


def _refers(old: Item, new: Item, by_old: Mapping[tuple[str, str], Row]) -> Problems:
    for name, kind in REFERENCES.get(old.kind, {}).items():
        was, is_now = old.facts.get(name), new.facts.get(name)
        row = by_old.get((kind, was)) if was else None
        if (row.new if row else None) != (is_now or None):
            yield f"{new}: {name} is {is_now}, and was {was}, which is {row and row.new} now"


def _has_rules(old: Item, new: Item, by_old: Mapping[tuple[str, str], Row]) -> Problems:
    def key(rule: Mapping[str, Any], *, translate: bool) -> tuple[Any, ...]:
        remote = []
        for name, kind in (
            ("remote_group_id", "security_group"),
            ("remote_address_group_id", "address_group"),
        ):
            named = rule.get(name)
            row = by_old.get((kind, named)) if named and translate else None
            remote.append(row.new if row else named)
        plain = ("direction", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix")
        return (*(rule.get(name) for name in plain), *remote)

    wanted = Counter(key(rule, translate=True) for rule in old.facts["security_group_rules"])
    there = Counter(key(rule, translate=False) for rule in new.facts["security_group_rules"])
    for rule in wanted - there:
        yield f"{new} lacks the rule {rule}"
    for rule in there - wanted:
        yield f"{new} has the rule {rule} too much"


def _comes_by_itself(item: Item, taken: Collection[tuple[str, str]]) -> bool:
    """Ports of routers and of DHCP come with what they belong to."""
    owner = str(item.facts.get("device_owner") or "")
    if item.kind != "port" or not owner.startswith("network:"):
        return False
    router = str(item.facts.get("device_id"))
    return "router" not in owner or ("router", router) in taken


def interrupted(expected: Collection[Expected], new: World) -> Problems:
    """What stands after an import that did not end: of each mark one thing at most."""
    marks = Counter(mark for item in new for mark in set(_marks(item)))
    for mark, count in marks.items():
        if count > 1:
            named = ", ".join(str(item) for item in new if mark in _marks(item))
            yield f"{count} things bear one mark: {named}"
    kinds = Counter(each.kind for each in expected)
    for kind in ("keypair", "server_group"):
        count = sum(1 for item in new if item.kind == kind)
        if count > kinds[kind]:
            yield f"{count} of {kind} stand, of {kinds[kind]}"


def _marks(item: Item) -> list[str]:
    facts, found = item.facts, []
    texts = [facts.get("description"), facts.get("dpb-marker"), *(facts.get("tags") or ())]
    texts += [*(facts.get("metadata") or {}).values(), *(facts.get("properties") or {}).values()]
    for text in texts:
        if isinstance(text, str) and text.startswith("dpb-"):
            # A router's own ports bear its mark.
            found.append(f"{item.kind} {text}")
    return found if not str(facts.get("device_owner") or "").startswith("network:router") else []


def unmarked(new: World) -> Problems:
    """After ``forget``."""
    for item in new:
        if item.marked:
            yield f"{item} still bears a mark"


def same_bytes(wanted: Mapping[str, bytes], there: Mapping[str, bytes | None]) -> Problems:
    """Disks by a text that names them."""
    for what, data in wanted.items():
        found = there.get(what)
        if found is None:
            yield f"{what}: there are no bytes"
        elif found != data:
            at = next(
                (n for n, (a, b) in enumerate(zip(data, found, strict=False)) if a != b), None
            )
            yield f"{what}: {len(found)} bytes, not {len(data)}; the first difference is at {at}"


def of_one_moment(moments: Mapping[str, Collection[int]]) -> Problems:
    """``moments``: a server that was stopped for its capture -> what its disks tell."""
    for server, told in moments.items():
        if len(set(told)) > 1:
            yield f"the disks of server {server} are of the moments {sorted(set(told))}"


def in_words(err: str) -> Problems:
    """Nothing that a command said is a crash."""
    for words in ERROR_WORDS:
        if words in err:
            line = next(line for line in err.splitlines() if words in line)
            yield f"it said: {line[:300]}"
