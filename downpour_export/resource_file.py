"""``export.yml``: which servers, volumes, images and keypairs shall go.

Every mistake is reported, each with line and column, before any cloud is asked.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bundle_spec.errors import LocalError, ResourceFileError, ResourceFileFaults

SECTIONS = ("keypairs", "images", "volumes", "servers")

# What an item of a section may say besides ``name`` or ``id``: key -> type.
_KEYS: Mapping[str, Mapping[str, type]] = {
    "keypairs": {},
    "images": {},
    "volumes": {"save_state": bool},
    "servers": {"save_state": bool, "key_name": str},
}
_TYPE_NAMES = {str: "a string", bool: "true or false"}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a section: a resource by ``name`` or by ``id``, and how to carry it.

    ``save_state`` False: made again without its contents.  ``key_name`` None: as at the source.
    """

    where: str
    name: str | None = None
    id: str | None = None
    save_state: bool = True
    key_name: str | None = None

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


def load(path: Path) -> ResourceFile:
    """Read and check a resource file.

    Raises LocalError when it cannot be read, ResourceFileFaults with every mistake in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise LocalError(f"cannot read the resource file: {exc.strerror}", where=str(path)) from exc
    except UnicodeDecodeError as exc:
        raise ResourceFileFaults(
            "the resource file cannot be used",
            [ResourceFileError(f"not UTF-8 at byte {exc.start}", where=str(path))],
        ) from exc
    return parse(text, path)


def parse(text: str, path: Path) -> ResourceFile:
    """The same for a text; ``path`` names it in errors."""
    parser = _Parser(path)
    sections = parser.parse(text)
    if parser.faults:
        raise ResourceFileFaults("the resource file has mistakes", parser.faults)
    return ResourceFile(path=path, **sections)


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
        types = {"name": str, "id": str, **_KEYS[section]}
        values: dict[str, object] = {}
        for key, child in self._mapping(node, tuple(types), "key"):
            value = self._value(child)
            if not isinstance(value, types[key]):
                hint = "quote it" if types[key] is str else "write true or false"
                self._fault(child, f"{key} must be {_TYPE_NAMES[types[key]]}", hint)
            values[key] = value
        if len(self.faults) > before:
            return None
        if ("name" in values) == ("id" in values):
            self._fault(node, f"an item of {section} needs a name or an id, and only one of them")
            return None
        return Item(where=self._place(node), **values)  # type: ignore[arg-type]

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
        """A scalar as YAML understands it; anything else as something of no type of ours."""
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
