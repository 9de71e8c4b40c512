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
from bundle_spec.text import quoted, shortened


def mark_faults(resources: Resources, references: References) -> Iterator[BundleError]:
    """A fault for each key, tag or text that only an importer may write."""
    for section, value in (("resources", resources), ("references", references)):
        for place, what in _marks(value):
            message = f"{what} is reserved for downpour's own marks"
            where = f"{layout.MANIFEST_NAME}: {section}{place}"
            yield BundleError(message, where=where, code=Code.RESERVED_MARK)


def _marks(value: Any, *, in_tags: bool = False) -> Iterator[tuple[str, str]]:
    """(place within ``value``, what it is).  A place is only made where there is a mark."""
    if isinstance(value, str):
        if is_marker(value) or (in_tags and is_reserved(value)):
            yield "", "a tag" if in_tags else "a text"
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            for place, what in _marks(item, in_tags=in_tags):
                yield f"[{number}]{place}", what
    elif isinstance(value, Mapping) or dataclasses.is_dataclass(value):
        for key, child in _items(value):
            if is_reserved(key):  # so is every key that begins with a marker
                yield "", f"the key {quoted(key)}"
                continue
            is_tags = key == "tags" and isinstance(child, (list, tuple))
            for place, what in _marks(child, in_tags=is_tags):
                yield f".{shortened(key)}{place}", what


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """The keys of an object with their values, as they stand in the manifest."""
    if isinstance(value, Mapping):
        yield from value.items()
        return
    for field in dataclasses.fields(value):
        if field.name != "extra":
            yield field.name, getattr(value, field.name)
    yield from getattr(value, "extra", {}).items()
