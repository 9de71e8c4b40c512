"""The edge that the command lines share: docopt in, bars, errors and exit codes out.

stdout is data, stderr is talk.  Nothing but a command line imports this module.
"""

from __future__ import annotations

import difflib
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from types import FrameType
from typing import Any, Self

from docopt import DocoptExit, docopt
from tqdm import tqdm

from bundle_spec.errors import INTERRUPTED_EXIT_CODE, DownpourError, UsageError
from bundle_spec.progress import Task, Unit
from bundle_spec.text import human_bytes as human_bytes
from bundle_spec.text import printable

SILENCE = 60.0
"""Seconds after which a step that goes on is told of, where there are no bars."""

DEBUG_VARIABLE = "DOWNPOUR_DEBUG"
"""Set it to see the traceback of what is not an error of the tree."""


def parse(doc: str, argv: Sequence[str] | None) -> dict[str, Any]:
    """The arguments of a command line whose help text is ``doc``.

    ``--help`` and ``--version`` print and exit.  Raises UsageError.
    """
    try:
        return dict(docopt(doc, argv, version=f"downpour {version('downpour')}"))
    except DocoptExit as exc:
        usage = doc[doc.index("Usage:") :].split("\n\n")[0]
        reason = _unknown_option(doc, argv) or _unknown_command(doc, argv)
        reason = reason or "these arguments fit none of the patterns below"
        raise UsageError(f"{reason}\n{usage}\nSee --help for all options") from exc


def _unknown_option(doc: str, argv: Sequence[str] | None) -> str | None:
    """What to say of an option that the help text does not have; docopt's words are its own."""
    known = re.findall(r"--[a-z-]+", doc)
    for word in sys.argv[1:] if argv is None else argv:
        option = word.partition("=")[0]
        if option.startswith("--") and not any(each.startswith(option) for each in known):
            near = difflib.get_close_matches(option, known, n=1)
            return f"unknown option {option}" + (f"; did you mean {near[0]}?" if near else "")
    return None


def _unknown_command(doc: str, argv: Sequence[str] | None) -> str | None:
    """What to say of a first word that is nearly one of the commands."""
    words = [word for word in (sys.argv[1:] if argv is None else argv) if not word.startswith("-")]
    commands = re.findall(r"^  [\w-]+ ([a-z]+) ", doc, re.M)
    near = difflib.get_close_matches(words[0], commands, n=1, cutoff=0.7) if words else []
    if not near or words[0] in commands:
        return None
    return f"{words[0]!r} is no command; did you mean {near[0]}?"


def run(main: Callable[[], int | None], progress: TerminalProgress, *, interrupted: str) -> int:
    """Run a command; its exit code.  An error is told in words, never as a traceback.

    ``interrupted``: what a person should know after Ctrl-C or SIGTERM.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that this terminal's encoding does not have must not end a command.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return main() or 0
    except DownpourError as exc:
        progress.note(f"error: {exc}")
        return exc.exit_code
    except KeyboardInterrupt:
        progress.note(f"interrupted: {interrupted}")
        return INTERRUPTED_EXIT_CODE
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; nobody is left to tell
        return INTERRUPTED_EXIT_CODE
    except Exception as exc:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        progress.note(
            f"error: a fault of downpour itself: {type(exc).__name__}: {exc} "
            f"(please report it; {DEBUG_VARIABLE}=1 shows where it happened)"
        )
        return DownpourError.exit_code


def agreed(question: str) -> bool:
    """Ask the person at the terminal.  Raises UsageError where nobody is."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked", remedy="add --yes to do what is listed")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class TerminalProgress:
    """Bars on a terminal; elsewhere one line for each step that is done, and one a minute for a
    step that goes on."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars = sys.stderr.isatty() and not quiet
        self._lock = threading.Lock()
        self._open: set[_Step] = set()
        self._ticker: threading.Thread | None = None

    def task(self, label: str, total: int | None, unit: Unit) -> Task:
        return _Step(self, printable(label), total, unit)

    def note(self, text: str) -> None:
        # tqdm leaves the cursor at the end of a line when it takes a lower bar away.
        start = "\r" if self._bars else ""
        with self._lock:
            tqdm.write(start + "\n".join(map(printable, text.split("\n"))), file=sys.stderr)

    def bar(self, label: str, total: int | None, unit: Unit) -> tqdm[Any] | None:
        if not self._bars:
            return None
        # A label is tenant text: it is shown as it is, and tqdm's own format never sees it.
        return tqdm(
            total=total,
            desc=label[:40],
            unit="B" if unit == "bytes" else "",
            unit_scale=unit == "bytes",
            unit_divisor=1024,
            leave=False,
            dynamic_ncols=True,
            bar_format="{desc}: {elapsed}" if unit == "time" else None,
        )

    def begin(self, step: _Step) -> None:
        with self._lock:
            self._open.add(step)
            if self._ticker is None and not self._quiet:
                self._ticker = threading.Thread(target=self._tick, name="clock", daemon=True)
                self._ticker.start()

    def end(self, step: _Step) -> None:
        with self._lock:
            self._open.discard(step)
            if step.bar is not None:
                step.bar.close()

    def _tick(self) -> None:
        """Show that steps that wait for a cloud are alive: what stands still looks dead."""
        while True:
            time.sleep(1 if self._bars else SILENCE)
            with self._lock:
                steps = list(self._open)
                for step in steps:
                    if step.bar is not None:
                        step.bar.refresh()
            if not self._bars:
                for step in steps:
                    self.note(f"{step.told()} so far")

    def done(self, step: _Step) -> None:
        if not self._quiet:
            self.note(step.told())


class _Step:
    def __init__(self, progress: TerminalProgress, label: str, total: int | None, unit: Unit):
        self._progress = progress
        self._label = label
        self._unit = unit
        self._amount = 0
        self._start = time.monotonic()
        self.bar = progress.bar(label, total, unit)
        progress.begin(self)

    def advance(self, amount: int) -> None:
        self._amount += amount
        if self.bar is not None:
            self.bar.update(amount)

    def told(self) -> str:
        seconds = f"{time.monotonic() - self._start:.1f} s"
        if self._unit == "time":
            return f"{self._label}: {seconds}"
        amount = human_bytes(self._amount) if self._unit == "bytes" else str(self._amount)
        return f"{self._label}: {amount} in {seconds}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.end(self)
        if exc[0] is None:
            self._progress.done(self)
