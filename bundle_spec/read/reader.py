r"""Read a bundle in place: its manifest, its small files, any bytes of its disks.

An example; ``web.qcow2`` gets the raw bytes of a disk:

>>> with open_bundle(Path("out.dpbundle")) as bundle:
...     for image in bundle.manifest.resources.images:
...         disk = bundle.disk(image.disk_id)
...         print(image.name, disk.size, disk.read(0, 4))
...         disk.save(Path("web.qcow2"))
web 196608 b'QFI\xfb'

Memory stays bounded.  All bytes that a reader gives were checked against the manifest; to check
the whole bundle first, open it by ``verify_bundle(path).open()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.form import digest, layout
from bundle_spec.form.layout import member_place
from bundle_spec.model import File
from bundle_spec.read.disk_reader import DiskReader
from bundle_spec.read.envelope import read_envelope
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.index import Index
from bundle_spec.read.source import Source


class BundleReader:
    """An open bundle.  Threads may share it; other processes open the path themselves.

    ``manifest_sha256``: in hex; it stands for the whole bundle [F-14].
    """

    def __init__(self, source: Source, manifest_sha256: str | None = None):
        """Use ``open_bundle``."""
        self._source = source
        self.path = source.path
        envelope = read_envelope(source)
        self.manifest = envelope.manifest
        self.manifest_sha256 = envelope.end.manifest_sha256
        if manifest_sha256 not in (None, self.manifest_sha256):
            raise BundleError(
                "not the bundle that was verified: its manifest is another one",
                where=str(source.path),
                remedy="verify it again",
                code=Code.OTHER_BUNDLE,
            )
        span = envelope.end.index
        if digest.of_stream(source.pieces(span.offset, span.size)) != self.manifest.index_sha256:
            raise BundleError(
                "not the digest that the manifest gives",
                where=member_place(layout.INDEX_NAME, span),
                code=Code.INDEX_DIGEST,
            )
        self._manifest_span = envelope.end.manifest
        self._index = Index(source, envelope)

    def manifest_bytes(self) -> bytes:
        """The bytes of ``manifest.json`` as they are stored, which ``manifest_sha256`` is of.

        Raises BundleError when they have changed since the bundle was opened.
        """
        span = self._manifest_span
        data = self._source.read(span.offset, span.size)
        if digest.of(data) != self.manifest_sha256:
            raise BundleError(
                "not the digest that END gives",
                where=member_place(layout.MANIFEST_NAME, span),
                code=Code.MANIFEST_DIGEST,
            )
        return data

    def read_file(self, path: str) -> bytes:
        """The bytes of a small file, ``playbook/site.yml``.

        Raises KeyError for a path that the manifest does not have, BundleError when it is damaged.
        """
        file = self._file(path)
        span = self._index.file(path, file.size)
        data = self._source.read(span.offset, span.size)
        if digest.of(data) != file.sha256:
            raise BundleError(
                "not the digest that the manifest gives",
                where=member_place(path, span),
                code=Code.FILE_DIGEST,
            )
        return data

    def disk(self, disk_id: str) -> DiskReader:
        """A reader of the disk with this ID, ``0001``.

        Raises KeyError when the manifest has no such disk, BundleError when its chunk list is
        damaged.
        """
        return DiskReader(self._source, self._index, self.manifest.disk(disk_id))

    def _file(self, path: str) -> File:
        for file in self.manifest.files:
            if file.path == path:
                return file
        raise KeyError(path)

    def close(self) -> None:
        """Close the bundle's files."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_bundle(
    path: Path | BundleFiles,
    folders: Sequence[Path] = (),
    *,
    manifest_sha256: str | None = None,
) -> BundleReader:
    """Open the bundle at ``path``: one file, or its parts, of which ``path`` may name any.

    Reads both ends and INDEX, not what lies between.  ``folders``: where else its parts may lie
    [S-3].  ``manifest_sha256``: refuse a bundle with another manifest.  Raises LocalError,
    UnsupportedBundle, BundleError.
    """
    source = BundleFiles.of(path, folders).open()
    try:
        return BundleReader(source, manifest_sha256)
    except BaseException:
        source.close()
        raise
