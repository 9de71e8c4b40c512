"""All vectors as files: what is there, and what should be."""

from __future__ import annotations

import bz2
import functools
from pathlib import Path

from tests.vectors import (
    invalid_chunks,
    invalid_file,
    invalid_manifest,
    invalid_parts,
    valid,
)
from tests.vectors.vector import BUNDLE, Vector

FOLDER = Path(__file__).parent
SUFFIX = ".dpbundle"
PACKED = ".bz2"

LARGEST = 12 * 1024
"""A file of more bytes is kept in bzip2: tar headers are mostly zero."""


@functools.cache
def vectors() -> dict[str, Vector]:
    """``valid/minimal`` -> vector."""
    sets = [invalid_chunks, invalid_file, invalid_manifest, invalid_parts]
    found = {f"valid/{name}": made for name, made in valid.cases().items()}
    for each in sets:
        for name, made in each.cases().items():
            if f"invalid/{name}" in found:
                raise ValueError(f"two vectors are called {name}")
            found[f"invalid/{name}"] = made
    return found


def files() -> dict[str, bytes]:
    """The path of each file below this folder -> its bytes, not packed."""
    found = {}
    for name, made in vectors().items():
        for part, data in made.files.items():
            path = f"{name}/{part}" if part else name + SUFFIX
            found[path + PACKED if len(data) > LARGEST else path] = data
    return found


def stored(path: Path) -> bytes:
    """The bytes of a file of a vector, not packed."""
    data = path.read_bytes()
    return bz2.decompress(data) if path.suffix == PACKED else data


def differences() -> list[str]:
    """What lies in the folders and should not, or should and does not, or is other than it should
    be."""
    due = files()
    there = {
        path.relative_to(FOLDER).as_posix(): path
        for kind in ("valid", "invalid")
        for path in (FOLDER / kind).rglob("*")
        if path.is_file()
    }
    return sorted(
        name
        for name in due.keys() | there.keys()
        if name not in due or name not in there or stored(there[name]) != due[name]
    )


def write() -> None:
    """Make the folders what they should be.  Files that are right are not touched."""
    due = files()
    for name in differences():
        path = FOLDER / name
        if name not in due:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bz2.compress(due[name]) if path.suffix == PACKED else due[name])


def unpacked(name: str, folder: Path) -> Path:
    """The bundle of a vector, unpacked into ``folder``: its path, or that of its parts."""
    files = [*FOLDER.glob(name + SUFFIX + "*"), *FOLDER.glob(f"{name}/*")]
    for path in files:
        (folder / path.name.removesuffix(PACKED)).write_bytes(stored(path))
    return folder / (BUNDLE if (FOLDER / name).is_dir() else files[0].name.removesuffix(PACKED))
