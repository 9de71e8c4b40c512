"""A program's page for man(1), in the man macros of groff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bundle_spec.cli.command_text import CommandText, Entry
from bundle_spec.cli.program import Program

_SEE_ALSO = "downpour-export(1), downpour-import(1), age(1), ansible-playbook(1), ssh-keygen(1)"
_ARGUMENTS = "Arguments"

Texts = dict[str, list[str]]
"""What is said of an option -> the commands whose help says it."""


def page(program: Program) -> str:
    """The source of the page.  Every option is described once, and named with each command."""
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Program) -> Iterator[str]:
    yield f'.\\" Made by `make manual` from the help of {program.name}.'
    yield f'.TH {_escaped(program.name.upper())} 1 "" downpour "User Commands"'
    yield ".nh"  # an option broken in two cannot be searched for
    yield ".ad l"
    yield ".SH NAME"
    yield _escaped(f"{program.name} - {program.summary.removesuffix('.')}")
    yield ".SH SYNOPSIS"
    yield from _verbatim(command.usage for command in program.commands.values())
    yield ".SH COMMANDS"
    for command in program.commands.values():
        yield from _command(program, command)
    yield ".SH OPTIONS"
    for title, entries in _groups(program).items():
        yield f".SS {_escaped(title)}"
        for label, texts in entries.items():
            yield from _option(label, texts)
    for title, text in program.manual.items():
        yield f".SH {_escaped(title)}"
        yield _escaped(text)
    yield ".SH SEE ALSO"
    yield _escaped(_SEE_ALSO.replace(f"{program.name}(1), ", ""))


def _command(program: Program, command: CommandText) -> Iterator[str]:
    yield f".SS {_escaped(command.name)}"
    first = command.summary[0].upper() + command.summary[1:]
    if command.name == program.default:
        first += "  The word may be left out."
    yield _escaped(first)
    for paragraph in command.paragraphs:
        yield ".PP"
        yield _escaped(paragraph)
    for group in command.groups:
        if group.title == _ARGUMENTS:
            for entry in group.entries:
                yield from _entry(entry)
    yield ".PP"
    yield _escaped(f"Options: {', '.join(command.options)}.")


def _groups(program: Program) -> dict[str, dict[str, Texts]]:
    """Heading -> option as it is written -> what is said of it, over all commands."""
    groups: dict[str, dict[str, Texts]] = {}
    for command in program.commands.values():
        for group in command.groups:
            if group.title != _ARGUMENTS:
                for entry in group.entries:
                    texts = groups.setdefault(group.title, {}).setdefault(entry.label, {})
                    texts.setdefault(entry.text, []).append(command.name)
    return groups


def _option(label: str, texts: Texts) -> Iterator[str]:
    if len(texts) == 1:
        yield from _entry(Entry(label, next(iter(texts))))
    else:
        told = (f"With {', '.join(names)}: {text}" for text, names in texts.items())
        yield from _entry(Entry(label, "  ".join(told)))


def _entry(entry: Entry) -> Iterator[str]:
    yield ".TP"
    yield re.sub(r"(-[\w-]*[a-z])", r"\\fB\1\\fR", entry.label).replace("-", r"\-")
    yield _escaped(entry.text)


def _verbatim(blocks: Iterable[str]) -> Iterator[str]:
    yield ".nf"
    for block in blocks:
        yield from (_escaped(line.removeprefix("  ")) for line in block.split("\n"))
    yield ".fi"


def _escaped(text: str) -> str:
    """Text as groff shows it; a hyphen is one that can be copied into a shell.  Every sentence
    begins a line, which is how groff tells its end."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    lines = re.sub(r"(?<=[.:])  ", "\n", text).split("\n")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)
