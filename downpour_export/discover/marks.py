"""Marks that downpour leaves on resources: names of temporary objects, and the prefix ``dpb-``.

A tag, key or description with that prefix says where a resource came from in an earlier move.  It
means nothing in the next one and never enters a bundle; a bundle that holds one is refused [M-16].
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bundle_spec import is_marker, is_reserved

TEMPORARY = re.compile(r"downpour-([0-9a-f]{12})-")
"""How the name of a temporary object begins; the digits are from the uuid of its bundle."""

STOPPED = "dpb-stopped"
"""Metadata key of a server that an export stopped and starts again; it holds the bundle's uuid."""


def is_temporary(name: str) -> bool:
    return TEMPORARY.match(name) is not None


def tags(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(sorted(tag for tag in values or () if not is_reserved(tag)))


def mapping(values: Mapping[str, object] | None) -> dict[str, str]:
    """Metadata or properties without what is a mark, be it the key or the value."""
    texts = {key: str(value) for key, value in (values or {}).items()}
    return {k: text for k, text in texts.items() if not is_reserved(k) and not is_marker(text)}


def text(value: str | None) -> str:
    """A description; one that is a mark was left by an import that did not finish."""
    return "" if value is None or is_marker(value) else value
