"""What all actions have in common."""

from __future__ import annotations

import functools
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
from downpour_import.errors import RunEnded
from downpour_import.playbook import events
from downpour_import.playbook.data import decode_data, load_data
from downpour_import.playbook.settings import load_settings, state_of
from downpour_import.recreate import Context, Outcome, ending_the_run, take_step
from downpour_import.state.failures import Failures

Vars = Mapping[str, Any]
"""Ansible's variables of a task."""


def plain(value: Any) -> Any:
    """``value`` as plain JSON types, without what Ansible remembers about it."""
    return json.loads(json.dumps(value))


def folder_of(task_vars: Vars | None) -> Path:
    """The directory of the playbook."""
    return Path((task_vars or {})["playbook_dir"])


# All items of a loop run in one process: each of these is read or opened once for them.


@functools.cache
def settings_of(folder: Path) -> Settings:
    return load_settings(folder / "settings.yml")


@functools.cache
def failures_of(folder: Path) -> Failures:
    return Failures(state_of(settings_of(folder)))


@functools.cache
def _resources_of(folder: Path) -> Resources:
    path = folder / "resources.yml"
    return decode_data(load_data(path), str(path)).resources


@functools.cache
def context_of(folder: Path) -> Context:
    resources = functools.partial(_resources_of, folder)
    return session.open_context(settings_of(folder), resources=resources)


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
            outcome = self._recreate(value, task_vars, check=self._task.check_mode)
        except DownpourError as exc:
            if not isinstance(exc, RunEnded):
                events.emit("failed", type=action, name=name, message=str(exc))
                self._tell_what_is_hidden(f"{action} {name!r}: {exc}")
            return {**result, "failed": True, "msg": str(exc)}
        told = {"state": outcome.state, "message": outcome.message}
        events.emit("resource", type=action, name=name, **told)
        if outcome.message:
            what = f"{action} {name!r}".replace("_", " ")
            self._display.error(f"{what} {outcome.verb}: {outcome.message}")
        return {**result, "changed": outcome.changed, "id": outcome.target, **told}

    def _tell_what_is_hidden(self, text: str) -> None:
        """Ansible hides a result with its record; why it failed is no secret."""
        if self._task.no_log:
            self._display.error(text)

    def _recreate(self, value: Any, task_vars: Vars | None, *, check: bool) -> Outcome:
        section = codec.decode(Resources, {self.resource + "s": [value]}, "record")
        (record,) = section
        action, folder = self.step or self.resource, folder_of(task_vars)
        with ending_the_run(failures_of(folder)):
            return take_step(context_of(folder), action, record, check=check)
