"""What all actions have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase

from bundle_spec.errors import DownpourError
from bundle_spec.form import codec
from bundle_spec.model.playbook import Settings
from bundle_spec.model.resources import Resources
from downpour_import import session
from downpour_import.playbook import events
from downpour_import.playbook.settings import load_settings
from downpour_import.recreate import RECREATORS, STEPS, Context, Outcome, recreate

Vars = Mapping[str, Any]
"""Ansible's variables of a task."""

_contexts: dict[str, Context] = {}


def plain(value: Any) -> Any:
    """``value`` as plain JSON types, without what Ansible remembers about it."""
    return json.loads(json.dumps(value))


def settings_of(task_vars: Vars) -> Settings:
    return load_settings(Path(task_vars["playbook_dir"]) / "settings.yml")


def context_of(task_vars: Vars) -> Context:
    """One connection for all items of a loop, which run in one process."""
    path = task_vars["playbook_dir"]
    if path not in _contexts:
        _contexts[path] = session.open_context(settings_of(task_vars))
    return _contexts[path]


class RecordAction(ActionBase):
    """An action over one record.  A subclass names the ``resource``, and a later ``step`` of it."""

    resource: ClassVar[str]
    step: ClassVar[str | None] = None

    def run(self, tmp: str | None = None, task_vars: Vars | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        value = plain(self._task.args.get("record"))
        name = str(value.get("name")) if isinstance(value, dict) else ""
        action = self.step or self.resource
        try:
            outcome = self._recreate(value, task_vars or {}, check=self._task.check_mode)
        except DownpourError as exc:
            events.emit("failed", type=action, name=name, message=str(exc))
            if self._task.no_log:
                # Ansible hides the result with the record; why it failed is no secret.
                self._display.error(f"{action} {name!r}: {exc}")
            return {**result, "failed": True, "msg": str(exc)}
        events.emit("resource", type=action, name=name, state=outcome.state)
        return {
            **result,
            "changed": outcome.changed,
            "state": outcome.state,
            "id": outcome.target,
        }

    def _recreate(self, value: Any, task_vars: Vars, *, check: bool) -> Outcome:
        section = codec.decode(Resources, {self.resource + "s": [value]}, "record")
        (record,) = section
        context = context_of(task_vars)
        if self.step:
            return STEPS[self.step](context, record, check=check)
        return recreate(RECREATORS[self.resource], context, record, check=check)
