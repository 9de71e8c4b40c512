"""The name space ``dpb-``: marks that an importer of downpour left on what it made.

They say where a resource came from in an earlier move and mean nothing in the next one, so
they never enter a bundle; a bundle that holds one is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bundle_spec import is_marker, is_reserved

TEMPORARY = re.compile(r"downpour-([0-9a-f]{12})-")
"""What the name of a temporary object begins with: digits of the uuid of the bundle it is for."""


STOPPED = "dpb-stopped"
"""Metadata key of a server that an export stopped and starts again; it holds the bundle's uuid."""


def is_temporary(name: str) -> bool:
    return TEMPORARY.match(name) is not None


def tags(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(sorted(tag for tag in values or () if not is_reserved(tag)))


def mapping(values: Mapping[str, object] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (values or {}).items() if not is_reserved(key)}


def text(value: str | None) -> str:
    """A description; one that is a mark was not finished by the importer that wrote it."""
    return "" if value is None or is_marker(value) else value
