"""The static files of a bundle's playbook: part of the format, the same bytes in both halves."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

VERSION = 1
"""The playbook version that this release writes."""

DATA_FILES = ("resources.yml", "settings.yml")
"""Data, which a person may edit; every other file is code, and the same in all bundles."""


def static_files() -> dict[str, bytes]:
    """Path below ``playbook/`` -> bytes, of every file that is the same in all new bundles.

    ``settings.yml`` is among them as it looks before anybody edits it.
    """
    return dict(_walk(files(__name__) / f"v{VERSION}", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
