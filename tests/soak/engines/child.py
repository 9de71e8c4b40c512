"""A command of downpour in a forked process that has imported everything already.

It runs the real command line with real files, journal, signals and HTTP.  Only the start of Python
and Ansible is spared: the steps of the playbook are taken in the same process, one after the other.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import downpour_export.cli
import downpour_import.cli
from bundle_spec.cli.interrupts import begin
from downpour_cloud import session as requests_session
from downpour_export.capture import download, lost
from downpour_export.capture.cancel import Polling
from downpour_import import pipeline, undo
from downpour_import import session as import_session
from downpour_import.recreate import patience
from downpour_import.run.runner import Result
from tests.unit.importer import site

PROGRAMS = {
    "downpour-export": downpour_export.cli.main,
    "downpour-import": downpour_import.cli.main,
}


def run(words: Sequence[str], cwd: str, environment: Mapping[str, str], log: str) -> None:
    """The command ``words``; its output goes to ``log`` + ``.out`` and ``.err``.  Never returns."""
    os.setsid()
    _redirect(Path(log))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    _without_long_pauses()
    pipeline.import_bundle = functools.partial(pipeline.import_bundle, play=_play)
    sys.argv = list(words)
    sys.exit(begin(functools.partial(PROGRAMS[words[0]], words[1:])))


def _redirect(log: Path) -> None:
    for descriptor, name in ((1, ".out"), (2, ".err")):
        file = os.open(f"{log}{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _without_long_pauses() -> None:
    """Clouds in memory are ready after a number of requests, not after a time."""
    Polling.FIRST = Polling.LONGEST = 0.002
    download.PAUSE = 0
    requests_session.LONGEST_PAUSE = 0.02
    # A request of a killed command is through, or is lost, when that command has gone.
    for room in (lost, import_session, undo):
        vars(room)["LATE_SECONDS"] = 0.2
    vars(patience)["sleep"] = lambda _: time.sleep(0.005)


def _play(playbook: Mapping[str, bytes], **how: Any) -> Result:
    named = {name: how[name] for name in ("log", "check", "on_event")}
    return site.play(playbook, import_session.connect_within_playbook, **named)
