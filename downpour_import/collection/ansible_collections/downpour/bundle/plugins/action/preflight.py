"""Resolves what the bundle refers to on the target.  Always the first task of a run."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.downpour.bundle.plugins.plugin_utils.record import plain, settings_of

from bundle_spec.errors import DownpourError
from downpour_import import events, session


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        try:
            data = session.decode_data(plain(self._task.args.get("data")), "resources.yml")
            settings = settings_of(task_vars)
            found = session.prepare(settings, data, session.connect_by(settings))
        except DownpourError as exc:
            events.emit("failed", type="preflight", name="", message=str(exc))
            return {**result, "failed": True, "msg": str(exc)}
        return {**result, "changed": False, "taken": found.taken}
