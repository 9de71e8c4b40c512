"""The steps of the playbook in their order, for tests that take them without Ansible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bundle_spec.errors import DownpourError
from bundle_spec.model import Image, Resource, Resources, Volume
from bundle_spec.model.playbook import Settings
from bundle_spec.playbook import static_files
from downpour_import import session
from downpour_import.cloud import TargetCloud
from downpour_import.playbook.data import decode_data, parse_data
from downpour_import.playbook.settings import load_settings
from downpour_import.recreate import Context, Outcome, ending_the_run, take_step, upload_disk
from downpour_import.run.runner import OnEvent, Result


def play(
    playbook: Mapping[str, bytes],
    connect: Callable[[Settings], TargetCloud],
    *,
    log: Path,
    check: bool,
    on_event: OnEvent,
) -> Result:
    """What ``run_playbook`` does, but in this process and without Ansible."""
    settings_file = log.with_name("settings.yml")
    settings_file.write_bytes(playbook["settings.yml"])
    settings = load_settings(settings_file)
    data = decode_data(parse_data(playbook["resources.yml"], "data"), "data")
    cloud = connect(settings)
    session.prepare(settings, data, cloud, isolate=True)
    here = session.open_context(settings, cloud, lambda: data.resources)
    for action, record in steps(data.resources):
        try:
            outcome = take(here, action, record, check=check)
        except DownpourError as exc:
            told = {"type": action, "name": record.name, "message": str(exc)}
            on_event({"event": "failed", **told})
            return Result(2, log, ())
        event = "uploaded" if action == "upload" else "resource"
        kind = record.type if action == "upload" else action
        told = {"state": outcome.state, "message": outcome.message}
        on_event({"event": event, "type": kind, "id": record.id, "name": record.name, **told})
    on_event({"event": "outcome"})
    return Result(2 if here.failures.all() else 0, log, ("told by Ansible",))


def steps(resources: Resources) -> Iterator[tuple[str, Resource]]:
    """(action, record), as ``site.yml`` takes them with one lane."""
    files = static_files()
    for play in yaml.safe_load(files["site.yml"]):
        for part in play["tasks"]:
            for task in yaml.safe_load(files[part["ansible.builtin.import_tasks"]]):
                action = next(key for key in task if key.startswith("downpour.bundle."))
                for record in _loop(task, resources):
                    yield action.removeprefix("downpour.bundle."), record


def _loop(task: Any, resources: Resources) -> Iterator[Resource]:
    found = re.search(r"downpour_data\.resources\.(\w+)", task.get("loop", ""))
    for record in getattr(resources, found[1]) if found else ():
        if "when" not in task or record.disk_id is not None:
            yield record


def take(context: Context, action: str, record: Resource, *, check: bool = False) -> Outcome:
    """What the action or module does."""
    with ending_the_run(context.failures):
        if action == "upload":
            assert isinstance(record, (Image, Volume))
            return upload_disk(context, record, lambda amount: None, check=check)
        return take_step(context, action, record, check=check)
