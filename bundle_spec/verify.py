"""Check every stored byte of a bundle and tell all faults.  The result is a type of its own.

A VerifiedBundle can only come from here: whoever takes one need not ask again whether the file
is whole.  Whole does not mean trusted: digests show damage, a signature shows the author.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Literal

from bundle_spec import layout
from bundle_spec.body_check import check_body
from bundle_spec.disk_reader import DiskReader
from bundle_spec.envelope import COPY_AGAIN, Envelope, read_envelope
from bundle_spec.errors import BundleError, BundleFaults, Faults, UnsupportedBundle
from bundle_spec.graph_check import graph_faults
from bundle_spec.index import Index
from bundle_spec.model import Manifest
from bundle_spec.progress import NULL, Progress
from bundle_spec.reader import BundleReader, open_bundle
from bundle_spec.source import Source

Level = Literal["stored", "data"]
"""``stored``: every byte of the file was hashed and every header checked.  ``data``: also every
chunk was decompressed and the digest of each disk's raw bytes compared."""

_OURS = object()


@dataclass(frozen=True)
class VerifiedBundle:
    """A bundle that ``verify_bundle`` found whole."""

    path: Path
    manifest: Manifest
    manifest_sha256: str
    level: Level
    token: InitVar[object]

    def __post_init__(self, token: object) -> None:
        if token is not _OURS:
            raise TypeError("a VerifiedBundle comes from verify_bundle only")

    def open(self) -> BundleReader:
        """A reader of this very bundle.  Raises BundleError when another lies at the path now."""
        return open_bundle(self.path, manifest_sha256=self.manifest_sha256)


def verify_bundle(
    path: Path, *, read_data: bool = False, progress: Progress = NULL
) -> VerifiedBundle:
    """Check the whole bundle at ``path``; with ``read_data`` also decompress every disk.

    Raises BundleFaults with every fault that can be told, UnsupportedBundle, and LocalError
    when the file cannot be read.  Where an end of the file is damaged, nothing between can be
    judged, and only that is told.
    """
    with Source(path) as source:
        try:
            envelope = read_envelope(source)
            faults = _faults(source, envelope, read_data, progress)
        except UnsupportedBundle:
            raise
        except BundleError as exc:
            faults = _each(exc)
    if faults:
        raise BundleFaults(f"{path} is not a whole bundle", faults, remedy=COPY_AGAIN)
    return VerifiedBundle(
        path=path,
        manifest=envelope.manifest,
        manifest_sha256=envelope.end.manifest_sha256,
        level="data" if read_data else "stored",
        token=_OURS,
    )


def _faults(
    source: Source, envelope: Envelope, read_data: bool, progress: Progress
) -> list[BundleError]:
    faults = check_body(source, envelope, progress)
    faults += graph_faults(envelope.manifest)
    if read_data:
        faults += _data_faults(source, envelope, progress)
    return faults


def _data_faults(source: Source, envelope: Envelope, progress: Progress) -> Iterator[BundleError]:
    """The first fault of each disk's raw bytes."""
    index = Index(source, envelope)
    disks = envelope.manifest.all_disks()
    with progress.task("read", sum(disk.size for disk in disks), "bytes") as task:
        for disk in disks:
            try:
                for piece in DiskReader(source, index, disk).stream(layout.MIB):
                    task.advance(len(piece))
            except BundleError as exc:
                yield from _each(exc)


def _each(error: BundleError) -> list[BundleError]:
    if isinstance(error, Faults):
        return [fault for fault in error.faults if isinstance(fault, BundleError)]
    return [error]
