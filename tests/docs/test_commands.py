"""The documents say what the commands are: every one that a page shows is parsed as it is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import downpour_export.usage
import downpour_import.usage
from bundle_spec.cli import usage
from bundle_spec.cli.arguments import asked_text, parse
from bundle_spec.cli.program import Program
from tests.docs.pages import PAGES, ROOT, blocks

PROGRAMS = (usage.PROGRAM, downpour_export.usage.PROGRAM, downpour_import.usage.PROGRAM)


def commands(page: Path) -> list[tuple[Program, list[str]]]:
    """Every downpour command that a page shows at a prompt, without what stands before it."""
    found = []
    for block in blocks(page, "console"):
        for line in re.findall(r"^ *\$ (.*)", block, re.M):
            words = shlex.split(line, comments=True)
            while words and "=" in words[0]:
                words = words[1:]
            for program in PROGRAMS:
                name = program.name.split()
                if words[: len(name)] == name:
                    found.append((program, words[len(name) :]))
    return found


def test_there_is_something_to_hold() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 60
    assert len(commands(ROOT / "README.md")) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_is_one_that_exists(page: Path) -> None:
    for program, words in commands(page):
        if asked_text(program, words) is None:
            parse(program, words)
