"""The version stands in pyproject.toml; wherever else it must be written, it is the same."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from tests.house import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
COLLECTION = ROOT / "downpour_import/collection/ansible_collections/downpour/bundle"
CHANGELOGS = [ROOT / "CHANGELOG.md", COLLECTION / "CHANGELOG.md"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
"""In the order and the words of keepachangelog.com/en/1.1.0."""


def test_it_is_what_is_installed() -> None:
    assert version("downpour") == VERSION


def test_the_collection_has_it() -> None:
    assert yaml.safe_load((COLLECTION / "galaxy.yml").read_text())["version"] == VERSION


def test_no_page_shows_another_one() -> None:
    shown = {
        found
        for page in PAGES
        for found in re.findall(r"\bdownpour[ -](\d+\.\d+\.\d+)\b", page.read_text())
    }
    assert shown == {VERSION}


@pytest.mark.parametrize("page", CHANGELOGS, ids=["downpour", "collection"])
def test_a_changelog_begins_with_the_newest_and_knows_no_later_version(page: Path) -> None:
    text = page.read_text()
    headings = re.findall(r"^## \[?([^\]\s]+)\]?", text, re.M)
    released = [Version(each) for each in headings if each != "Unreleased"]
    assert len(released) == len(headings) or headings.index("Unreleased") == 0
    assert released == sorted(released, reverse=True)
    assert all(each <= Version(VERSION) for each in released)


@pytest.mark.parametrize("page", CHANGELOGS, ids=["downpour", "collection"])
def test_a_changelog_has_the_sections_that_all_changelogs_have(page: Path) -> None:
    for chapter in page.read_text().split("\n## ")[1:]:
        found = re.findall(r"^### (.*)", chapter, re.M)
        assert found == [each for each in SECTIONS if each in found]
        assert found
