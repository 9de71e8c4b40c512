"""ansible-playbook as a subprocess with a clean environment, and the events that it sends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from time import monotonic
from typing import IO, Any

from bundle_spec.medium import local_error
from bundle_spec.private import open_own
from downpour_import.errors import RecreateError
from downpour_import.playbook import events
from downpour_import.source.unpack import COLLECTIONS, write_files

OnEvent = Callable[[dict[str, Any]], None]

# What a client of OpenStack, Python's TLS and a terminal need.  Nothing of ANSIBLE_*, PYTHON*,
# LD_* passes: they would change which code runs.
_PASSED = frozenset(
    "HOME PATH LANG LC_ALL LC_CTYPE TZ TMPDIR USER LOGNAME XDG_CONFIG_HOME SSL_CERT_FILE "
    "SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE http_proxy https_proxy no_proxy HTTP_PROXY "
    "HTTPS_PROXY NO_PROXY".split()
)
_CONFIG = """\
[defaults]
inventory = inventory.ini
retry_files_enabled = False
nocows = True
localhost_warning = False
deprecation_warnings = False
collections_scan_sys_path = False
internal_poll_interval = 0.01
"""
"""Ansible polls for results every millisecond by default, which only costs CPU here."""
_FORKS = 4

LOOK_EVERY, TELL_SILENCE, MOST_SILENCE = 5.0, 300.0, 3600.0
"""Seconds: how often the playbook is looked at, and for how long it may neither send an event nor
write a line.  Each wait of ours within it is shorter, and tells after a minute."""


@dataclass(frozen=True)
class Result:
    """``returncode`` of ansible-playbook; ``log``: the file of all its output.

    ``errors``: what Ansible itself called an error in this run.
    """

    returncode: int
    log: Path
    errors: tuple[str, ...]


def run_playbook(
    playbook: Mapping[str, bytes],
    *,
    log: Path,
    environment: Mapping[str, str],
    check: bool,
    on_event: OnEvent,
    lock: int | None = None,
    forks: int | None = None,
    tags: Sequence[str] = (),
) -> Result:
    """Run ``site.yml`` of ``playbook`` (path -> bytes) in a fresh private directory.

    ``environment``: variables of this run on top of the passed ones.  An interrupt is handed on
    to the playbook, which is waited for.  ``lock``: a descriptor whose lock the playbook holds
    too, so that no second run begins while an orphan of a killed one still ends.  ``forks``: lanes
    that must run at once.  ``tags``: only these steps; none: all.  Raises LocalError.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="downpour-")))
        collections = stack.enter_context(as_file(files("downpour_import") / COLLECTIONS))
        config = f"{_CONFIG}forks = {max(forks or 0, _FORKS)}\n"
        write_files(folder, {**playbook, "ansible.cfg": config.encode()})
        fifo = folder / "events"
        os.mkfifo(fifo, 0o600)
        env = {name: value for name, value in os.environ.items() if _passes(name)} | {
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONSAFEPATH": "1",
            "PYTHONUNBUFFERED": "1",
            events.VARIABLE: str(fifo),
            **environment,
        }
        command = [sys.executable, "-m", "downpour_import.run.playbook_process", str(os.getpid())]
        command.append("site.yml")
        if check:
            command.append("--check")
        if tags:
            command += ["--tags", ",".join(tags)]
        try:
            fd = open_own(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            output = stack.enter_context(open(fd, "ab"))
        except OSError as exc:
            raise local_error("cannot write", exc, log) from exc
        heard = _Heard(output, log, on_event)
        with _listening(fifo, heard.on_event):
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
            )
            start = output.tell()
            returncode = _wait(process, heard)
        return Result(returncode, log, tuple(_errors(log, start)))


def _errors(log: Path, start: int) -> Iterator[str]:
    with open(open_own(log), "rb") as file:
        file.seek(start)
        for line in file:
            text = line.decode(errors="replace").strip()
            for mark in ("[ERROR]: ", "ERROR! "):
                if text.startswith(mark):
                    yield text.removeprefix(mark)


def _passes(name: str) -> bool:
    return name in _PASSED or (name.startswith("OS_") and name != "OS_CLIENT_CONFIG_FILE")


class _Heard:
    """When the playbook was last heard of: by an event, or by its log."""

    def __init__(self, output: IO[bytes], log: Path, on_event: OnEvent) -> None:
        self._output, self._log, self._on_event = output, log, on_event
        self._size = 0
        self._last = self._told = monotonic()

    def on_event(self, event: dict[str, Any]) -> None:
        self._last = monotonic()
        self._on_event(event)

    def look(self) -> None:
        """Tell of a long silence.  Raises RecreateError after a very long one."""
        size = os.fstat(self._output.fileno()).st_size
        if size != self._size:
            self._size, self._last = size, monotonic()
        silent = monotonic() - self._last
        if silent > MOST_SILENCE:
            raise RecreateError(
                f"ansible-playbook did nothing for {silent / 60:.0f} min, and was ended",
                where=str(self._log),
                remedy="run the same command again",
            )
        if silent > TELL_SILENCE and monotonic() - self._told > TELL_SILENCE:
            self._told = monotonic()
            text = (
                f"nothing was heard of ansible-playbook for {silent / 60:.0f} min; see {self._log}"
            )
            self._on_event({"event": "note", "message": text})


def _wait(process: subprocess.Popen[bytes], heard: _Heard) -> int:
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_EVERY)
            heard.look()
    except BaseException:
        # The run may stop at any moment: the next one goes on from the journal.
        for wait, how in ((20, signal.SIGINT), (5, signal.SIGTERM), (5, signal.SIGKILL)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait)
                break
        raise


@contextlib.contextmanager
def _listening(fifo: Path, on_event: OnEvent) -> Iterator[None]:
    """Hand every event to ``on_event``, in a thread, until the block ends."""
    # Opened for both directions it always has a writer, so that no read ends before the run.
    descriptor = os.open(fifo, os.O_RDWR)

    errors: list[Exception] = []

    def listen() -> None:
        with os.fdopen(descriptor, "rb", closefd=False) as lines:
            for line in lines:
                # Go on whatever happens: a FIFO that nobody reads would block the playbook.
                try:
                    event = json.loads(line)
                    if event["event"] == "end":
                        return
                    if not errors:
                        on_event(event)
                except (ValueError, KeyError, TypeError):
                    continue
                except Exception as exc:
                    errors.append(exc)

    thread = threading.Thread(target=listen, name="events", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.write(descriptor, b'{"event": "end"}\n')
        thread.join()
        os.close(descriptor)
    if errors:
        raise errors[0]
