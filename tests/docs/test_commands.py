"""The documents say what the commands are: README and the rest are held to the help texts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

import downpour_export.cli
import downpour_import.cli
from bundle_spec.cli.console import parse
from downpour_export import resource_file
from downpour_import.preflight import mapping

ROOT = Path(__file__).parents[2]
HELP = {
    "downpour-export": downpour_export.cli.__doc__ or "",
    "downpour-import": downpour_import.cli.__doc__ or "",
}
# Not what tools and test runs leave in folders of their own.
PAGES = sorted(
    page
    for page in ROOT.glob("**/*.md")
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def commands(page: Path) -> list[list[str]]:
    """Every downpour command that a page shows at a prompt, without what stands before it."""
    found = []
    for block in blocks(page, "console"):
        for line in re.findall(r"^\$ (.*)", block, re.M):
            words = shlex.split(line, comments=True)
            while words and "=" in words[0]:
                words = words[1:]
            if words and words[0] in HELP:
                found.append(words)
    return found


def test_there_is_something_to_hold() -> None:
    assert len(commands(ROOT / "README.md")) >= 8


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_is_one_that_exists(page: Path) -> None:
    for program, *arguments in commands(page):
        parse(HELP[program], arguments)


@pytest.mark.parametrize("program", sorted(HELP))
def test_readme_shows_the_usage_as_it_is(program: str) -> None:
    usage = HELP[program][HELP[program].index("Usage:") :].split("\n\n")[0]
    assert f"{usage}\n" in blocks(ROOT / "README.md", "text")


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


def test_the_resource_file_of_the_readme_is_one() -> None:
    text = next(block for block in blocks(ROOT / "README.md", "yaml") if "servers:" in block)
    parsed = resource_file.parse(text, Path("export.yml"))
    assert [item.wanted for item in parsed.servers][:2] == ["web", "db"]
    assert parsed.servers[1].key_name == "ops-key"
    assert not parsed.volumes[0].save_state


def test_the_mapping_of_the_readme_is_one() -> None:
    text = next(block for block in blocks(ROOT / "README.md", "yaml") if "mapping.yml" in block)
    rules = mapping.decode(yaml.safe_load(text), "mapping.yml")
    assert rules.keypairs == {"nowhere": None}


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
