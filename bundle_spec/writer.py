"""Write a bundle in one pass: streams in, one verified file with its final name out."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bundle_spec import digest, layout
from bundle_spec.chunk_index import ChunkIndex, Stored
from bundle_spec.disk_writer import DiskWriter, Prepared
from bundle_spec.errors import BundleFaults, DownpourError, LocalError
from bundle_spec.frame import Compressor
from bundle_spec.graph_check import graph_faults
from bundle_spec.index import pack
from bundle_spec.layout import End, Span
from bundle_spec.manifest_text import format_manifest, parse_manifest
from bundle_spec.model import AbandonedDisk, Content, Disk, File, Manifest
from bundle_spec.partial import PartialFile
from bundle_spec.progress import NULL, Progress
from bundle_spec.verify import verify_bundle

IN_FLIGHT = 32 * layout.MIB
"""Raw bytes of all disks together that wait for compression or for their place."""


@dataclass(frozen=True)
class FinishedBundle:
    """A bundle with its final name.  ``size``: of the file; ``stored``: of its frames, in bytes."""

    path: Path
    size: int
    manifest_sha256: str
    manifest: Manifest
    stored: int


class BundleWriter:
    """Writes ``path``, under the name ``path.partial`` until it is whole and verified.

    Several disks may be written at once, each from a thread of its own.  A context manager:
    leaving it without ``finish`` removes what was written.  Raises LocalError.
    """

    def __init__(
        self,
        path: Path,
        *,
        level: int = 3,
        threads: int | None = None,
        overwrite: bool = False,
        progress: Progress = NULL,
    ):
        self.uuid = str(uuid.uuid4())
        self._progress = progress
        self._compress = Compressor(level)
        self._lock = threading.RLock()
        self._in_flight = 0
        self._failure: DownpourError | None = None
        self._next_disk = 1
        self._chunks = 0
        self._stored = 0
        self._open_disks: set[str] = set()
        self._disks: dict[str, Disk | AbandonedDisk] = {}
        self._lists: dict[str, Span] = {}
        self._files: dict[str, tuple[File, Span]] = {}
        self._closed = False
        self._file = PartialFile(path, overwrite=overwrite)
        self._pool = ThreadPoolExecutor(threads or min(os.cpu_count() or 1, 8), "compress")
        try:
            with self._writing():
                index_path = self._file.path.with_name(self._file.path.name + ".index")
                self._index = ChunkIndex(index_path)
                self._file.append(layout.MAGIC_NAME, layout.MAGIC)
        except BaseException:
            self._file.discard()
            raise

    # --- what the exporter calls ---

    def disk(self, disk_format: str, *, size_hint: int | None = None) -> DiskWriter:
        """Begin a disk.  ``size_hint``: about how many bytes will come (it sets the chunk size)."""
        with self._writing():
            if self._next_disk > layout.MAX_DISKS:
                raise LocalError(
                    f"a bundle holds at most {layout.MAX_DISKS} disks",
                    where=str(self._file.path),
                    remedy="make two bundles",
                )
            disk = layout.disk_id(self._next_disk)
            self._next_disk += 1
            self._open_disks.add(disk)
        return DiskWriter(self, disk, disk_format, size_hint)

    def add_file(self, path: str, data: bytes) -> None:
        """Add a small file, ``playbook/site.yml``.  Raises ValueError for a name it cannot have."""
        fault = layout.file_path_fault(path)
        if len(data) > layout.MAX_FILE_SIZE:
            fault = f"a file is larger than {layout.MAX_FILE_SIZE} bytes"
        if fault or path in self._files:
            raise ValueError(f"{path}: {fault or 'added twice'}")
        with self._writing():
            span = self._file.append(path, data)
            record = File(path=path, size=len(data), sha256=digest.of(data))
            self._files[path] = (record, span)

    def finish(self, content: Content) -> FinishedBundle:
        """Seal, sync and verify the file, and give it its name.

        Raises BundleFaults when ``content`` breaks a rule of the manifest, for one that it refers
        to what is not there: other content may then be given.  Raises LocalError, and BundleFaults
        when what reached the medium is not what was written.
        """
        with self._writing():
            if self._open_disks:
                raise RuntimeError(f"disks still open: {', '.join(sorted(self._open_disks))}")
            manifest = self._manifest(content)
            self._check(manifest)
            index, index_sha256 = self._write_index()
            manifest = dataclasses.replace(manifest, index_sha256=index_sha256)
            data = format_manifest(manifest)
            end = End(
                index=index,
                manifest=self._file.append(layout.MANIFEST_NAME, data),
                signature=None,
                manifest_sha256=digest.of(data),
            )
            self._file.append(layout.END_NAME, layout.encode_end(end))
            self._file.end()
        try:
            verify_bundle(self._file.path, progress=self._progress)
        except DownpourError as exc:
            self._failure = exc
            raise
        with self._writing():
            self._file.publish()
        self._close()
        return FinishedBundle(
            path=self._file.final_path,
            size=self._file.position,
            manifest_sha256=end.manifest_sha256,
            manifest=manifest,
            stored=self._stored,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._closed:
            self._close()
            self._file.discard()

    def _close(self) -> None:
        # Threads of the pool may wait for the lock, so nobody may hold it and wait for them.
        self._pool.shutdown(cancel_futures=True)
        with self._lock:
            self._closed = True
            self._index.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time; after a failure, the same failure again.

        A member that was written in part cannot be taken back, so nothing may follow it.
        """
        with self._lock:
            if self._failure:
                raise self._failure
            if self._closed:
                raise RuntimeError("the bundle is closed")
            try:
                yield
            except LocalError as exc:
                self._failure = exc
                raise
            except sqlite3.Error as exc:
                self._failure = LocalError(
                    f"cannot keep the chunk index: {exc}",
                    where=f"{self._file.path}.index",
                    remedy="make room or choose another place, then run again",
                )
                raise self._failure from exc

    # --- what disks call (disk_writer.Stage) ---

    def reserve(self, size: int, *, force: bool) -> bool:
        """Whether ``size`` more raw bytes may be in flight; ``force`` takes them in any case."""
        with self._lock:
            if not force and self._in_flight + size > IN_FLIGHT:
                return False
            self._in_flight += size
            return True

    def release(self, size: int) -> None:
        with self._lock:
            self._in_flight -= size

    def prepare(self, chunks: list[bytes]) -> Future[list[Prepared]]:
        return self._pool.submit(lambda: [self._prepare(chunk) for chunk in chunks])

    def _prepare(self, raw: bytes) -> Prepared:
        if raw == bytes(len(raw)):
            return Prepared(b"zero %d" % len(raw), raw, None)
        key = hashlib.sha256(raw).digest()
        with self._writing():
            known = self._index.find(key) is not None
        return Prepared(key, raw, None if known else self._compress(raw))

    def place(self, disk: str, number: int, chunk: Prepared) -> None:
        """Write a chunk: as a link when its content is stored already, else as a frame."""
        with self._writing():
            name = layout.chunk_name(disk, number)
            if self._chunks == layout.MAX_TOTAL_CHUNKS:
                raise LocalError(
                    f"a bundle holds at most {layout.MAX_TOTAL_CHUNKS} chunks",
                    where=str(self._file.path),
                    remedy="make two bundles",
                )
            self._chunks += 1
            # Asked again, now in order: another disk may have stored it since, or the chunk
            # that was to be the target may have all the links that it can have.
            target = self._index.find(chunk.key)
            if target:
                self._file.append_link(name, layout.chunk_name(target.disk, target.number))
                self._index.add_link(chunk.key, target._replace(disk=disk, number=number))
                return
            frame = chunk.frame or self._compress(chunk.raw)
            span = self._file.append(name, frame)
            sha256 = hashlib.sha256(frame).digest()
            self._index.add_stored(chunk.key, Stored(disk, number, span.offset, span.size, sha256))
            self._stored += span.size

    def close_disk(self, disk: str, chunks: int) -> str:
        """Write a disk's chunk list.  Returns its digest."""
        running = digest.new()
        with self._writing():
            lines = (
                layout.list_line(sha256, disk, number)
                for number, sha256 in enumerate(self._index.digests(disk))
            )
            self._lists[disk] = self._file.append_stream(
                layout.list_name(disk), chunks * layout.LIST_LINE, digest.tee(lines, running)
            )
        return running.hexdigest()

    def disk_done(self, record: Disk | AbandonedDisk) -> None:
        with self._lock:
            self._open_disks.discard(record.id)
            self._disks[record.id] = record

    # --- the tail ---

    def _all_disks(self) -> list[Disk | AbandonedDisk]:
        """In manifest order: disks, then abandoned ones, each by id."""
        return sorted(self._disks.values(), key=lambda d: (isinstance(d, AbandonedDisk), d.id))

    def _write_index(self) -> tuple[Span, str]:
        disks, files = self._all_disks(), sorted(self._files)
        count = sum(disk.chunks for disk in disks) + len(disks) + len(files)
        running = digest.new()
        entries = digest.tee(map(pack, self._spans(disks, files)), running)
        span = self._file.append_stream(layout.INDEX_NAME, count * layout.INDEX_ENTRY, entries)
        return span, running.hexdigest()

    def _spans(self, disks: Iterable[Disk | AbandonedDisk], files: Iterable[str]) -> Iterator[Span]:
        for disk in disks:
            yield from self._index.spans(disk.id)
            yield self._lists[disk.id]
        for path in files:
            yield self._files[path][1]

    def _manifest(self, content: Content) -> Manifest:
        """All but the digest of INDEX, which is not written yet."""
        disks = self._all_disks()
        said = {each.name: getattr(content, each.name) for each in dataclasses.fields(Content)}
        return Manifest(
            **said,
            format="dpbundle",
            version=(layout.MAJOR, layout.MINOR),
            uuid=self.uuid,
            disks=tuple(disk for disk in disks if isinstance(disk, Disk)),
            abandoned=tuple(disk for disk in disks if isinstance(disk, AbandonedDisk)),
            files=tuple(self._files[path][0] for path in sorted(self._files)),
            index_sha256=digest.of(b""),
        )

    @staticmethod
    def _check(manifest: Manifest) -> None:
        """Read the manifest as a reader will: types, rules, references."""
        data = format_manifest(manifest)
        faults = list(graph_faults(parse_manifest(data, layout.MANIFEST_NAME)))
        if faults:
            raise BundleFaults("the content does not make a bundle", faults)
