"""Pages of the site that live elsewhere in the repository, and the links between all of them.

Every page is written with links that work in the repository.  On the way into the site they are
turned into links of the site.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "index.md": "README.md",
    "security.md": "SECURITY.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "reference/bundle-format.md": "bundle_spec/SPEC.md",
    "reference/test-vectors.md": "tests/vectors/README.md",
}
"""Page of the site -> file of the repository."""

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_LIST = re.compile(r"^((?!- |[|#>]| )\S.*\n)(?=- )", re.M)
_FENCE = re.compile(r"^(```.*?^```)", re.M | re.S)


def on_config(config: Any) -> Any:
    """Every decision is in the nav, in its order."""
    (decisions,) = [entry["Decisions"] for entry in config.nav if "Decisions" in entry]
    folder = ROOT / "docs" / "adr"
    decisions += [f"adr/{path.name}" for path in sorted(folder.glob("[0-9]*.md"))]
    return config


def on_files(files: Files, config: Any) -> Files:
    for page, source in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    here = page.file.src_uri
    source = ELSEWHERE.get(here, f"docs/{here}")
    relink = _Relink(here, source)

    def prose(text: str) -> str:
        # As on GitHub, a list may follow a paragraph without a line between.
        return _LIST.sub(r"\1\n", _LINK.sub(relink, text))

    pieces = _FENCE.split(markdown)
    return "".join(piece if piece.startswith("```") else prose(piece) for piece in pieces)


class _Relink:
    """A link as it is in the repository -> as it is in the site."""

    def __init__(self, here: str, source: str) -> None:
        self._here, self._source = here, source

    def __call__(self, match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(self._source), target))
        site = {source: page for page, source in ELSEWHERE.items()}
        if path in site:
            page = site[path]
        elif path.startswith("docs/"):
            page = path.removeprefix("docs/")
        else:
            return text  # a file of the repository that is no page
        return f"[{text}]({os.path.relpath(page, os.path.dirname(self._here) or '.')}{anchor})"
