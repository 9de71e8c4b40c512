"""ansible-playbook as a subprocess, and what it tells while it runs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from bundle_spec.errors import LocalError
from downpour_import.errors import RecreateError
from downpour_import.playbook import events
from downpour_import.run import runner

PLAYBOOK = """\
- name: Look at the environment
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Compare
      ansible.builtin.assert:
        that:
          - lookup('ansible.builtin.env', 'DOWNPOUR_TEST') == 'told'
          - lookup('ansible.builtin.env', 'BASH_ENV') == ''
          - ansible_check_mode
"""


@pytest.mark.parametrize(
    "name",
    ["HOME", "PATH", "LC_ALL", "OS_CLOUD", "OS_AUTH_URL", "https_proxy", "REQUESTS_CA_BUNDLE"],
)
def test_what_a_client_of_openstack_needs_passes(name: str) -> None:
    assert runner._passes(name)


@pytest.mark.parametrize(
    "name",
    [
        "ANSIBLE_LIBRARY",
        "ANSIBLE_CONFIG",
        "ANSIBLE_STRATEGY_PLUGINS",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "LD_PRELOAD",
        "BASH_ENV",
        "OS_CLIENT_CONFIG_FILE",
        "EDITOR",
        "os_cloud",
    ],
)
def test_what_changes_which_code_runs_does_not(name: str) -> None:
    assert not runner._passes(name)


def run(tmp_path: Path, text: str, **more: Any) -> runner.Result:
    return runner.run_playbook(
        {"site.yml": text.encode(), "inventory.ini": b"localhost ansible_connection=local\n"},
        log=tmp_path / "log",
        environment={"DOWNPOUR_TEST": "told"},
        check=more.pop("check", False),
        on_event=more.pop("on_event", lambda event: None),
    )


def test_a_playbook_that_is_none_ends_with_its_errors_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "no_such_callback")
    (tmp_path / "log").write_text("[ERROR]: of an earlier run\n")
    result = run(tmp_path, "- hosts: [\n")
    assert result.returncode != 0
    assert result.errors
    assert "earlier" not in " ".join(result.errors)
    text = result.log.read_text()
    assert text.startswith("[ERROR]: of an earlier run\n")
    assert "no_such_callback" not in text


def test_a_run_sees_the_variables_that_it_was_given_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASH_ENV", "evil")
    result = run(tmp_path, PLAYBOOK, check=True)
    assert (result.returncode, result.errors) == (0, ()), result.log.read_text()


def test_a_log_that_cannot_be_written_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot write"):
        run(tmp_path / "missing", PLAYBOOK)


def test_events_arrive_in_order_and_the_last_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    monkeypatch.setenv(events.VARIABLE, str(fifo))
    heard: list[dict[str, Any]] = []
    with runner._listening(fifo, heard.append):
        for number in range(50):
            events.emit("bytes", amount=number)
    assert heard == [{"event": "bytes", "amount": number} for number in range(50)]


def test_a_line_that_is_no_event_does_not_end_the_listening(tmp_path: Path) -> None:
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    heard: list[dict[str, Any]] = []
    with runner._listening(fifo, heard.append), fifo.open("wb", buffering=0) as pipe:
        for line in (b"garbage\n", b"[1]\n", b"{}\n", b'{"event": "bytes"}\n'):
            pipe.write(line)
    assert heard == [{"event": "bytes"}]


def test_a_long_text_is_cut_so_that_an_event_stays_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    monkeypatch.setenv(events.VARIABLE, str(fifo))
    heard: list[dict[str, Any]] = []
    with runner._listening(fifo, heard.append):
        events.emit("failed", type="network", name="n", message="x" * 10_000)
    (event,) = heard
    assert event["message"] == "x" * 200
    assert len(json.dumps(event)) < events.MAX_LINE


def test_nobody_listening_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(events.VARIABLE, raising=False)
    events.emit("resource")
    monkeypatch.setenv(events.VARIABLE, str(tmp_path / "none"))
    events.emit("resource")
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    monkeypatch.setenv(events.VARIABLE, str(fifo))
    begun = time.monotonic()
    events.emit("resource")
    assert time.monotonic() - begun < 2


HANGS = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "{{ lookup('ansible.builtin.pipe', 'sleep 600') }}"
"""


def test_a_playbook_of_which_nothing_is_heard_is_told_and_then_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(runner, "TELL_SILENCE", 6.0)
    monkeypatch.setattr(runner, "MOST_SILENCE", 15.0)
    heard: list[dict[str, Any]] = []
    with pytest.raises(RecreateError, match=r"did nothing for .* min, and was ended"):
        run(tmp_path, HANGS, on_event=heard.append)
    assert {event["event"] for event in heard} == {"note"}
    assert "nothing was heard of ansible-playbook" in heard[0]["message"]


def test_an_event_that_cannot_be_shown_does_not_block_the_playbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    monkeypatch.setenv(events.VARIABLE, str(fifo))

    def broken(event: dict[str, Any]) -> None:
        raise BrokenPipeError

    def much() -> None:
        with runner._listening(fifo, broken):
            for _ in range(100):  # more than a FIFO holds
                events.emit("note", message="x" * 2000)

    with pytest.raises(BrokenPipeError):
        much()
