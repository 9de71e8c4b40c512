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

import yaml

from bundle_spec.errors import DownpourError, LocalError
from bundle_spec.private import read_regular
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
    wanted, faults = read(path)
    return _require_faultless(wanted, faults)


def read(path: Path) -> tuple[ResourceFile, list[ResourceFileError]]:
    """What can be understood of a resource file, and every mistake in it.

    An item with a mistake has only its name or ID, so that this can still be looked up.
    Raises LocalError when it cannot be read.
    """
    try:
        text = read_regular(path).decode()
    except OSError as exc:
        raise LocalError(f"cannot read the resource file: {exc.strerror}", where=str(path)) from exc
    except UnicodeDecodeError as exc:
        return ResourceFile(path=path), [
            ResourceFileError(f"not UTF-8 at byte {exc.start}", where=str(path))
        ]
    return _parse_text(text, path)


def in_order(faults: Iterable[F]) -> list[F]:
    """Sorted by the line and column at the end of ``where``."""
    place = re.compile(r"(?<=:)\d+(?=:|$)")
    return sorted(
        faults, key=lambda fault: tuple(map(int, place.findall(str(fault.where or ""))[-2:]))
    )


def parse(text: str, path: Path) -> ResourceFile:
    """As ``load`` for a text; ``path`` names it in errors."""
    return _require_faultless(*_parse_text(text, path))


def _parse_text(text: str, path: Path) -> tuple[ResourceFile, list[ResourceFileError]]:
    parser = _Parser(path)
    sections = parser.parse(text)
    return ResourceFile(path=path, **sections), parser.faults


def _require_faultless(wanted: ResourceFile, faults: list[ResourceFileError]) -> ResourceFile:
    if faults:
        raise ResourceFileFaults("the resource file has mistakes", in_order(faults))
    return wanted


@dataclass
class _Parser:
    path: Path
    faults: list[ResourceFileError] = field(default_factory=list)

    def parse(self, text: str) -> dict[str, tuple[Item, ...]]:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as exc:
            mark = exc.problem_mark
            where = self._at(mark.line, mark.column) if mark else str(self.path)
            self.faults.append(ResourceFileError(f"not YAML: {exc.problem}", where=where))
            return {}
        except yaml.YAMLError as exc:
            self.faults.append(ResourceFileError(f"not YAML: {exc}", where=str(self.path)))
            return {}
        if root is None or self._value(root) is None:
            self.faults.append(
                ResourceFileError(
                    "the file is empty", where=str(self.path), remedy="name at least one resource"
                )
            )
            return {}
        sections: dict[str, tuple[Item, ...]] = {}
        for key, node in self._mapping(root, SECTIONS, "section"):
            sections[key] = tuple(self._items(key, node))
        return sections

    def _items(self, section: str, node: yaml.Node) -> Iterable[Item]:
        if self._value(node) is None and isinstance(node, yaml.ScalarNode):
            return  # "servers:" with nothing below it
        if not isinstance(node, yaml.SequenceNode):
            self._fault(node, f"{section} must be a list of items, each with a name")
            return
        seen: dict[tuple[str, str], str] = {}
        for child in node.value:
            item = self._item(section, child)
            if item is None:
                continue
            key = ("id", item.id) if item.id is not None else ("name", item.name or "")
            if key in seen:
                self._fault(child, f"{key[1]!r} stands here twice, first at {seen[key]}")
                continue
            seen[key] = item.where
            yield item

    def _item(self, section: str, node: yaml.Node) -> Item | None:
        before = len(self.faults)
        keys = {"name": _STRING, "id": _STRING, **_KEYS[section]}
        if isinstance(node, yaml.ScalarNode) and isinstance(self._value(node), str):
            self._fault(node, "an item says by what it is found", f"write name: {node.value}")
            return None
        values: dict[str, Any] = {}
        for key, child in self._mapping(node, tuple(keys), "key"):
            values[key] = self._read(key, keys[key], child)
        if len(self.faults) > before:
            values = {key: values[key] for key in ("name", "id") if values.get(key) is not None}
            if len(values) != 1:
                return None
        elif ("name" in values) == ("id" in values):
            self._fault(node, f"an item of {section} needs a name or an id, and only one of them")
            return None
        return Item(where=self._place(node), **values)

    def _read(self, name: str, key: _Key, node: yaml.Node) -> object:
        value = self._value(node)
        if key.values:
            for allowed, meaning in key.values.items():
                if type(allowed) is type(value) and allowed == value:
                    return meaning
        elif isinstance(value, key.type):
            return self._contents(node, str(value)) if key is _FILE else value
        if value is None and not node.value:
            self._fault(node, f"{name} is empty", f"it takes {key.expected}")
        else:
            self._fault(node, f"{name} must be {key.expected}", key.hint)
        return None

    def _contents(self, node: yaml.Node, name: str) -> bytes | None:
        """The bytes of a file, relative to the resource file, if Nova would take so many."""
        path = self.path.parent / name
        try:
            data = read_regular(path)
        except (OSError, ValueError) as exc:
            self._fault(node, f"cannot read {path}: {getattr(exc, 'strerror', None) or exc}")
            return None
        if len(base64.b64encode(data)) > MAX_USER_DATA:
            self._fault(node, f"{path} has {len(data)} bytes, and Nova takes no more than 49149")
            return None
        return data

    def _mapping(
        self, node: yaml.Node, allowed: tuple[str, ...], what: str
    ) -> Iterable[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, f"expected a mapping with {', '.join(allowed)}")
            return
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = self._value(key_node)
            if key not in allowed:
                text = key_node.value if isinstance(key_node, yaml.ScalarNode) else "[…]"
                near = difflib.get_close_matches(text, allowed, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(allowed)}"
                self._fault(key_node, f"unknown {what} {text!r}", hint)
            elif key in seen:
                self._fault(key_node, f"the {what} {key!r} stands here twice")
            else:
                seen.add(key)
                yield key, value_node

    @staticmethod
    def _value(node: yaml.Node) -> object:
        """The value of a scalar; for anything else the node itself, which matches no type."""
        if not isinstance(node, yaml.ScalarNode):
            return node
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return node  # "2024-13-45", "!!int x", "!tag x", "<<"
        finally:
            loader.dispose()

    def _fault(self, node: yaml.Node, message: str, remedy: str | None = None) -> None:
        self.faults.append(ResourceFileError(message, where=self._place(node), remedy=remedy))

    def _place(self, node: yaml.Node) -> str:
        return self._at(node.start_mark.line, node.start_mark.column)

    def _at(self, line: int, column: int) -> str:
        return f"{self.path}:{line + 1}:{column + 1}"
