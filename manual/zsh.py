"""Completion for zsh, with what the help says of each option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundle_spec.cli.command_text import CommandText, Option
from bundle_spec.cli.program import HELP, VERSION, Program
from manual.values import Kind, filled, kind

_ACTIONS: dict[Kind, str] = {"file": "_files", "directory": "_files -/", "other": ""}

_SCRIPT = """\
#compdef @NAME@
# Completion of @NAME@ for zsh.  Made by `make manual` from its help.

local command="" state
local -a commands
integer i
commands=(
@COMMANDS@
)
for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
        (@VALUED@) ((i++)) ;;
        (-*) ;;
        (@NAMES@) command=$words[i]; break ;;
        (*) command=@DEFAULT@; break ;;
    esac
done
case $command in
@CASES@
esac
if [[ $state == first ]]; then
    [[ -n $command ]] || commands+=('help:show what a command takes')
    _describe -t commands command commands
    [[ -n $command ]] || _files
fi
"""


def script(program: Program) -> str:
    """The file for zsh's ``site-functions`` directory."""
    commands = program.commands.values()
    return filled(
        _SCRIPT,
        NAMES="|".join([*program.commands, HELP]),
        NAME=program.name,
        COMMANDS="\n".join(f"    {_quoted(_told(each))}" for each in commands),
        VALUED="|".join(each.name for each in program.options.values() if each.metavar),
        DEFAULT=program.default or '""',
        CASES="\n".join(_cases(program)),
    )


def _told(command: CommandText) -> str:
    return f"{command.name}:{command.summary.removesuffix('.')}"


def _cases(program: Program) -> Iterator[str]:
    for command in program.commands.values():
        yield from _case(command.name, [*_options(command), _files(command)])
    yield from _case(HELP, ["'*: :->first'"])
    default = program.commands[program.default] if program.default else None
    options = _options(default) if default else []
    yield from _case('""', [*options, f"'{VERSION}[Show the version.]'", "'*: :->first'"])


def _case(name: str, specs: Iterable[str]) -> Iterator[str]:
    lines = [f"            {spec}" for spec in specs]
    yield f"    ({name})"
    yield " \\\n".join(["        _arguments -s", *lines])
    yield "        ;;"


def _options(command: CommandText) -> Iterator[str]:
    for option in command.options.values():
        yield _quoted(_spec(option))
        if option.short:
            yield _quoted(f"{option.short}[{_plain(option.text)}]")


def _spec(option: Option) -> str:
    many = "*" if option.many else ""
    value = f":{option.metavar}:{_ACTIONS[kind(option.metavar)]}" if option.metavar else ""
    return f"{many}{option.name}[{_plain(option.text)}]{value}"


def _files(command: CommandText) -> str:
    kinds = {kind(each) for each in (*command.arguments, *command.optional_arguments)}
    return "'*:directory:_files -/'" if kinds == {"directory"} else "'*:file:_files'"


def _plain(text: str) -> str:
    """The first sentence, without what is a mark of zsh's own."""
    return text.partition("  ")[0].replace("[", r"\[").replace("]", r"\]")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
