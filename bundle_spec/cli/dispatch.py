"""Run the command that a command line names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from bundle_spec.cli.arguments import Arguments, asked_text, parse
from bundle_spec.cli.console import TerminalProgress, run, tell_as_it_is
from bundle_spec.cli.program import Program

Action = Callable[[Arguments, TerminalProgress], None]


def dispatch(
    program: Program,
    actions: Mapping[str, Action],
    argv: Sequence[str] | None,
    *,
    interrupted: str,
) -> int:
    """Run the command that ``argv`` names, or print the help that it asks for.

    Returns the exit code.

    ``actions``: one for each command of the program.  ``interrupted``: see ``run``.
    """

    def work() -> None:
        words = sys.argv[1:] if argv is None else argv
        text = asked_text(program, words)
        if text is not None:
            tell_as_it_is(text)
            return
        parsed = parse(program, words)
        progress = TerminalProgress(quiet=parsed.arguments["--quiet"])
        actions[parsed.command](parsed.arguments, progress)

    return run(work, TerminalProgress(), interrupted=interrupted)
