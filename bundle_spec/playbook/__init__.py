"""The static files of a bundle's playbook: part of the format, the same bytes in both halves."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Protocol

VERSION = 2
"""The playbook version that this release writes, and runs in place of an older one."""

VERSIONS = (1, 2)
"""Those that were ever written into bundles.  Their files never change.

1: a resource that cannot be made ends the run.
2: it stops only what needs it; a last task tells of all that was not made, and fails.
"""

DATA_FILES = ("resources.yml", "settings.yml")
"""Data, which a person may edit; every other file is code, and the same in all bundles."""


def static_files(version: int = VERSION) -> dict[str, bytes]:
    """Path below ``playbook/`` -> bytes, of every file that is the same in all new bundles.

    ``settings.yml`` is among them as it looks before anybody edits it.
    """
    return dict(_static_files(version))


@functools.cache
def _static_files(version: int) -> Mapping[str, bytes]:
    return dict(_walk(files(__name__) / f"v{version}", ""))


class File(Protocol):
    """A file of a playbook that somebody else wrote."""

    def equals(self, shipped: bytes, /) -> bool: ...


def version_of(playbook: Mapping[str, File]) -> int:
    """The version whose code ``playbook`` is; of one that is none, the version most like it.

    ``playbook``: path -> file, as ``static_files``.  Of equally like ones the newest counts.
    """
    return min(reversed(VERSIONS), key=lambda version: len(differing(playbook, version)))


def differing(playbook: Mapping[str, File], version: int) -> list[str]:
    """The files of code in which ``playbook`` is not the one of ``version``, sorted."""
    shipped = _static_files(version)
    code = sorted((playbook.keys() | shipped.keys()) - set(DATA_FILES))
    return [name for name in code if not _is_shipped(playbook.get(name), shipped.get(name))]


def _is_shipped(file: File | None, shipped: bytes | None) -> bool:
    return file is not None and shipped is not None and file.equals(shipped)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
