"""Names that a spreadsheet would run as formulas.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.model import Resource

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet (OWASP, "CSV Injection")."""

_SHOWN = 5


def formulas(resources: Iterable[Resource]) -> Iterator[str]:
    """One warning, should a spreadsheet run names in uuids.csv as formulas."""
    names = [record.name for record in resources if record.name.startswith(_FORMULA_STARTS)]
    if names:
        shown = ", ".join(map(repr, names[:_SHOWN])) + (" …" if len(names) > _SHOWN else "")
        yield (
            f"a spreadsheet would take {len(names)} names in uuids.csv for formulas: {shown}; "
            "import its columns as text"
        )
