"""A program: its commands, and the help that is made of their texts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

from bundle_spec.cli.command_text import CommandText, Option

WIDTH = 80
"""Columns of help texts: those of a terminal of the usual size."""

HELP = "help"
VERSION = "--version"


@dataclass(frozen=True)
class Sister:
    """Another program of downpour, by the names of the commands and options that it has."""

    name: str
    commands: tuple[str, ...]
    options: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """``texts``: the docopt text of each command.  ``default``: the command that is meant where
    none is named.  ``notes``: how the help of the program ends.  ``manual``: what the manual says
    besides, title -> paragraph.  ``sisters``: whose commands and options are easily taken for this
    program's."""

    name: str
    summary: str
    texts: tuple[str, ...]
    default: str | None = None
    notes: str = ""
    manual: Mapping[str, str] = field(default_factory=dict)
    sisters: tuple[Sister, ...] = ()

    @cached_property
    def commands(self) -> Mapping[str, CommandText]:
        """Name -> command, in the order of the help."""
        commands = map(CommandText, self.texts)
        return {command.name: command for command in commands}

    @cached_property
    def options(self) -> Mapping[str, Option]:
        """All options of all commands.  A test checks that a name means the same in every command,
        except whether it may be repeated."""
        commands = self.commands.values()
        return {name: option for command in commands for name, option in command.options.items()}

    def long_name(self, short: str) -> str:
        """The long name of ``-q``; ``-q`` itself where there is none."""
        options = self.options.values()
        return next((option.name for option in options if option.short == short), short)

    def commands_with(self, option: str) -> list[str]:
        """The commands that take the option."""
        return [name for name, command in self.commands.items() if option in command.options]

    def sister_with(self, name: str) -> str | None:
        """The other program that has a command or an option of this name, which this one lacks."""
        if name in self.commands or name in self.options:
            return None
        with_it = (each.name for each in self.sisters if name in (*each.commands, *each.options))
        return next(with_it, None)

    def invocation(self, command: str | None) -> str:
        """What a person types to run a command, without its arguments."""
        return self.name if command in (None, self.default) else f"{self.name} {command}"

    def overview(self) -> str:
        """The help of the program: every command in one line, and where to read on."""
        lines = [f"{self.name}: {self.summary}", "", "Usage:"]
        lines += [f"  {self._pattern(command)}" for command in self.commands.values()]
        lines += [f"  {self.name} {HELP} [COMMAND]", f"  {self.name} (-h | --help | {VERSION})"]
        lines += ["", "Commands:", *self._summaries(), ""]
        example = next(iter(self.commands))
        lines += paragraph(
            f"`{self.name} {HELP} {example}`, or {example} --help, has all that {example} takes.  "
            f"A file that is called like a command is written as a path: ./{example}."
        )
        if self.notes:
            lines += ["", *paragraph(self.notes)]
        return "\n".join(lines)

    def _pattern(self, command: CommandText) -> str:
        words = [self.invocation(command.name)]
        if set(command.options) - {"--help"}:
            words.append("[options]")
        words += command.arguments
        words += [f"[{argument}]" for argument in command.optional_arguments]
        return " ".join(words)

    def _summaries(self) -> Iterable[str]:
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            text = command.summary
            text = text[0].upper() + text[1:]
            if name == self.default:
                text += "  The word may be left out."
            yield textwrap.fill(
                f"  {name:{width}}  {text}", WIDTH, subsequent_indent=" " * (width + 4)
            )


def paragraph(text: str) -> list[str]:
    """The lines of a paragraph."""
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def version_text() -> str:
    """What ``--version`` prints."""
    try:
        return f"downpour {version('downpour')}"
    except PackageNotFoundError:
        return "downpour, not installed: run from a directory that has it"
