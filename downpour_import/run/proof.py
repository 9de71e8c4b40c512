"""The proof of an import: every resource is read back and compared with its record."""

from __future__ import annotations

from collections.abc import Sequence

from bundle_spec.model import Resource
from bundle_spec.progress import Progress
from downpour_import.errors import ResultError, ResultFaults
from downpour_import.recreate import Context, differences, list_many


def prove(context: Context, records: Sequence[Resource], progress: Progress) -> None:
    """Read every one of ``records`` back and compare it.

    Raises ResultFaults with every difference.
    """
    faults = []
    with progress.task("check resources", len(records), "resources") as task:
        listed = list_many(context, records)
        for record in records:
            if record.ref not in context.targets:
                where = f"{record.type.replace('_', ' ')} {record.name!r}"
                if lines := differences(context, record, listed):
                    faults.append(ResultError("; ".join(lines), where=where))
            task.advance(1)
    if faults:
        raise ResultFaults(
            "not all that stands on the target is as this import's records say",
            faults,
            remedy="what stood already is not changed by an edit or another mapping",
        )
