"""The name space ``dpb-``: marks that an importer of downpour left on what it made.

They say where a resource came from in an earlier move and mean nothing in the next one, so
they never enter a bundle; a bundle that holds one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PREFIX = "dpb-"


def tags(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(sorted(tag for tag in values or () if not tag.startswith(PREFIX)))


def mapping(values: Mapping[str, object] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (values or {}).items() if not key.startswith(PREFIX)}


def text(value: str | None) -> str:
    """A description; one that is a mark was not finished by the importer that wrote it."""
    return "" if value is None or value.startswith(PREFIX) else value
