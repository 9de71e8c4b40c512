"""The three programs, and a line that is right for each of their commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bundle_spec.cli.alone
import downpour_export.cli
import downpour_export.usage
import downpour_import.cli
import downpour_import.usage
from bundle_spec.cli import usage
from bundle_spec.cli.command_text import CommandText, Option
from bundle_spec.cli.program import Program

MAINS: dict[str, Callable[[Sequence[str]], int]] = {
    "python -m bundle_spec": bundle_spec.cli.alone.main,
    "downpour-export": downpour_export.cli.main,
    "downpour-import": downpour_import.cli.main,
}
PROGRAMS = (usage.PROGRAM, downpour_export.usage.PROGRAM, downpour_import.usage.PROGRAM)
COMMANDS = [(program, command) for program in PROGRAMS for command in program.commands.values()]


def name(value: object) -> str | None:
    """What pytest calls a parameter."""
    return value.name if isinstance(value, (Program, CommandText)) else None


def line(command: CommandText, *options: str) -> list[str]:
    """The command with all the arguments that it needs, and these options before them."""
    return [command.name, *options, *(f"a-{each.lower()}" for each in command.arguments)]


def given(option: Option) -> list[str]:
    return [option.name] if option.metavar is None else [option.name, "value"]
