"""The files of a playbook as a bundle or a directory has them, read only where one is needed.

Their names and sizes are known beforehand, and of a bundle their digests too: what is foreign is
told without a byte of it in memory.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bundle_spec import BundleReader
from bundle_spec.errors import LocalError
from bundle_spec.form import digest, layout
from bundle_spec.medium import local_error
from bundle_spec.model import Manifest
from bundle_spec.playbook import DATA_FILES, VERSIONS, static_files
from bundle_spec.private import read_regular

PREFIX = "playbook/"
RESOURCES, SETTINGS = DATA_FILES

MAX_LISTED = 100_000
"""Entries of a directory that are looked at."""


@dataclass(frozen=True)
class Found:
    """A file that is there.  ``size`` in bytes; ``read`` gives its bytes, and raises BundleError or
    LocalError.  ``sha256``: its digest by the verified manifest; None: only its bytes tell."""

    size: int
    read: Callable[[], bytes]
    sha256: str | None = None

    def equals(self, shipped: bytes) -> bool:
        if self.size != len(shipped):
            return False
        return digest.of(shipped) == (self.sha256 or digest.of(self.read()))


def in_bundle(reader: BundleReader) -> dict[str, Found]:
    """Path below ``playbook/`` -> file, of all that a verified bundle has there."""
    return {
        file.path.removeprefix(PREFIX): Found(
            file.size, functools.partial(reader.read_file, file.path), file.sha256
        )
        for file in reader.manifest.files
        if file.path.startswith(PREFIX)
    }


def in_directory(folder: Path, manifest: Manifest) -> dict[str, Found]:
    """The same of the folder ``playbook`` of a directory, as far as a playbook of ours or that of
    its bundle has such files; all others are passed over.  Raises LocalError."""
    names = {RESOURCES, *(name for version in VERSIONS for name in static_files(version))}
    names |= {file.path.removeprefix(PREFIX) for file in manifest.files}
    found = {}
    for name in names - {SETTINGS}:
        try:
            size = os.stat(folder / name).st_size
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            raise local_error("cannot read", exc, folder / name) from exc
        found[name] = Found(size, functools.partial(read_bounded, folder / name))
    return found


def read_bounded(path: Path) -> bytes:
    """The bytes of a file that is no larger than a manifest may be.  Raises LocalError."""
    try:
        data = read_regular(path, layout.MAX_MANIFEST_SIZE)
    except OSError as exc:
        raise local_error("cannot read", exc, path) from exc
    if len(data) > layout.MAX_MANIFEST_SIZE:
        raise LocalError(f"it is larger than {layout.MAX_MANIFEST_SIZE} bytes", where=str(path))
    return data


# --- what takes effect by its name alone ---

_FOLDERS = frozenset(
    "library module_utils doc_fragments roles collections group_vars host_vars".split()
)
"""Where Ansible looks for code and variables beside a playbook, apart from ``*_plugins``."""
_FILES = frozenset(
    f"{name}.{suffix}"
    for name in ("clouds", "clouds-public", "secure")
    for suffix in ("yaml", "yml", "json")
) | {"ansible.cfg"}
_OF_THE_RUNNER = frozenset(("ansible", "events"))
"""Names that a run takes itself beside the playbook: Ansible's home, and the FIFO of its events."""
_CODE = (".py", ".pyc", ".pth", ".so")
"""A bundle has no place for Python; ``python -m`` would find it in the working directory."""


def is_picked_up(name: str) -> bool:
    """Whether Ansible or a client of OpenStack picks a file or folder up from the playbook's folder
    though no task names it.  ``name``: a path below it; in capitals it is the same on some media.
    """
    name = name.lower()
    first = name.partition("/")[0]
    return name in _FILES or first in _FOLDERS or first.endswith("_plugins")


def takes_effect(name: str) -> bool:
    """Whether a file of a bundle is never handed out, because it would take effect unasked: what
    ``is_picked_up``; Python; hidden files, which shells and editors read; names of the runner."""
    name = name.lower()
    parts = name.split("/")
    return (
        is_picked_up(name)
        or name.endswith(_CODE)
        or parts[0] in _OF_THE_RUNNER
        or any(part.startswith(".") for part in parts)
    )


def beside(folder: Path) -> Iterator[str]:
    """What lies in a directory's playbook folder and is picked up when it is run by hand there; the
    collection that ``unpack`` lays down is not told.  Raises LocalError."""
    for name in _names(folder):
        if name == "collections":
            yield from (f"{name}/{each}" for each in _foreign_collections(folder / name))
        elif is_picked_up(name):
            yield name


def _foreign_collections(folder: Path) -> Iterator[str]:
    for name in _names(folder):
        if name != "ansible_collections":
            yield name
            continue
        yield from (f"{name}/{each}" for each in _names(folder / name) if each != "downpour")


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MAX_LISTED))
    except OSError as exc:
        raise local_error("cannot read", exc, folder) from exc
