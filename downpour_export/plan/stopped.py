"""Servers that are off because an export has stopped them, and not because their owner has."""

from __future__ import annotations

from collections.abc import Iterator

from downpour_export.errors import PlanError
from downpour_export.plan.model import Plan


def stopped_by_another(plan: Plan, own: str | None = None) -> Iterator[PlanError]:
    """Servers that are off because an export, of another bundle than ``own``, has stopped them.

    They would be taken for servers that are off, or be started while they are captured.
    """
    names = {server.id: server.name for server in plan.resources.servers}
    for server_id, bundle in plan.stopped_by.items():
        if bundle != own:
            yield PlanError(
                "an export has stopped it and did not start it again",
                where=f"server {names[server_id]!r} ({server_id})",
                remedy="let that one end; if none runs, `downpour-export cleanup` starts it",
            )
