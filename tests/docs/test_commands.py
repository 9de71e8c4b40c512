"""The documents say what the commands are: README and the rest are held to the help texts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import downpour_export.cli
import downpour_import.cli
from bundle_spec.cli.console import parse
from tests.docs.pages import PAGES, ROOT, blocks

HELP = {
    "downpour-export": downpour_export.cli.__doc__ or "",
    "downpour-import": downpour_import.cli.__doc__ or "",
}


def commands(page: Path) -> list[list[str]]:
    """Every downpour command that a page shows at a prompt, without what stands before it."""
    found = []
    for block in blocks(page, "console"):
        for line in re.findall(r"^ *\$ (.*)", block, re.M):
            words = shlex.split(line, comments=True)
            while words and "=" in words[0]:
                words = words[1:]
            if words and words[0] in HELP:
                found.append(words)
    return found


def test_there_is_something_to_hold() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 60
    assert len(commands(ROOT / "README.md")) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_is_one_that_exists(page: Path) -> None:
    for program, *arguments in commands(page):
        parse(HELP[program], arguments)


@pytest.mark.parametrize("program", sorted(HELP))
def test_a_subcommand_is_not_taken_for_a_file(program: str) -> None:
    for name in re.findall(rf"^  {program} ([a-z]+)", HELP[program], re.M):
        words = {"unpack": ["x", "y"], "cleanup": [], "query": ["--all", "x"]}.get(name, ["x"])
        assert parse(HELP[program], [name, *words])[name]
        # A file that is called like a command is written as a path.
        files = {"downpour-export": [f"./{name}", "out"]}.get(program, [f"./{name}"])
        arguments = parse(HELP[program], files)
        assert f"./{name}" in (arguments.get("SOURCE"), arguments.get("RESOURCE_FILE"))
        assert not arguments[name]
