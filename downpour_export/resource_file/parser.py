"""Parse a resource file (``export.yml``), which docs/reference/resource-file.md describes.

Every mistake is reported, each with line and column, before any cloud is asked.
"""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from bundle_spec.errors import MAX_FAULTS, DownpourError
from bundle_spec.form import yaml_reader
from bundle_spec.form.codec import Json
from bundle_spec.form.places import Keys, Places
from bundle_spec.form.yaml_reader import Document
from bundle_spec.private import read_regular
from bundle_spec.read import yaml_file
from bundle_spec.text import quoted, shortened
from downpour_export.errors import ResourceFileError, ResourceFileFaults

F = TypeVar("F", bound=DownpourError)

SECTIONS = (
    "keypairs",
    "images",
    "volumes",
    "servers",
    "networks",
    "routers",
    "security_groups",
    "floating_ips",
    "server_groups",
    "address_groups",
    "trunks",
    "ports",
    "volume_snapshots",
)
"""The plural of the type of what an item of a section names, as in a manifest."""

Stop = Literal["no", "during", "keep"]
Boot = Literal["image", "volume"]

MAX_USER_DATA = 65535
"""Characters of base64 that Nova takes (Compute API, "Create server", ``user_data``)."""


@dataclass(frozen=True)
class _Key:
    """What a key takes: any value of ``type``, or one of ``values``, which map to their meanings.

    ``expected``, ``hint``: the words of the error for any other value.
    """

    type: type
    expected: str
    hint: str | None = None
    values: Mapping[object, object] = field(default_factory=dict)


_STRING = _Key(str, "a string", "quote it")
_BOOL = _Key(bool, "true or false")
_FILE = _Key(str, "the name of a file")
_STOP = _Key(
    object,
    "true (while its disks are snapshotted) or keep (for good)",
    values={False: "no", True: "during", "keep": "keep"},
)
_BOOT = _Key(object, "image or volume", values={"image": "image", "volume": "volume"})

_OTHER_BOOLS = {"yes": "true", "on": "true", "no": "false", "off": "false"}

