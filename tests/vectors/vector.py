"""What a vector is: the bytes of a bundle, or of its parts, and what a reader may hand out."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.vectors.forge import CHUNK, Forge, ForgedDisk, Json, Member, sha256

Contents = dict[str, str]
"""``disks/0001`` or a file's path -> digest of the bytes that are right for it."""

BUNDLE = "out.dpbundle"
"""The name of a bundle that is split: parts are named after it."""


@dataclass(frozen=True)
class Vector:
    """``files``: name in the vector's folder -> bytes; the name ``""``: the vector is a file."""

    files: dict[str, bytes]
    contents: Contents

    @property
    def data(self) -> bytes:
        """The bytes of the one file."""
        return self.files[""]

    def edited(self, edit: Callable[[bytes], bytes]) -> Vector:
        return replace(self, files={"": edit(self.data)})


def vector(forge: Forge) -> Vector:
    """The bundle that ``forge`` makes."""
    contents = {path: sha256(data) for path, data in forge.files.items()}
    for disk in forge.disks:
        if not disk.abandoned:
            contents[f"disks/{disk.id}"] = disk.more.get("sha256") or sha256(disk.raw)
    return Vector({"": forge.build()}, contents)


# --- small bundles to start from ---

A, B = b"A" * CHUNK, b"B" * CHUNK
SITE = {"playbook/site.yml": b"---\n"}


def empty() -> Forge:
    """Neither disks nor files."""
    return Forge(disks=[], files={})


def filed() -> Forge:
    """One file."""
    return Forge(disks=[], files=dict(SITE))


def single(*frames: bytes, raw: bytes = A) -> Forge:
    """One disk, of one chunk where nothing else is said."""
    return Forge(disks=[ForgedDisk(raw=raw, frames=list(frames))], files={})


def linked() -> Forge:
    """A disk of two equal chunks, the second a link, and a short third one."""
    disk = ForgedDisk(raw=A + A + b"tail")
    disk.frames[1] = 0
    return Forge(disks=[disk], files={})


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, the same for ever."""
    blocks = (hashlib.sha256(f"{seed} {n}".encode()).digest() for n in range(-(-size // 32)))
    return b"".join(blocks)[:size]


# --- changes ---


def places(data: bytes) -> dict[str, tuple[int, int, int]]:
    """Name -> offset of the header, offset of the data, size, as Python's tarfile has them."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {
            each.name: (each.offset, each.offset_data, each.size * each.isreg()) for each in tar
        }


def flip(name: str, at: int, bit: int = 1) -> Callable[[bytes], bytes]:
    """Flip bits ``at`` bytes behind the header's beginning of the member ``name``."""

    def edit(data: bytes) -> bytes:
        position = places(data)[name][0] + at
        return data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :]

    return edit


def cut(name: str, at: int = 0) -> Callable[[bytes], bytes]:
    """End ``at`` bytes behind the beginning of the header of the member ``name``."""
    return lambda data: data[: places(data)[name][0] + at]


def insert(position: int, *members: Member) -> Callable[[list[Member]], None]:
    def edit(found: list[Member]) -> None:
        found[position:position] = members

    return edit


def drop(number: int) -> Callable[[list[Member]], None]:
    def edit(found: list[Member]) -> None:
        del found[number]

    return edit


def swap(first: int, second: int) -> Callable[[list[Member]], None]:
    def edit(found: list[Member]) -> None:
        found[first], found[second] = found[second], found[first]

    return edit


def put(number: int, member: Member) -> Callable[[list[Member]], None]:
    def edit(found: list[Member]) -> None:
        found[number] = member

    return edit


def disk(**change: object) -> Callable[[Json], None]:
    """Change the record of the first disk."""
    return lambda value: value["disks"][0].update(change)


def file(**change: object) -> Callable[[Json], None]:
    """Change the record of the first file."""
    return lambda value: value["files"][0].update(change)


# --- parts ---


def split(made: Vector, sizes: Sequence[int], *, listed: bool = True) -> Vector:
    """Cut a bundle: parts of these sizes, and one of what is left."""
    parts: dict[str, bytes] = {}
    rest = made.data
    for number, size in enumerate([*sizes, len(rest)], 1):
        parts[f"{BUNDLE}.{number:03d}"], rest = rest[:size], rest[size:]
    lines = "".join(f"{sha256(data)}  {name}\n" for name, data in parts.items())
    return replace(made, files=parts | ({f"{BUNDLE}.parts": lines.encode()} if listed else {}))
