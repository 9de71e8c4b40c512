"""Reads what is to be made, and resolves what it refers to.  Always the first task of a run.

The data becomes the fact ``downpour_data``, once for all tasks: a variable would be parsed again
for each of them.  What a task returns is never a template to Ansible.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.downpour.bundle.plugins.plugin_utils.record import Vars, settings_of

from bundle_spec.errors import DownpourError
from downpour_import import session
from downpour_import.playbook import events
from downpour_import.playbook.data import decode_data, load_data


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: Vars | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        try:
            path = Path(task_vars["playbook_dir"]) / "resources.yml"
            value = load_data(path)
            data = decode_data(value, str(path))
            settings = settings_of(task_vars)
            preflight = session.prepare(settings, data, session.connect_within_playbook(settings))
        except DownpourError as exc:
            events.emit("failed", type="preflight", name="", message=str(exc))
            return {**result, "failed": True, "msg": str(exc)}
        facts = {"downpour_data": value}
        return {**result, "changed": False, "taken": preflight.taken, "ansible_facts": facts}
