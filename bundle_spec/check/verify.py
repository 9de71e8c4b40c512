"""Check a bundle: report all its faults, or return a record of it that shows how far it is checked.

Only ``verify_bundle`` makes a VerifiedBundle, so a function that takes one need not check the file
again.  That a bundle is whole does not say who made it: see ``trust``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from bundle_spec.check.body_check import check_body
from bundle_spec.check.data_check import data_faults
from bundle_spec.check.part_check import copy_parts_again, locate_faults, part_faults
from bundle_spec.errors import MAX_FAULTS, BundleError, BundleFaults, Faults, UnsupportedBundle
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.model import Manifest
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.envelope import Envelope, read_envelope
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.reader import BundleReader, open_bundle
from bundle_spec.read.source import COPY_AGAIN, Source

Level = Literal["structure", "stored", "data"]
"""How deep a check went [F-16].

``structure``: everything but the frames: headers, order, links, padding, INDEX, chunk lists,
files, manifest.  ``stored``: also every frame was hashed and its header checked, so no byte is
left out.  ``data``: also every frame was decompressed and the digest of each disk compared.
"""

_TOKEN = object()


@dataclass(frozen=True)
class CheckedStructure:
    """A bundle whose structure is whole; the bytes of its disks were not checked.

    ``manifest_sha256``: in hex.  ``has_signature``: whether there is one; it was not checked.
    """

    files: BundleFiles
    manifest: Manifest
    manifest_sha256: str
    has_signature: bool = False
    level: Level = "structure"

    @property
    def path(self) -> Path:
        return self.files.path

    @property
    def folders(self) -> tuple[Path, ...]:
        return self.files.folders


@dataclass(frozen=True)
class VerifiedBundle:
    """A bundle that ``verify_bundle`` found whole.

    ``level``: ``stored`` or ``data``.  ``manifest_sha256``: in hex.  ``has_signature``: whether
    there is one; it was not checked.
    """

    files: BundleFiles
    manifest: Manifest
    manifest_sha256: str
    has_signature: bool
    level: Level
    token: InitVar[object]

    def __post_init__(self, token: object) -> None:
        if token is not _TOKEN:
            raise TypeError("a VerifiedBundle comes from verify_bundle only")

    @property
    def path(self) -> Path:
        return self.files.path

    @property
    def folders(self) -> tuple[Path, ...]:
        return self.files.folders

    def open(self) -> BundleReader:
        """A reader of the bundle that was verified.

        Raises BundleError when another lies at the path now [F-18], LocalError.
        """
        return open_bundle(self.files, manifest_sha256=self.manifest_sha256)


def verify_bundle(
    path: Path | BundleFiles,
    folders: Sequence[Path] = (),
    *,
    read_data: bool = False,
    progress: Progress = NULL,
) -> VerifiedBundle:
    """Check the whole bundle at ``path``; with ``read_data`` also decompress every disk.

    ``folders``: where else its parts may lie, if it is split [S-3].  Raises BundleFaults with
    every fault that is found, UnsupportedBundle, and LocalError when a file cannot be read.  Where
    an end of the file is damaged, only that is reported: without it the rest cannot be checked.
    """
    files = BundleFiles.of(path, folders)
    level: Level = "data" if read_data else "stored"
    envelope = verify_files(files.shown, files.parts, level, progress)
    return VerifiedBundle(
        files=files,
        manifest=envelope.manifest,
        manifest_sha256=envelope.end.manifest_sha256,
        has_signature=envelope.end.signature is not None,
        level=level,
        token=_TOKEN,
    )


def check_structure(
    path: Path | BundleFiles, folders: Sequence[Path] = (), *, progress: Progress = NULL
) -> CheckedStructure:
    """Check all but the frames, which takes far less time; it does not make a VerifiedBundle.

    Raises what ``verify_bundle`` raises.
    """
    files = BundleFiles.of(path, folders)
    envelope = verify_files(files.shown, files.parts, "structure", progress)
    manifest, end = envelope.manifest, envelope.end
    return CheckedStructure(files, manifest, end.manifest_sha256, end.signature is not None)


def verify_files(path: Path, parts: Sequence[Path], level: Level, progress: Progress) -> Envelope:
    """Check the bundle that ``parts`` make up; ``path`` is its name for people.

    Raises what ``verify_bundle`` raises.
    """
    with Source(path, parts) as source:
        try:
            envelope = read_envelope(source)
            faults = _faults(source, envelope, level, progress)
        except UnsupportedBundle:
            raise
        except BundleError as exc:
            faults = _single_faults(exc)
        if faults:
            raise _not_whole(path, source, faults, progress)
        return envelope


def _not_whole(
    path: Path, source: Source, faults: list[BundleError], progress: Progress
) -> BundleFaults:
    """The error that has all faults, and one remedy for them."""
    locate_faults(faults, source)
    of_parts = part_faults(path, source, progress)
    for fault in faults:
        if fault.remedy == COPY_AGAIN:
            fault.remedy = None
    # A damaged part explains every other fault, and then the others need not be carried again.
    remedy = copy_parts_again(of_parts) if of_parts else COPY_AGAIN
    return BundleFaults(f"{path} is not a whole bundle", [*of_parts, *faults], remedy=remedy)


def _faults(
    source: Source, envelope: Envelope, level: Level, progress: Progress
) -> list[BundleError]:
    faults = check_body(source, envelope, progress, read_chunks=level != "structure")
    faults += islice(graph_faults(envelope.manifest), MAX_FAULTS)
    if level == "data":
        faults += data_faults(source, envelope, progress, frames_checked=not faults)
    return faults


def _single_faults(error: BundleError) -> list[BundleError]:
    if isinstance(error, Faults):
        return [fault for fault in error.faults if isinstance(fault, BundleError)]
    return [error]
