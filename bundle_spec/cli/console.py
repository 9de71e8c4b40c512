"""The terminal, as all command lines use it: progress bars, questions, errors and exit codes.

Results go to stdout, everything else to stderr.  Only command lines import this module.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, TextIO

from bundle_spec.cli.interrupts import interrupts
from bundle_spec.cli.streams import is_terminal, output, talk
from bundle_spec.errors import (
    INTERRUPTED_EXIT_CODE,
    UNREAD_EXIT_CODE,
    DownpourError,
    LocalError,
    UsageError,
)
from bundle_spec.medium import is_of_medium, local_error
from bundle_spec.progress import Task, Unit
from bundle_spec.text import human_bytes as human_bytes
from bundle_spec.text import printable, printable_lines, wrapped

if TYPE_CHECKING:
    from tqdm import tqdm

SILENCE = 60.0
"""Seconds between two lines about a step that goes on, where there are no bars."""

DEBUG_VARIABLE = "DOWNPOUR_DEBUG"
"""Set it to see the traceback of an exception that is no DownpourError."""

_PACKAGES = {"docopt": "docopt-ng", "pyrage": "pyrage", "yaml": "PyYAML", "zstandard": "zstandard"}
"""Module -> package, of those that ``python -m bundle_spec`` needs for some commands only."""


def run(main: Callable[[], int | None], progress: TerminalProgress, *, interrupted: str) -> int:
    """Run a command and return its exit code.  An error is printed in words, without a traceback.

    ``interrupted``: what a person should know after Ctrl-C, SIGTERM or SIGHUP.
    """
    output.unread = False
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that this terminal's encoding does not have must not end a command.
        sys.stdout.reconfigure(errors="backslashreplace")
    with interrupts.raised(interrupted):
        try:
            code = _code_of(main, progress, interrupted)
            interrupts.end(code)
        except KeyboardInterrupt:  # while it told how the command had ended
            code = INTERRUPTED_EXIT_CODE
            interrupts.end(code)
            progress.say(f"interrupted: {interrupted}")
    return code


def _code_of(main: Callable[[], int | None], progress: TerminalProgress, interrupted: str) -> int:
    try:
        code = main() or 0
        output.flush()
        return UNREAD_EXIT_CODE if output.unread and not code else code
    except DownpourError as exc:
        progress.say_lines(f"error: {exc}")
        return exc.exit_code
    except KeyboardInterrupt:
        progress.say(f"interrupted: {interrupted}")
        return INTERRUPTED_EXIT_CODE
    except Exception as exc:
        if isinstance(exc, OSError) and is_of_medium(exc):
            return _medium_failed(exc, progress)
        if isinstance(exc, ModuleNotFoundError) and exc.name in _PACKAGES:
            package = _PACKAGES[exc.name]
            progress.say(f"error: the package {package} is missing (pip install {package})")
            return LocalError.exit_code
        if os.environ.get(DEBUG_VARIABLE):
            raise
        progress.say(
            f"error: a fault of downpour itself: {type(exc).__name__}: {exc} "
            f"(please report it; {DEBUG_VARIABLE}=1 shows where it happened)"
        )
        return DownpourError.exit_code


def _medium_failed(exc: OSError, progress: TerminalProgress) -> int:
    error = local_error("cannot read or write", exc, exc.filename or "a file")
    progress.say_lines(f"error: {error}")
    return error.exit_code


def columns(stream: TextIO | None = None) -> int | None:
    """The width of the terminal that ``stream`` (None: stdout) is; None where it is none, and no
    line is wrapped."""
    return shutil.get_terminal_size().columns if is_terminal(stream or sys.stdout) else None


def tell(text: str) -> None:
    """Print lines for people to stdout, on a terminal wrapped between words.

    Whoever makes lines of data puts it through ``printable`` or ``as_word`` first, so that it makes
    none of its own; here it is only kept from driving the terminal.
    """
    output.write(wrapped(printable_lines(text), columns()) + "\n")


def tell_as_it_is(text: str) -> None:
    """The same for lines that are not to be wrapped: a command, JSON, a help text."""
    output.write(printable_lines(text) + "\n")


def agreed(question: str) -> bool:
    """Whether the person at the terminal answers yes.  Raises UsageError where stdin is none."""
    if not is_terminal(sys.stdin):
        raise UsageError(
            "confirmation needed, but stdin is not a terminal",
            remedy="add --yes to do what is listed",
        )
    output.flush()  # what is asked about stands above
    talk.write(f"{printable(question)} [y/N] ")
    talk.flush()
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except OSError:  # the terminal has gone
        return False


class TerminalProgress:
    """Bars on a terminal; elsewhere a line for each step that ends, and a line a minute for each
    step that goes on."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        # The format alone works without tqdm, and then without bars.
        self._bars = talk.isatty() and not quiet and find_spec("tqdm") is not None
        self._lock = threading.Lock()
        self._open: set[_Step] = set()
        self._ticker: threading.Thread | None = None

    def task(self, label: str, total: int | None, unit: Unit) -> Task:
        return _Step(self, printable(label), total, unit)

    def say(self, text: str) -> None:
        self.say_lines(printable(text))

    def say_lines(self, text: str) -> None:
        """Say several lines; line feeds in ``text`` are ours."""
        text = wrapped(printable_lines(text), columns(sys.stderr))
        with self._lock:
            if not self._bars:
                talk.write(f"{text}\n")
                return
            from tqdm import tqdm

            # tqdm leaves the cursor at the end of a line when it takes a lower bar away.
            tqdm.write(f"\r{text}", file=talk)

    def note(self, text: str) -> None:
        if not self._quiet:
            self.say(text)

    def bar(self, label: str, total: int | None, unit: Unit) -> tqdm[Any] | None:
        if not self._bars:
            return None
        from tqdm import tqdm

        # A label is tenant text: it is shown as it is, and tqdm's own format never sees it.
        return tqdm(
            total=total,
            file=talk,
            desc=label[:40],
            unit="iB" if unit == "bytes" else "",
            unit_scale=unit == "bytes",
            unit_divisor=1024,
            leave=False,
            dynamic_ncols=True,
            bar_format=_bar_format(total, unit),
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
        """Show again and again that open steps go on, also those that only wait for a cloud."""
        while True:
            time.sleep(1 if self._bars else SILENCE)
            with self._lock:
                steps = list(self._open)
                for step in steps:
                    if step.bar is not None:
                        step.bar.refresh()
            if not self._bars:
                for step in steps:
                    self.say(f"{step.summary()} so far")

    def done(self, step: _Step) -> None:
        self.note(step.summary())


def _bar_format(total: int | None, unit: Unit) -> str | None:
    """None: tqdm's own, with a rate, which means something for bytes only."""
    match unit:
        case "bytes":
            return None
        case "resources" if total is None:
            return "{desc}: {n_fmt} [{elapsed}]"
        case "resources":
            return "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}]"
        case "time":
            return "{desc}: {elapsed}"


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

    def summary(self) -> str:
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
