"""The proof of an import: every resource is read back and compared with its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bundle_spec.model import Resource, Server
from bundle_spec.progress import Progress
from downpour_import.errors import ResultError, ResultFaults
from downpour_import.recreate import Context, differences, list_many
from downpour_import.run.doubles import remove_doubles


def prove(
    context: Context,
    records: Sequence[Resource],
    progress: Progress,
    known: Iterable[Resource] = (),
) -> None:
    """Read every one of ``records`` back and compare it; first, remove what stands twice of those
    that are ``known``.

    Raises ResultFaults with every difference.
    """
    faults = remove_doubles(context, known, progress.say)
    with progress.task("check resources", len(records), "resources") as task:
        listed = list_many(context, records)
        for record in records:
            if record.ref not in context.targets:
                where = f"{record.type.replace('_', ' ')} {record.name!r}"
                if lines := differences(context, record, listed):
                    message, remedy = "; ".join(lines), _remedy(record, lines)
                    faults.append(ResultError(message, where=where, remedy=remedy))
            task.advance(1)
    if faults:
        raise ResultFaults(
            "what stands on the target differs from what this import was to make",
            faults,
            remedy="what was made before is not changed by other options, an edit or another "
            "mapping",
        )


def _remedy(record: Resource, differences: Iterable[str]) -> str | None:
    """What to do about a server that runs where it should not, or the other way round."""
    if not isinstance(record, Server) or not any(
        line.startswith("status is ") for line in differences
    ):
        return None
    if record.power_state == "stopped":
        return "stop it; it was to stay off, at the source or by --no-start"
    return "start it, or say --no-start if it is to stay off"
