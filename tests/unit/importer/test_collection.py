"""The collection under the ansible-core that is installed: found, run, and told why it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bundle_spec.playbook import static_files
from downpour_import.run import runner

PLUGINS = (
    Path(runner.__file__).parents[1] / "collection/ansible_collections/downpour/bundle/plugins"
)
ACTIONS = sorted(path.stem for path in (PLUGINS / "action").glob("*.py"))
RECORD = {"name": "a record that lacks all but its name"}


def failures(tmp_path: Path, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tasks, of which each must fail, told the importer while they ran."""
    heard: list[dict[str, Any]] = []
    run = {"name": "Try", "hosts": "localhost", "gather_facts": False, "ignore_errors": True}
    site = yaml.safe_dump([{**run, "tasks": tasks}]).encode()
    result = runner.run_playbook(
        {"site.yml": site, "inventory.ini": static_files()["inventory.ini"]},
        log=tmp_path / "log",
        environment={},
        check=False,
        on_event=heard.append,
    )
    assert result.returncode == 0, result.log.read_text()
    assert {event["event"] for event in heard} == {"failed"}
    return heard


def test_every_action_runs_and_says_why_it_failed(tmp_path: Path) -> None:
    tasks = [{"name": each, f"downpour.bundle.{each}": {"record": RECORD}} for each in ACTIONS]
    heard = failures(tmp_path, tasks)
    assert [event["type"] for event in heard] == ACTIONS
    for event in heard:
        told = "cannot read" if event["type"] == "preflight" else "does not have the form"
        assert told in event["message"]


def test_the_module_that_uploads_runs_and_says_why_it_failed(tmp_path: Path) -> None:
    kinds = ["image", "volume", "volume_snapshot"]
    tasks = [
        {
            "name": f"Upload {kind}",
            "downpour.bundle.upload": {"record": RECORD, "type": kind, "settings": "none.yml"},
        }
        for kind in kinds
    ]
    heard = failures(tmp_path, tasks)
    assert [event["type"] for event in heard] == kinds
    assert all("does not have the form" in event["message"] for event in heard)
    assert all(event["name"] == RECORD["name"] for event in heard)
