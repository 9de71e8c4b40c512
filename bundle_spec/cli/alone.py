"""The commands of ``python -m bundle_spec``: the format by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bundle_spec.cli import commands
from bundle_spec.cli.arguments import Arguments
from bundle_spec.cli.console import TerminalProgress, tell_as_it_is
from bundle_spec.cli.dispatch import dispatch
from bundle_spec.cli.usage import PROGRAM
from bundle_spec.form import codec
from bundle_spec.form.json_schema import manifest_schema


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code of the error tree."""
    actions = {"verify": _verify, "show": _show, "sign": _sign, "split": _split, "schema": _schema}
    return dispatch(
        PROGRAM, actions, argv, interrupted="nothing was changed; run the same command again"
    )


def _verify(arguments: Arguments, progress: TerminalProgress) -> None:
    options = commands.verify_options_of(arguments, commands.candidate_of(arguments))
    commands.verify(options, progress)


def _show(arguments: Arguments, progress: TerminalProgress) -> None:
    commands.show(commands.show_options_of(arguments, commands.candidate_of(arguments)))


def _sign(arguments: Arguments, progress: TerminalProgress) -> None:
    commands.sign(
        commands.SignOptions(
            path=Path(arguments["BUNDLE"]),
            key=Path(arguments["KEYFILE"]),
            overwrite=arguments["--overwrite"],
        )
    )


def _split(arguments: Arguments, progress: TerminalProgress) -> None:
    options = commands.SplitOptions(
        path=Path(arguments["BUNDLE"]),
        size=commands.part_size(arguments["SIZE"]),
        folder=Path(arguments["DIR"]) if arguments["DIR"] else None,
    )
    commands.split(options, progress)


def _schema(arguments: Arguments, progress: TerminalProgress) -> None:
    tell_as_it_is(codec.dumps(manifest_schema()).decode().removesuffix("\n"))
