"""What a finished bundle must hold, read as anybody would read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bundle_spec import open_bundle, verify_bundle
from bundle_spec.errors import DownpourError
from bundle_spec.model import Manifest
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from downpour_import.source.decrypted import Keys, in_clear
from tests.soak.clouds.world import World
from tests.soak.oracle import Expected, Problems


@dataclass(frozen=True)
class Found:
    """``disks``: (type, ID of what was captured) -> its bytes, or their digest.  ``stored``: ID of
    the disk -> the same.  ``consistency``: of each capture."""

    manifest: Manifest
    disks: dict[tuple[str, str], bytes] = field(repr=False)
    stored: dict[str, bytes] = field(repr=False)
    consistency: dict[tuple[str, str], str]


def exists(path: Path) -> bool:
    """Whether it has its name: as one file, or as parts with their list."""
    return path.exists() or path.with_name(f"{path.name}.parts").exists()


@contextmanager
def _clear(path: Path, identity: Path | None) -> Iterator[BundleFiles]:
    named = path if path.exists() else path.with_name(f"{path.name}.parts")
    files = BundleFiles.of(named)
    with in_clear(files, Keys(identity=identity, place=path.parent), NULL) as clear:
        yield clear


def read(
    path: Path, identity: Path | None, take: Callable[[Iterable[bytes]], bytes]
) -> tuple[Found | None, list[str]]:
    """What it holds, verified down to the data; or what is wrong with it.

    ``take``: what is kept of the bytes of a disk: all of them, or a digest.
    """
    try:
        with _clear(path, identity) as files:
            manifest = verify_bundle(files, read_data=True).manifest
            stored = {}
            with open_bundle(files) as bundle:
                for disk in manifest.disks:
                    stored[disk.id] = take(bundle.disk(disk.id).stream())
    except DownpourError as exc:
        return None, [f"the bundle is not whole: {exc}"]
    disks, how = dict[tuple[str, str], bytes](), dict[tuple[str, str], str]()
    for disk in manifest.disks:
        if disk.capture:
            key = disk.capture.type, disk.capture.id
            disks[key], how[key] = stored[disk.id], disk.capture.consistency
    return Found(manifest, disks, stored, how), []


def expected_of(manifest: Manifest, source: World, on: Callable[[str], bool]) -> list[Expected]:
    """What an import of the bundle is to make.  ``on``: whether a server (ID) is to run."""
    found = []
    for record in manifest.resources:
        item = source.get(record.type, record.id)
        running = on(record.id) if record.type == "server" else None
        found.append(Expected(record.type, record.id, record.name, item, running))
    return found


def says_what_the_source_says(expected: list[Expected]) -> Problems:
    """Each resource is one of the source and is called as there; only the images that were made of
    servers are not there."""
    for each in expected:
        if each.item is None:
            if each.kind != "image":
                yield f"the bundle has {each.kind} {each.old}, which the source never had"
        elif each.kind != "floating_ip" and each.item.name != each.name:
            yield f"the bundle calls {each.item} {each.name!r}"


def nothing_beside(path: Path) -> Problems:
    """No unfinished bundle lies beside a finished one."""
    for file in sorted(path.parent.iterdir()):
        rest = file.name.removeprefix(path.name)
        if rest != file.name and not re.fullmatch(r"|\.\d{3,}|\.parts|\.key", rest):
            yield f"{file.name} lies beside the finished bundle"
