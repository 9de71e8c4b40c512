"""The static files of a bundle's playbook: part of the format, the same bytes in both halves."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.abc import Traversable
from importlib.resources import files

VERSION = 1
"""The playbook version that this release writes."""

DATA_FILES = ("resources.yml", "settings.yml")
"""What a bundle's playbook holds besides the static files."""


def static_files() -> dict[str, bytes]:
    """Path below ``playbook/`` -> bytes, of every file that is the same in all bundles."""
    return dict(_walk(files(__name__) / f"v{VERSION}", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