# What an item of a section may say besides ``name`` or ``id``.
_KEYS: Mapping[str, Mapping[str, _Key]] = {
    **{section: {} for section in SECTIONS},
    "volumes": {"save_state": _BOOL, "snapshots": _BOOL},
    "servers": {
        "save_state": _BOOL,
        "snapshots": _BOOL,
        "key_name": _STRING,
        "stop": _STOP,
        "user_data": _FILE,
        "boot": _BOOT,
    },
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a section: a resource by ``name`` or by ``id``, and how to carry it.

    ``where``: file, line and column.  ``save_state`` False: created without its contents.
    ``snapshots``: with all snapshots of the volume, or of the server's volumes.  ``key_name``
    None: as at the source.  ``stop``: the server is stopped while it is snapshotted, or before
    that and for good.  ``user_data``: bytes of the named file.  ``boot``: what it will boot from,
    None: as at the source.
    """

    where: str
    name: str | None = None
    id: str | None = None
    save_state: bool = True
    snapshots: bool = False
    key_name: str | None = None
    stop: Stop = "no"
    user_data: bytes | None = None
    boot: Boot | None = None

    @property
    def wanted(self) -> str:
        return self.id or self.name or ""


@dataclass(frozen=True, kw_only=True)
class ResourceFile:
    path: Path
    keypairs: tuple[Item, ...] = ()
    images: tuple[Item, ...] = ()
    volumes: tuple[Item, ...] = ()
    servers: tuple[Item, ...] = ()
    networks: tuple[Item, ...] = ()
    routers: tuple[Item, ...] = ()
    security_groups: tuple[Item, ...] = ()
    floating_ips: tuple[Item, ...] = ()
    server_groups: tuple[Item, ...] = ()
    address_groups: tuple[Item, ...] = ()
    trunks: tuple[Item, ...] = ()
    ports: tuple[Item, ...] = ()
    volume_snapshots: tuple[Item, ...] = ()


def load(path: Path) -> ResourceFile:
    """Read and check a resource file.

    Raises LocalError when it cannot be read, ResourceFileFaults with every mistake in it.
    """
    return _require_faultless(*read(path))


def read(path: Path) -> tuple[ResourceFile, list[ResourceFileError]]:
    """What can be understood of a resource file, and every mistake in it.

    An item with a mistake has only its name or ID, so that this can still be looked up.
    Raises LocalError when it cannot be read.
    """
    return _parse(yaml_file.load(path, ResourceFileError, what="the resource file"), path)


def in_order(faults: Iterable[F]) -> list[F]:
    """Sorted by the line and column at the end of ``where``."""
    place = re.compile(r"(?<=:)\d+(?=:|$)")
    return sorted(
        faults, key=lambda fault: tuple(map(int, place.findall(str(fault.where or ""))[-2:]))
    )


def parse(text: str, path: Path) -> ResourceFile:
    """As ``load`` for a text; ``path`` names it in errors."""
    return decode(yaml_reader.read(text.encode(), str(path), ResourceFileError), path)


def decode(document: Document[ResourceFileError], path: Path) -> ResourceFile:
    """The resource file that a document is.  Raises ResourceFileFaults with every mistake in it."""
    return _require_faultless(*_parse(document, path))


def _parse(
    document: Document[ResourceFileError], path: Path
) -> tuple[ResourceFile, list[ResourceFileError]]:
    parser = _Parser(path, document.places)
    sections = parser.parse(document.value) if document.value is not None else {}
    if document.value is None and not document.faults:
        message, remedy = "the file is empty", "name at least one resource"
        parser.faults.append(ResourceFileError(message, where=str(path), remedy=remedy))
    faults = in_order(document.with_others(parser.faults))
    return ResourceFile(path=path, **sections), faults[:MAX_FAULTS]


def _require_faultless(wanted: ResourceFile, faults: list[ResourceFileError]) -> ResourceFile:
    if faults:
        raise ResourceFileFaults("the resource file has mistakes", faults)
    return wanted


@dataclass
class _Parser:
    """``keys``, in its methods, lead to the value that is looked at."""

    path: Path
    places: Places
    faults: list[ResourceFileError] = field(default_factory=list)

    def parse(self, root: Json) -> dict[str, tuple[Item, ...]]:
        return {
            section: tuple(self._items(section, value))
            for section, value in self._mapping(root, (), SECTIONS, "section")
        }

    def _items(self, section: str, value: Json) -> Iterable[Item]:
        if value is None:
            return  # "servers:" with nothing below it
        if not isinstance(value, list):
            self._fault((section,), f"{section} must be a list of items, each with a name")
            return
        seen: dict[tuple[str, str], str] = {}
        for number, child in enumerate(value):
            item = self._item((section, number), child)
            if item is None:
                continue
            key = ("id", item.id) if item.id is not None else ("name", item.name or "")
            if key in seen:
                message = f"{quoted(key[1])} stands here twice, first at {seen[key]}"
                self._fault((section, number), message)
                continue
            seen[key] = item.where
            yield item

    def _item(self, keys: Keys, value: Json) -> Item | None:
        before, section = len(self.faults), str(keys[0])
        known = {"name": _STRING, "id": _STRING, **_KEYS[section]}
        if isinstance(value, str):
            message = "an item says by what it is found"
            self._fault(keys, message, f"write name: {shortened(value)}")
            return None
        values: dict[str, Any] = {}
        for key, child in self._mapping(value, keys, tuple(known), "key"):
            values[key] = self._read((*keys, key), known[key], child)
        if len(self.faults) > before:
            values = {key: values[key] for key in ("name", "id") if values.get(key) is not None}
            if len(values) != 1:
                return None
        elif ("name" in values) == ("id" in values):
            self._fault(keys, f"an item of {section} needs a name or an id, and only one of them")
            return None
        return Item(where=self.places.of_value(*keys), **values)

    def _read(self, keys: Keys, key: _Key, value: Json) -> object:
        name = keys[-1]
        if key.values:
            for allowed, meaning in key.values.items():
                if type(allowed) is type(value) and allowed == value:
                    return meaning
        elif isinstance(value, key.type):
            return self._contents(keys, str(value)) if key is _FILE else value
        if value is None:
            null = "; null in quotes is one" if key is _STRING else ""
            self._fault(keys, f"{name} is empty", f"it takes {key.expected}{null}")
        else:
            self._fault(keys, f"{name} must be {key.expected}", _hint(key, value))
        return None

    def _contents(self, keys: Keys, name: str) -> bytes | None:
        """The bytes of a file, relative to the resource file, if Nova would take so many."""
        path = self.path.parent / name
        try:
            data = read_regular(path, MAX_USER_DATA)
        except (OSError, ValueError) as exc:
            self._fault(keys, f"cannot read {path}: {getattr(exc, 'strerror', None) or exc}")
            return None
        if len(base64.b64encode(data)) > MAX_USER_DATA:
            self._fault(keys, f"{path} has {len(data)} bytes, and Nova takes no more than 49149")
            return None
        return data

    def _mapping(
        self, value: Json, keys: Keys, allowed: tuple[str, ...], what: str
    ) -> Iterable[tuple[str, Json]]:
        if not isinstance(value, dict):
            self._fault(keys, f"expected a mapping with {', '.join(allowed)}")
            return
        for key, child in value.items():
            if key in allowed:
                yield key, child
                continue
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(allowed)}"
            where = self.places.of_key(*keys, key)
            self.faults.append(
                ResourceFileError(f"unknown {what} {quoted(key)}", where=where, remedy=hint)
            )

    def _fault(self, keys: Keys, message: str, remedy: str | None = None) -> None:
        where = self.places.of_value(*keys)
        self.faults.append(ResourceFileError(message, where=where, remedy=remedy))


def _hint(key: _Key, value: Json) -> str | None:
    """What to write for another value; ``yes`` is true in the YAML that many write, and a string
    in ours."""
    takes_bool = key.type is bool or True in key.values
    written = _OTHER_BOOLS.get(value.lower()) if takes_bool and isinstance(value, str) else None
    return f"write {written}" if written else key.hint
