"""The page of the documentation that has the help of every command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.cli.program import Program

_INTRODUCTION = """\
# Commands

What the programs say of themselves, made from their help texts by `make manual`. The same is in \
`downpour-export(1)` and `downpour-import(1)`, and behind the `help` of each program.

An option is written in full and belongs to the commands that list it. `--option VALUE` and \
`--option=VALUE` are the same. Behind `--` every word is a file.

[Manual pages and completion](../how-to/install.md#manual-pages-and-completion) for bash and zsh \
are installed with downpour.
"""


def page(programs: Iterable[Program]) -> str:
    """The page in Markdown."""
    return "\n".join([_INTRODUCTION, *(line for each in programs for line in _program(each))])


def _program(program: Program) -> Iterator[str]:
    yield f"## {program.name}\n"
    yield from _block(program.overview())
    for title, text in program.manual.items():
        yield f"{title.capitalize()}: {text}\n"
    for command in program.commands.values():
        yield f"### {program.name} {command.name}\n"
        yield from _block(command.doc.strip("\n"))


def _block(text: str) -> Iterator[str]:
    yield f"```text\n{text}\n```\n"
