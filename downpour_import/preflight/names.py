"""Names that may surprise: those that stand on the target already, and those that a spreadsheet
would run as formulas.  Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from bundle_spec.model import Network, Resource, Server, Volume
from downpour_cloud import Json
from downpour_import.preflight.survey import Survey

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet (OWASP, "CSV Injection")."""

_SHOWN = 5


def formulas(resources: Iterable[Resource]) -> Iterator[str]:
    """One warning, should a spreadsheet run names in uuids.csv as formulas."""
    names = [record.name for record in resources if record.name.startswith(_FORMULA_STARTS)]
    if names:
        yield (
            f"a spreadsheet would take {len(names)} names in uuids.csv for formulas: "
            f"{_shown(names)}; import its columns as text"
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
                f"them: {_shown([*names])}; --skip leaves them out"
            )


def _is_ours(network: Json, target: Survey) -> bool:
    return bool(network.get("project_id") == target.project_id)


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
