"""A YAML file that a person wrote, with the line and column of what stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bundle_spec.errors import DownpourError, LocalError
from bundle_spec.private import read_regular

Keys = tuple[object, ...]
"""The keys that lead to a value of the document, from the outermost on."""

_DEPTH = 3
"""So deep are the files: ``mapping``, a section, a name."""


@dataclass(frozen=True)
class Places:
    """Where keys and values stand, as ``FILE:LINE:COLUMN``; FILE alone where that is not known.

    ``under``: keys that are put before those that are asked for.
    """

    file: str
    keys: Mapping[Keys, str] = field(default_factory=dict)
    values: Mapping[Keys, str] = field(default_factory=dict)
    under: Keys = ()

    def of_key(self, *keys: object) -> str:
        """The place of the last of ``keys``."""
        return self.keys.get((*self.under, *keys), self.file)

    def of_value(self, *keys: object) -> str:
        """The place of the value that ``keys`` lead to."""
        return self.values.get((*self.under, *keys), self.file)

    def below(self, key: object) -> Places:
        """The places of the document that is the value of ``key``."""
        return Places(self.file, self.keys, self.values, (*self.under, key))


def read(path: Path, error: type[DownpourError]) -> tuple[object, Places]:
    """The value of a YAML file, and its places.

    Raises LocalError when it cannot be read, ``error`` when it is not YAML.
    """
    try:
        text = read_regular(path).decode()
    except OSError as exc:
        raise LocalError(f"cannot read: {exc.strerror}", where=str(path)) from exc
    except UnicodeDecodeError as exc:
        raise error(f"not UTF-8 at byte {exc.start}", where=str(path)) from exc
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        value: object = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        where = _at(path, mark) if mark else str(path)
        raise error(f"not YAML: {exc.problem}", where=where) from exc
    except (yaml.YAMLError, ValueError) as exc:
        # Of several lines, and "2024-13-45" is no day.
        raise error(f"not YAML: {' '.join(str(exc).split())}", where=str(path)) from exc
    keys: dict[Keys, str] = {}
    values: dict[Keys, str] = {}
    for found, key_node, value_node in _walk(root, (), set()):
        if key_node is not None:
            keys[found] = _at(path, key_node.start_mark)
        values[found] = _at(path, value_node.start_mark)
    return value, Places(str(path), keys, values)


def _walk(
    node: yaml.Node | None, keys: Keys, walked: set[int]
) -> Iterator[tuple[Keys, yaml.Node | None, yaml.Node]]:
    """(keys, node of the last of them, node of its value), for the document and all in it.

    ``walked``: the ids of the nodes that were gone through.  What aliases repeat is gone through
    once, so that a small file stays small.
    """
    if node is None:
        return
    if not keys:
        yield keys, None, node
    if isinstance(node, yaml.MappingNode) and len(keys) < _DEPTH and id(node) not in walked:
        walked.add(id(node))
        for key_node, value_node in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                below = (*keys, _scalar(key_node))
                yield below, key_node, value_node
                yield from _walk(value_node, below, walked)


def _scalar(node: yaml.ScalarNode) -> object:
    loader = yaml.SafeLoader("")
    try:
        value: object = loader.construct_object(node)
    finally:
        loader.dispose()
    return value


def _at(path: Path, mark: yaml.Mark) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}"
