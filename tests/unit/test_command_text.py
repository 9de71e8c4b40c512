"""The docopt texts have the form that all their readers count on, and docopt reads them alike."""

from __future__ import annotations

import docopt
import pytest

from bundle_spec.cli.command_text import CommandText, Entry, Group
from bundle_spec.cli.program import WIDTH, Program
from tests.unit.programs import COMMANDS, PROGRAMS, name

each_command = pytest.mark.parametrize(("program", "command"), COMMANDS, ids=name)


@each_command
def test_a_text_has_the_form_of_all(program: Program, command: CommandText) -> None:
    assert max(map(len, command.doc.splitlines())) <= WIDTH
    assert command.program == program.name
    assert command.summary.endswith(".")
    assert len(f"{command.name}: {command.summary}") <= WIDTH
    assert "Usage:" in command.doc
    # Several patterns would make docopt tell a repeated value several times.
    assert command.usage.count(program.name) == 1
    assert command.groups
    blocks = 2 + len(command.paragraphs) + len(command.groups)
    assert blocks == len(command.doc.strip("\n").split("\n\n"))


@each_command
def test_docopt_reads_the_same_options(program: Program, command: CommandText) -> None:
    body = docopt.parse_docstring_sections(command.doc).after_usage
    read = {
        each.longer: (each.short, each.argcount, each.value) for each in docopt.parse_options(body)
    }
    ours = {
        option.name: (
            option.short,
            1 if option.metavar else 0,
            None if option.many else option.unset,
        )
        for option in command.options.values()
    }
    assert read == ours


@each_command
def test_what_a_pattern_names_is_described(program: Program, command: CommandText) -> None:
    described = {entry.label for group in command.groups for entry in group.entries}
    assert {*command.arguments, *command.optional_arguments} <= described
    for option in command.options.values():
        assert not option.many or f"[{option.name} {option.metavar}]..." in command.usage
        # A value of a short option would be read otherwise in a row of them.
        assert option.short is None or option.metavar is None


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_an_option_means_the_same_in_every_command(program: Program) -> None:
    for command in program.commands.values():
        for option in command.options.values():
            other = program.options[option.name]
            assert (option.short, option.metavar) == (other.short, other.metavar)
            assert (option.many, option.same_as) == (other.many, other.same_as)


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_an_option_stands_under_the_same_heading_in_every_command(program: Program) -> None:
    """So that a manual that describes all of them describes each once."""
    titles: dict[str, str] = {}
    for command in program.commands.values():
        for group in command.groups:
            for entry in group.entries:
                if entry.label.startswith("-"):
                    assert titles.setdefault(entry.label, group.title) == group.title


def test_a_text_is_read_into_its_parts() -> None:
    command = CommandText(
        "x do: do it.\n\nUsage:\n  x do [options] [--many A]... [--this | --that]\n"
        "       FILE [DIR]\n\nIt is done.\n\nHow:\n  --many A  Several\n            of it.\n"
        "  --this    This.\n  --that    That.\n  --long-name VALUE\n            Next line.\n"
        "  -q, --quiet  Say less [default: 3].\n"
    )
    assert (command.program, command.name, command.summary) == ("x", "do", "do it.")
    assert command.usage == "  x do [options] [--many A]... [--this | --that]\n       FILE [DIR]"
    assert command.paragraphs == ("It is done.",)
    (group,) = command.groups
    assert isinstance(group, Group)
    assert group.title == "How"
    assert group.entries[0] == Entry("--many A", "Several of it.")
    assert group.entries[3] == Entry("--long-name VALUE", "Next line.")
    assert command.options["--many"].many
    assert command.options["--quiet"].short == "-q"
    assert command.exclusive == (("--this", "--that"),)
    assert (command.arguments, command.optional_arguments) == (("FILE",), ("DIR",))
