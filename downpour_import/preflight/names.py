"""Names that something else than a cloud would read otherwise.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.model import Resource

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""

_SHOWN = 5


def formulas(resources: Iterable[Resource]) -> Iterator[str]:
    """A warning when names in uuids.csv would be run by a spreadsheet."""
    names = [record.name for record in resources if record.name.startswith(FORMULA)]
    if names:
        shown = ", ".join(map(repr, names[:_SHOWN])) + (" …" if len(names) > _SHOWN else "")
        yield (
            f"a spreadsheet would take {len(names)} names in uuids.csv for formulas: {shown}; "
            "import its columns as text"
        )
