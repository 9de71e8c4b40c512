"""The documentation holds together: links, nav, the first screen, and examples that are valid."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec.errors import LocalError
from bundle_spec.form import yaml_reader
from bundle_spec.form.places import Places
from bundle_spec.trust import policy
from downpour_export import resource_file
from downpour_import.preflight import mapping
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links, prose
from tests.house import PACKAGES

DOCS = ROOT / "docs"
README = ROOT / "README.md"


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def yaml_blocks() -> list[tuple[Path, str]]:
    return [(page, text) for page in PAGES for text in blocks(page, "yaml")]


def kind_of(value: dict[str, Any]) -> str:
    """A resource file has lists of items; a mapping has rules; a policy has neither."""
    if value.keys() <= {"allowed_signers", "revoked_signers", "require_signature"}:
        return "policy"
    return "resources" if any(isinstance(each, list) for each in value.values()) else "mapping"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        assert link.file.exists(), f"{link.target} is not there"
        if link.anchor and link.file.suffix == ".md":
            assert link.anchor in anchors(link.file), f"{link.target} has no #{link.anchor}"


def test_every_test_that_a_promise_names_is_there() -> None:
    page = (DOCS / "reliability.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "tried by" not in line]
    named = re.findall(r"`(tests/[\w/]+\.py)`", page)
    assert len(named) >= len([row for row in rows if "`tests/" in row]) > 15
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= 800


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_first_screen_of_the_readme_shows_how_to_try_it(command: str) -> None:
    assert f"$ {command}" in "\n".join(README.read_text().splitlines()[:40])


def test_the_readme_leads_to_every_how_to() -> None:
    linked = {link.file for link in links(README)}
    assert set((DOCS / "how-to").glob("*.md")) <= linked


@pytest.mark.parametrize(
    ("page", "text"), yaml_blocks(), ids=[str(page.name) for page, _ in yaml_blocks()]
)
def test_every_example_in_yaml_is_what_the_programs_read(
    page: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = yaml_reader.read(text.encode(), page.name, LocalError).value
    match kind_of(value):
        case "resources":
            (tmp_path / "web-init.sh").write_text("#!/bin/sh\n")  # it is read with the file
            assert resource_file.parse(text, tmp_path / "export.yml")
        case "mapping":
            assert mapping.decode(value, Places(str(page)))
        case "policy":
            (tmp_path / "policy.yml").write_text(text)
            monkeypatch.setenv(policy.VARIABLE, str(tmp_path / "policy.yml"))
            assert policy.load().require_signature


def test_there_are_examples_of_every_kind() -> None:
    found = {kind_of(yaml.safe_load(text)) for _, text in yaml_blocks()}
    assert found == {"resources", "mapping", "policy"}


def test_every_make_target_shown_is_one() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.M))
    shown = {
        target
        for page in PAGES
        for block in blocks(page, "console")
        for target in re.findall(r"^\$ (?:[A-Z]+=\S+ )*make ([a-z]+)", block, re.M)
    }
    assert {"demo", "test", "clouds"} <= shown <= targets


# --- the site ---


def site() -> Any:
    return yaml.safe_load((ROOT / "mkdocs.yml").read_text())


def nav(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        match entry:
            case str():
                yield entry
            case dict():
                for value in entry.values():
                    yield from nav(value if isinstance(value, list) else [value])


def elsewhere() -> dict[str, str]:
    """The table of ``docs/hooks.py``, which needs mkdocs to be imported."""
    text = (DOCS / "hooks.py").read_text()
    table = re.search(r"^ELSEWHERE = (\{.*?^\})", text, re.M | re.S)
    assert table
    found: dict[str, str] = yaml.safe_load(table[1])
    return found


def test_the_nav_has_every_page_once() -> None:
    listed = list(nav(site()["nav"]))
    # The decisions themselves are added by docs/hooks.py.
    pages = {str(page.relative_to(DOCS)) for page in DOCS.glob("**/[!0]*.md")}
    assert sorted(listed) == sorted(pages | elsewhere().keys())


def test_pages_from_elsewhere_are_in_the_repository() -> None:
    assert all((ROOT / source).is_file() for source in elsewhere().values())


def test_the_site_fetches_nothing_from_elsewhere() -> None:
    assert site()["theme"]["font"] is False
    assert "offline" in site()["plugins"]
    for page in PAGES:
        assert not re.search(r"!\[[^\]]*\]\(http", prose(page)), page


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "data-flow.svg" in (tmp_path / "explanation" / "architecture.html").read_text()
    assert len(list((tmp_path / "adr").glob("0*.html"))) == len(list(DOCS.glob("adr/0*.md")))


# --- the house ---


def rooms(package: Path) -> Iterator[str]:
    """Folders and modules at the top of a package, as the page writes them."""
    for path in package.iterdir():
        if path.is_dir() and not path.name.startswith(("_", ".")):
            yield f"`{path.name}/`"
        elif path.suffix == ".py" and not path.name.startswith("_"):
            yield f"`{path.name}`"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_architecture_page_has_a_line_for_every_room(package: str) -> None:
    text = (DOCS / "explanation" / "architecture.md").read_text()
    (section,) = re.findall(rf"^### {package}: .*?(?=^##)", text, re.M | re.S)
    for room in rooms(ROOT / package):
        assert room in section, f"{package}: name {room}"


def test_the_decisions_are_all_listed() -> None:
    listed = {link.file for link in links(DOCS / "adr" / "README.md")}
    assert set((DOCS / "adr").glob("0*.md")) <= listed
