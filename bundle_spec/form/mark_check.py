"""Check that nothing in the resource graph is in the name space of an importer's marks [M-16].

Every object and every text is looked at, also under keys that this version does not know.  Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.form import layout
from bundle_spec.form.marker import is_marker, is_reserved
from bundle_spec.model import References, Resources

_SHOWN = 40
"""So much of a key is shown."""


def mark_faults(resources: Resources, references: References) -> Iterator[BundleError]:
    """A fault for each key, tag or text that only an importer may write."""
    for section, value in (("resources", resources), ("references", references)):
        for place, what in _marks(value, section):
            message = f"{what} is reserved for downpour's own marks"
            where = f"{layout.MANIFEST_NAME}: {place}"
            yield BundleError(message, where=where, code=Code.RESERVED_MARK)


def _marks(value: Any, place: str, *, is_tag: bool = False) -> Iterator[tuple[str, str]]:
    """(place, what it is)"""
    if isinstance(value, str):
        if is_marker(value) or (is_tag and is_reserved(value)):
            yield place, "a tag" if is_tag else "a text"
    elif isinstance(value, (list, tuple)):
        is_tag = place.endswith(".tags")
        for number, item in enumerate(value):
            yield from _marks(item, f"{place}[{number}]", is_tag=is_tag)
    elif isinstance(value, Mapping) or dataclasses.is_dataclass(value):
        for key, child in _items(value):
            if is_reserved(key):
                yield place, f"the key {key[:_SHOWN]!r}"
            else:
                yield from _marks(child, f"{place}.{key[:_SHOWN]}")


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """The keys of an object with their values, as they stand in the manifest."""
    if isinstance(value, Mapping):
        yield from value.items()
        return
    for field in dataclasses.fields(value):
        if field.name != "extra":
            yield field.name, getattr(value, field.name)
    yield from getattr(value, "extra", {}).items()
