"""Find the part in which a fault of a split bundle lies, and parts that differ from the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bundle_spec.codes import Code, Place
from bundle_spec.errors import BundleError
from bundle_spec.form import digest
from bundle_spec.progress import Progress
from bundle_spec.read.parts import bundle_name, read_list
from bundle_spec.read.source import Source

_FEW = 5
"""More parts than this are not named twice in one error."""


def locate_faults(faults: Iterable[BundleError], source: Source) -> None:
    """Add to each fault the part in which its member begins."""
    if len(source.parts) < 2:
        return
    for fault in faults:
        where = fault.where
        if isinstance(where, Place):
            part = source.part_at(where.offset).path.name
            fault.where = Place(where.member, where.offset, part)


def part_faults(path: Path, source: Source, progress: Progress) -> list[BundleError]:
    """A fault for every part without the digest of the list [S-4]: it is damaged or misplaced.

    Reads all parts once more, so it is called only when a fault was found.
    """
    if len(source.parts) < 2:
        return []
    folders = [part.path.parent for part in source.parts]
    listed = read_list(bundle_name(path), folders)
    if not listed:
        return []
    digests = {}
    with progress.task("parts", source.size, "bytes") as task:
        for part in source.parts:
            digests[part.path.name] = digest.of_stream(source.pieces(part.offset, part.size))
            task.advance(part.size)
    names = {sha256: name for name, sha256 in listed.items()}
    return [
        BundleError(
            f"it holds the bytes of {names[sha256]}: the parts are swapped"
            if sha256 in names
            else "not the digest that the list of the parts gives: "
            "it is damaged, or from another bundle",
            where=name,
            code=Code.PART_DIGEST,
        )
        for name, sha256 in digests.items()
        if sha256 != listed.get(name)
    ]


def copy_parts_again(faults: Sequence[BundleError]) -> str:
    """The remedy for the faults of ``part_faults``."""
    names = [str(fault.where) for fault in faults]
    return f"copy {', '.join(names) if len(names) <= _FEW else 'the parts that are named'} again"
