"""The manual that is committed is that of the help texts, and man and the shells can read it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import manual
from bundle_spec.cli.program import Program
from tests.unit.programs import name

ROOT = Path(__file__).parents[2]
MADE = manual.files()
PAGES = [each for each in MADE if each.endswith(".1")]

each_program = pytest.mark.parametrize("program", manual.INSTALLED, ids=name)


@pytest.mark.parametrize("path", MADE)
def test_what_is_committed_is_what_the_help_says(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == MADE[path], "run: make manual"


def test_nothing_else_is_installed_below_share() -> None:
    there = {str(path.relative_to(ROOT)) for path in ROOT.glob("share/**/*") if path.is_file()}
    assert there == {path for path in MADE if path.startswith("share/")}


def test_the_install_page_says_where_all_of_it_is() -> None:
    text = (ROOT / "docs/how-to/install.md").read_text("utf-8")
    named = set(re.findall(r"\bshare/[\w/.-]*\w", text))
    assert all((ROOT / path).exists() for path in named)
    for place in ("man", "bash-completion/completions/downpour-import", "zsh/site-functions"):
        assert f"share/{place}" in named


# --- man ---


@each_program
def test_a_page_describes_every_command_and_every_option_once(program: Program) -> None:
    text = MADE[f"share/man/man1/{program.name}.1"].replace(r"\-", "-")
    for command in program.commands:
        assert text.count(f"\n.SS {command}\n") == 1
    for option in program.options:
        assert len(re.findall(rf"\n\.TP\n(\S+, )?\\fB{option}\\fR", text)) == 1
    for section in ("NAME", "SYNOPSIS", "COMMANDS", "OPTIONS", "EXIT STATUS", "FILES", "SEE ALSO"):
        assert text.count(f"\n.SH {section}\n") == 1


@pytest.mark.parametrize("path", PAGES)
def test_groff_has_nothing_to_say_of_a_page(path: str) -> None:
    for line in MADE[path].splitlines():
        # Where there is no groff: a line that begins so is a request, and these are known.
        if line.startswith((".", "'")):
            assert re.match(r'\.(\\"|TH|SH|SS|TP|PP|nf|fi|nh|ad l)( |$)', line), line
    if shutil.which("groff"):
        command = ["groff", "-man", "-Tutf8", "-ww", "-P-cbou"]
        done = subprocess.run(command, input=MADE[path], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert "--os-client-config FILE" in done.stdout


# --- bash ---

COMPLETE = """\
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=(stale)
"_${1//-/_}"
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
exit 0
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "a bundle.dpbundle").touch()
    (tmp_path / "plan.yml").touch()
    (tmp_path / "dir").mkdir()
    return tmp_path


def completed(directory: Path, words: Sequence[str]) -> set[str]:
    """What bash offers for the last word."""
    script = ROOT / "share/bash-completion/completions" / words[0]
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, "bash", script, *words],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.splitlines())


FILES = {"a bundle.dpbundle", "plan.yml", "dir"}


@each_program
def test_bash_offers_the_commands_and_files_first(program: Program, files: Path) -> None:
    assert completed(files, [program.name, ""]) == {*program.commands, "help"} | FILES
    assert completed(files, [program.name, "pl"]) == {"plan", "plan.yml"}
    assert completed(files, [program.name, "help", ""]) == {*program.commands}


@each_program
def test_bash_offers_the_options_of_the_command_that_stands_there(
    program: Program, files: Path
) -> None:
    for command in program.commands.values():
        offered = completed(files, [program.name, command.name, "-"])
        assert offered == {*command.options}
        assert completed(files, [program.name, "--cloud", "plan", command.name, "-"]) == offered
        assert completed(files, [program.name, "--cloud", "=", "x", command.name, "-"]) == offered
    default = program.commands[program.default or ""]
    assert completed(files, [program.name, "--"]) == {*default.options, "--version"}
    assert completed(files, [program.name, "plan.yml", "--"]) == {*default.options}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("downpour-import plan --map|", FILES),
        ("downpour-import plan --map|=", FILES),
        ("downpour-import plan --map|=|p", {"plan.yml"}),
        ("downpour-import plan --parts|", {"dir"}),
        ("downpour-import plan --cloud|", set()),
        ("downpour-import show a", {"a bundle.dpbundle"}),
        ("downpour-import undo --y", {"--yes"}),
        ("downpour-export kit|", {"dir"}),
        ("downpour-export cleanup|", set()),
        ("downpour-export plan.yml|", FILES),
        ("downpour-export --sign|", FILES),
    ],
)
def test_bash_offers_what_a_value_may_be(line: str, offered: set[str], files: Path) -> None:
    """``|``: where bash begins a word without a blank, and at the end an empty one."""
    words = line.replace("|", " ").split(" ")
    assert completed(files, words) == offered


# --- zsh ---


@each_program
def test_zsh_can_read_its_completion(program: Program) -> None:
    path = ROOT / f"share/zsh/site-functions/_{program.name}"
    text = path.read_text()
    assert text.startswith(f"#compdef {program.name}\n")
    for option in program.options:
        assert f"{option}[" in text
    if shutil.which("zsh"):
        done = subprocess.run(["zsh", "-n", path], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
