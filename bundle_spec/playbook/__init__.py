"""The static files of a bundle's playbook: part of the format, the same bytes in both halves."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

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


def version_of(playbook: Mapping[str, bytes]) -> int:
    """The version whose code ``playbook`` is; of one that is none, the version most like it.

    ``playbook``: path -> bytes, as ``static_files``.  Of equally like ones the newest counts.
    """
    return min(reversed(VERSIONS), key=lambda version: len(differing(playbook, version)))


def differing(playbook: Mapping[str, bytes], version: int) -> list[str]:
    """The files of code in which ``playbook`` is not the one of ``version``, sorted."""
    shipped = _static_files(version)
    names = playbook.keys() | shipped.keys()
    code = sorted(name for name in names if name not in DATA_FILES)
    return [name for name in code if playbook.get(name) != shipped.get(name)]


def renewed(playbook: Mapping[str, bytes]) -> dict[str, bytes]:
    """``playbook`` with the code of VERSION, if its own is that of an older version, byte for
    byte; else as it is.  Data is the same in all versions and stays."""
    version = version_of(playbook)
    if version == VERSION or differing(playbook, version):
        return dict(playbook)
    data = {name: playbook[name] for name in DATA_FILES if name in playbook}
    return {**static_files(), **data}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
