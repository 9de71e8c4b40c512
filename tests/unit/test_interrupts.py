"""Signals, and streams that are gone, as a whole program meets them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

import bundle_spec
from bundle_spec.cli import interrupts
from bundle_spec.errors import INTERRUPTED_EXIT_CODE, UNREAD_EXIT_CODE

BEGIN = """
import os, signal, sys, time
from bundle_spec.cli.interrupts import begin

def program(work):
    def main():
        from bundle_spec.cli.console import TerminalProgress, run, tell
        progress = TerminalProgress()
        return run(lambda: work(tell, progress), progress, interrupted="go on")
    sys.exit(begin(main))

def send(number, pause=0.0):
    os.kill(os.getpid(), number)
    time.sleep(pause)
"""


def run(program: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), **more.pop("env", {})}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", BEGIN + program]
    return subprocess.run(command, text=True, env=environment, timeout=60, **{**streams, **more})


def test_the_codes_are_those_of_the_error_tree() -> None:
    assert interrupts.EXIT_CODE == INTERRUPTED_EXIT_CODE


def test_the_face_of_the_format_is_there_though_it_is_loaded_late() -> None:
    assert set(bundle_spec._ROOMS) == set(bundle_spec.__all__)
    assert all(hasattr(bundle_spec, name) for name in bundle_spec.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bundle_spec.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["bundle_spec", "downpour_export", "downpour_import"])
def test_the_handlers_stand_before_anything_slow_is_imported(module: str) -> None:
    done = run(
        "import sys; before = set(sys.modules)\n"
        f"import {module}.__main__\n"
        "slow = {'openstack', 'requests', 'yaml', 'sqlite3', 'zstandard', 'docopt', 'json'}\n"
        "print(sorted(slow & (set(sys.modules) - before)))"
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_run_is_one_sentence(number: int) -> None:
    done = run(f"begin(lambda: send({int(number)}, 5))")
    assert done.returncode == 130
    assert done.stderr == "interrupted: nothing was begun; run the same command again\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_run_says_how_to_go_on(number: int) -> None:
    done = run(f"program(lambda tell, progress: send({int(number)}, 5))")
    assert (done.returncode, done.stderr) == (130, "interrupted: go on\n")


def test_one_that_was_switched_off_stays_off() -> None:
    """As nohup does."""
    done = run("program(lambda tell, progress: send(1))", preexec_fn=_without_hangups)
    assert (done.returncode, done.stderr) == (0, "")


def _without_hangups() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_signal_after_the_last_word_leaves_the_exit_code(tmp_path: Any) -> None:
    done = run("import atexit; atexit.register(send, 15, 5)\nprogram(lambda tell, progress: 9)")
    assert (done.returncode, done.stderr) == (9, "")


def test_one_that_python_drops_comes_again() -> None:
    done = run(
        "class Freed:\n"
        "    def __del__(self): send(2, 0.1)\n"
        "def work(tell, progress):\n"
        "    Freed()\n"
        "    time.sleep(30)\n"
        "program(work)"
    )
    assert (done.returncode, done.stderr) == (130, "interrupted: go on\n")


def test_whoever_stops_reading_ends_the_output_and_not_the_work(tmp_path: Any) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(
        "def work(tell, progress):\n"
        "    for n in range(3): tell('line ' * 9999)\n"
        f"    open({str(tmp_path / 'done')!r}, 'w').close()\n"
        "program(work)",
        stdout=writer,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (UNREAD_EXIT_CODE, "")
    assert (tmp_path / "done").exists()


def test_an_output_that_cannot_be_written_is_an_error_in_words() -> None:
    with open("/dev/full", "w") as full:
        done = run("program(lambda tell, progress: tell('result'))", stdout=full)
    assert done.returncode == 12
    told = "error: stdout: cannot write the output: No space left on device"
    assert done.stderr.startswith(told)


def test_talk_that_nobody_hears_changes_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    work = (
        "def work(tell, progress):\n"
        "    for n in range(3): progress.say('talk ' * 9999)\n"
        "    tell('result')\n"
        "program(work)"
    )
    done = run(work, stderr=writer)
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, "result\n")


@pytest.mark.parametrize("closed", [(2,), (0, 1, 2)])
def test_a_stream_that_was_closed_is_not_the_next_file_that_is_opened(
    tmp_path: Any, closed: tuple[int, ...]
) -> None:
    path = tmp_path / "bundle"

    def close() -> None:
        for number in closed:
            os.close(number)

    done = run(
        "def work(tell, progress):\n"
        f"    with open({str(path)!r}, 'w') as file:\n"
        "        progress.say('talk'); tell('result'); file.write('data')\n"
        "program(work)",
        preexec_fn=close,
    )
    assert done.returncode == 0
    assert path.read_text() == "data"
