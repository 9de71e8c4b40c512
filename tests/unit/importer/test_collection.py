"""The collection under the ansible-core that is installed: found, run, and told why it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec.model import Ref
from bundle_spec.playbook import static_files
from downpour_import.run import runner
from downpour_import.state.failures import Failure, Failures, Subject

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
        no_record = event["type"] in ("preflight", "outcome")
        told = "cannot read" if no_record else "does not have the form"
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


OUTCOME = b"""\
- name: Tell
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Outcome
      downpour.bundle.outcome:
"""
PORT = Subject(Ref("port", "p"), "front")
SERVER = Subject(Ref("server", "s"), "web")


def outcome(tmp_path: Path, heard: list[dict[str, Any]], *, check: bool = False) -> runner.Result:
    settings = f"state: {tmp_path}\n".encode()
    return runner.run_playbook(
        {
            "site.yml": OUTCOME,
            "settings.yml": settings,
            "inventory.ini": static_files()["inventory.ini"],
        },
        log=tmp_path / "log",
        environment={},
        check=check,
        on_event=heard.append,
    )


@pytest.mark.parametrize("check", [False, True])
def test_the_outcome_fails_with_all_that_was_not_made(tmp_path: Path, check: bool) -> None:
    failures = Failures(tmp_path)
    failures.begin(isolate=True)
    failures.add(Failure(PORT, "port", "quota exceeded"))
    failures.add(Failure(SERVER, "server", "it needs port 'front', which failed", PORT))
    heard: list[dict[str, Any]] = []
    result = outcome(tmp_path, heard, check=check)
    assert result.returncode == 2
    text = result.log.read_text()
    assert "the import is not complete" in text
    assert "port 'front': quota exceeded" in text
    assert "server 'web': not made: it needs port 'front', which failed" in text
    assert [event["event"] for event in heard] == ["outcome"]


def test_the_outcome_of_a_run_in_which_nothing_failed_is_good(tmp_path: Path) -> None:
    Failures(tmp_path).begin(isolate=True)
    heard: list[dict[str, Any]] = []
    assert outcome(tmp_path, heard).returncode == 0
    assert [event["event"] for event in heard] == ["outcome"]


def test_after_the_end_of_a_run_an_action_fails_and_says_nothing_of_its_own(
    tmp_path: Path,
) -> None:
    failures = Failures(tmp_path)
    failures.begin(isolate=True)
    failures.end("the target is gone")
    site = [
        {
            "name": "Try",
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Make",
                    "downpour.bundle.keypair": {"record": "{{ item }}"},
                    "loop": [{"id": "k", "name": "k", "public_key": "a"}] * 3,
                }
            ],
        }
    ]
    heard: list[dict[str, Any]] = []
    result = runner.run_playbook(
        {
            "site.yml": yaml.safe_dump(site).encode(),
            "settings.yml": f"state: {tmp_path}\n".encode(),
            "inventory.ini": static_files()["inventory.ini"],
        },
        log=tmp_path / "log",
        environment={},
        check=False,
        on_event=heard.append,
    )
    assert result.returncode == 2
    assert result.log.read_text().count("not tried, because the run has ended") >= 3
    assert heard == []
