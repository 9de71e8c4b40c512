"""The steps of the playbook in their order, for tests that take them without Ansible."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from bundle_spec.model import Image, Resource, Resources, Volume
from bundle_spec.playbook import static_files
from downpour_import.recreate import Context, Outcome, ending_the_run, take_step, upload_disk


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
