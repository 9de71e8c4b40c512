"""Completion for bash: commands, the options of the command that stands there, files."""

from __future__ import annotations

from collections.abc import Iterable

from bundle_spec.cli.program import HELP, VERSION, Program
from manual.values import Kind, filled, kind, of_kind

_SCRIPT = """\
# Completion of @NAME@ for bash.  Made by `make manual` from its help.

@FUNCTION@() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command="" options="" words="" values="-f" i
    COMPREPLY=()
    # bash makes three words of --option=value.
    if [[ $word == "=" ]]; then
        word=""
    elif [[ $before == "=" ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            @VALUED@)
                [[ ${COMP_WORDS[i + 1]} == "=" ]] && ((i++))
                ((i++))
                ;;
            -*) ;;
            @COMMANDS@)
                command=${COMP_WORDS[i]}
                break
                ;;
            *)
                command=@DEFAULT@
                break
                ;;
        esac
    done
    case $command in
@CASES@
    esac
    case $before in
@VALUES@
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    [[ $values ]] && compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(
        compgen -W "$words" -- "$word"
        [[ $values ]] && compgen $values -- "$word"
    )
}

complete -F @FUNCTION@ @NAME@
"""


def script(program: Program) -> str:
    """The file for bash-completion's ``completions`` directory."""
    options = program.options.values()
    return filled(
        _SCRIPT,
        NAME=program.name,
        FUNCTION="_" + program.name.replace("-", "_"),
        VALUED=_either(each.name for each in options if each.metavar),
        COMMANDS=_either([*program.commands, HELP]),
        DEFAULT=program.default or '""',
        CASES="\n".join(_cases(program)),
        VALUES="\n".join(_values(program)),
    )


def _values(program: Program) -> Iterable[str]:
    """What may stand behind an option that takes a value."""
    offers: dict[Kind, str] = {
        "file": 'options="" words="" values="-f"',
        "directory": 'options="" words="" values="-d"',
        "other": "return",
    }
    for each, offer in offers.items():
        if options := of_kind(program.options.values(), each):
            yield f"        {_either(options)}) {offer} ;;"


def _cases(program: Program) -> Iterable[str]:
    names = " ".join([*program.commands, HELP])
    for name, command in program.commands.items():
        values = _flag({kind(each) for each in (*command.arguments, *command.optional_arguments)})
        yield f'        {name}) options="{" ".join(command.options)}" values="{values}" ;;'
    yield f'        {HELP}) words="{names.removesuffix(f" {HELP}")}" values="" ;;'
    default = program.commands[program.default] if program.default else None
    own = " ".join([*(default.options if default else ["--help"]), VERSION])
    yield f'        "") options="{own}" words="{names}" ;;'


def _flag(kinds: set[Kind]) -> str:
    """What compgen offers for the arguments of a command."""
    if not kinds:
        return ""
    return "-d" if kinds == {"directory"} else "-f"


def _either(words: Iterable[str]) -> str:
    """A pattern of ``case``."""
    return " | ".join(words)
