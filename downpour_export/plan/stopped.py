"""Servers that an export, and not their owner, has turned off."""

from __future__ import annotations

from collections.abc import Iterator

from downpour_export.errors import PlanError
from downpour_export.plan.model import Plan


def stopped_by_another(plan: Plan, bundle_uuid: str | None = None) -> Iterator[PlanError]:
    """One fault for each server that an export of another bundle than ``bundle_uuid`` stopped.

    Now it looks like a server that its owner stopped, and that export may start it at any time.
    """
    names = {server.id: server.name for server in plan.resources.servers}
    for server_id, bundle in plan.stopped_by.items():
        if bundle != bundle_uuid:
            yield PlanError(
                "an export has stopped it and did not start it again",
                where=f"server {names[server_id]!r} ({server_id})",
                remedy="wait for that export; if none runs, `downpour-export cleanup` starts it",
            )
