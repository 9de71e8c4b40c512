"""Fails with all that could not be made in this run.  Always the last task of a run."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.downpour.bundle.plugins.plugin_utils.record import (
    Vars,
    failures_of,
    folder_of,
)

from bundle_spec.errors import DownpourError
from downpour_import.errors import RecreateFaults
from downpour_import.playbook import events


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: Vars | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            failures = failures_of(folder_of(task_vars))
            failures.require_going_on()
            faults = failures.faults()
        except DownpourError as exc:
            events.emit("failed", type="outcome", name="", message=str(exc))
            return {**result, "failed": True, "msg": str(exc)}
        events.emit("outcome")
        if faults:
            told = RecreateFaults(
                "the import is not complete; what was made stays, and is not made again",
                faults,
                remedy="mend it, and run the playbook again",
            )
            return {**result, "failed": True, "msg": str(told)}
        return {**result, "changed": False}
