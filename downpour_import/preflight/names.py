"""Names that may surprise: those that stand on the target already, and those that a spreadsheet
would run as formulas, as it would IDs.  Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from bundle_spec.model import Network, Resource, Server, Volume
from bundle_spec.text import counted, some_of
from downpour_cloud import Json
from downpour_import.preflight.survey import Survey

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so is a formula to a spreadsheet (OWASP, "CSV Injection")."""

_SHOWN = 5


def formulas(resources: Iterable[Resource]) -> Iterator[str]:
    """One warning, should a spreadsheet run names or old IDs in uuids.csv as formulas.

    They are not changed there: programs read it, and the IDs must be those of the source."""
    texts = dict.fromkeys(text for record in resources for text in (record.name, record.id))
    cells = [text for text in texts if text.startswith(_FORMULA_STARTS)]
    if cells:
        yield (
            f"a spreadsheet would take {counted(len(cells), 'text')} in uuids.csv for formulas: "
            f"{some_of(cells, _SHOWN)}; import its columns as text"
        )


def namesakes(
    wanted: Iterable[Resource], target: Survey, ours: Container[str | None]
) -> Iterator[str]:
    """One warning for each type of which something is made beside what is called the same.

    ``ours``: IDs of what this import made before.  After ``forget``, or with another state, nothing
    else tells that a bundle was imported already.
    """
    wanted = list(wanted)
    own = {item["id"]: item["name"] for item in target.networks if _is_ours(item, target)}
    for kind, word, standing in (
        (Server, "servers", target.servers),
        (Volume, "volumes", target.volumes),
        (Network, "networks", own),
    ):
        there = {name for identity, name in standing.items() if name and identity not in ours}
        names = dict.fromkeys(
            each.name for each in wanted if isinstance(each, kind) and each.name in there
        )
        if names:
            yield (
                f"{word} of these names stand already on the target, and others are made beside "
                f"them: {some_of([*names], _SHOWN)}; --skip leaves them out"
            )


def _is_ours(network: Json, target: Survey) -> bool:
    return bool(network.get("project_id") == target.project_id)
