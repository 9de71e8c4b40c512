"""Pages of the documentation: their fenced blocks, headings and links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Not what tools and test runs leave in folders of their own.
PAGES = sorted(
    page
    for page in ROOT.glob("**/*.md")
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
    and page.relative_to(ROOT).parts[0] != "build"
)

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)


@dataclass(frozen=True)
class Link:
    page: Path
    target: str
    anchor: str

    @property
    def file(self) -> Path:
        return (self.page.parent / self.target).resolve() if self.target else self.page


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks, also within lists."""
    return [text for _, kind, text in _FENCE.findall(page.read_text()) if kind == language]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> Iterator[Link]:
    """Links to other pages and files of the repository, and pictures."""
    for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]*))?\)", prose(page)):
        yield Link(page, target, anchor)


def anchors(page: Path) -> set[str]:
    """As GitHub and Python-Markdown make them of headings."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.M):
        slug = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found
