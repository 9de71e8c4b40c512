"""Every ``make`` that a page shows is one that the Makefile has."""

from __future__ import annotations

import re

from tests.house import ROOT

TARGETS = set(re.findall(r"^([a-z0-9]+):.*##", (ROOT / "Makefile").read_text(), re.M))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def shown() -> set[str]:
    return {
        target
        for page in PAGES
        for target in re.findall(r"(?:^\$ |`)make ([a-z0-9]+)", page.read_text(), re.M)
    }


def test_every_target_that_a_page_shows_is_there() -> None:
    assert {"venv", "test", "demo"} <= shown() <= TARGETS
