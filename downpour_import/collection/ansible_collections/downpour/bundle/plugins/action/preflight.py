"""Reads what is to be made, and resolves what it refers to.  Always the first task of a run.

With ``isolate`` what cannot be made stops only what needs it; then ``outcome`` must be the last
task, which fails.

The data becomes the fact ``downpour_data``, once for all tasks: a variable would be parsed again
for each of them.  What a task returns is never a template to Ansible.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.downpour.bundle.plugins.plugin_utils.record import (
    Vars,
    folder_of,
    settings_of,
)

from bundle_spec.errors import DownpourError
from bundle_spec.text import printable
from downpour_import import session
from downpour_import.playbook import events
from downpour_import.playbook.data import decode_data, load_data


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: Vars | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        told: list[str] = []
        folder = folder_of(task_vars)
        try:
            path = folder / "resources.yml"
            value = load_data(path)
            data = decode_data(value, str(path))
            settings = settings_of(folder)
            cloud = session.connect_within_playbook(settings, told.append)
            isolate = boolean(self._task.args.get("isolate", False))
            preflight = session.prepare(settings, data, cloud, isolate=isolate)
        except DownpourError as exc:
            events.emit("failed", type="preflight", name="", message=str(exc))
            return {**result, "failed": True, "msg": str(exc)}
        if not events.listened():
            result["warnings"] = [printable(text) for text in (*told, *preflight.warnings)]
        facts = {"downpour_data": value}
        return {**result, "changed": False, "taken": preflight.taken, "ansible_facts": facts}
