"""Write a bundle in one pass: streams in, one verified file with its final name out."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bundle_spec.check.verify import verify_files
from bundle_spec.errors import BundleError, BundleFaults, DownpourError
from bundle_spec.form import digest, layout
from bundle_spec.form.frame import Compressor
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.layout import End, Span
from bundle_spec.form.manifest_text import format_manifest, parse_manifest
from bundle_spec.model import AbandonedDisk, Content, Disk, File, Manifest
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.index import pack
from bundle_spec.trust.age import Recipient
from bundle_spec.write.disk_writer import DiskWriter, Prepared
from bundle_spec.write.journal import ClosedList, OpenDisk
from bundle_spec.write.partial import PartialFile
from bundle_spec.write.store import ChunkStore

IN_FLIGHT = 32 * layout.MIB
"""Raw bytes of all disks together that wait for compression or for their place."""


@dataclass(frozen=True)
class FinishedBundle:
    """A bundle with its final name.

    ``path``: the file, or the list of its parts.  ``size``: of the file, or of all parts;
    ``stored``: of its frames, in bytes.
    """

    path: Path
    size: int
    manifest_sha256: str
    manifest: Manifest
    stored: int


Sign = Callable[[bytes], bytes]
"""The stored bytes of a manifest -> their signature [F-13]."""


class BundleWriter:
    """Writes ``path``, under the name ``path.partial`` until it is whole and verified.

    Several disks may be written at once, each from a thread of its own.  A context manager:
    leaving it without ``finish`` keeps what was captured, and the next writer of the same path
    goes on there: see ``ended_disks``, ``open_disks`` and ``note``.  Where there is nothing to
    go on with, nothing is left.

    ``part_size``: bytes of a part, for a bundle that is split as it is written [S-1].
    ``resume`` False: forget what another run left.  ``sign``: asked once, when the manifest is
    whole.  ``encrypt_to``: recipients of ``age``; the bundle is an age file then, of which no clear
    byte is ever on the medium, and which no later run can go on with.  Raises LocalError.
    """

    def __init__(
        self,
        path: Path,
        *,
        level: int = 3,
        threads: int | None = None,
        overwrite: bool = False,
        part_size: int | None = None,
        resume: bool = True,
        progress: Progress = NULL,
        sign: Sign | None = None,
        encrypt_to: Sequence[Recipient] = (),
    ):
        self._progress = progress
        self._sign = sign
        self._encrypted = bool(encrypt_to)
        self._compress = Compressor(level)
        self._in_flight = 0
        self._flight_lock = threading.Lock()
        self._zeros: dict[int, bytes] = {}
        # Written with the tail, so that the next run may bring others.
        self._files: dict[str, bytes] = {}
        self._closed = False
        self._store = ChunkStore(
            path,
            overwrite=overwrite,
            part_size=part_size,
            resume=resume,
            encrypt_to=encrypt_to,
        )
        self._pool = ThreadPoolExecutor(threads or min(os.cpu_count() or 1, 8), "compress")
        self._writing: set[str] = set()
        try:
            with self._store.journal() as journal:
                # What a run that is forgotten left elsewhere bears its uuid, and stays to be found.
                left = journal.get("uuid") or self._store.forgotten
                self.uuid: str = left or str(uuid.uuid4())
                self.not_the_first = left is not None
                """Whether another run bore this uuid, be it gone on with or forgotten."""
                journal.set("uuid", self.uuid)
                self._next_disk = journal.last_disk() + 1
                self._left = {disk.id: disk for disk in journal.open_disks()}
        except BaseException:
            self._pool.shutdown()
            self._store.leave()
            raise

    # --- what an earlier run left ---

    @property
    def resumed(self) -> bool:
        """Whether this writer goes on where another one stopped."""
        return self._store.resumed

    @property
    def kept(self) -> Path | None:
        """What the next writer will go on with: set when this one was left without ``finish``."""
        return self._store.kept

    def keep(self, worth: bool) -> None:
        """Whether the notes alone are worth a next run, where no chunk is stored yet."""
        self._store.keep = worth

    def ended_disks(self) -> dict[str, Disk]:
        """Label -> record of every disk that is in the bundle whole."""
        with self._store.journal() as journal:
            found = journal.disks().values()
        return {label: record for record, _, label in found if isinstance(record, Disk)}

    def open_disks(self) -> list[OpenDisk]:
        """The disks that an earlier run left unfinished; ``finish`` abandons those that are not
        taken up by ``resume_disk``."""
        return [disk for disk in self._left.values() if self._size_left(disk) == disk.size]

    def resume_disk(
        self, disk: OpenDisk, seen: Callable[[bytes], object] | None = None
    ) -> DiskWriter:
        """Go on with a disk: its ``size`` tells which byte must come next.

        What is there is read back, decompressed and hashed; ``seen`` is given these bytes, in
        order, for a digest of the caller's own.  Raises LocalError when it is not what was
        written; the disk can then only be abandoned.
        """
        writer = DiskWriter(self, disk.id, disk.disk_format, disk.chunk_size)
        writer.go_on(self._store.frames(disk.id), seen)
        del self._left[disk.id]
        self._writing.add(disk.id)
        return writer

    def abandon_disk(self, disk: str) -> None:
        """A whole disk that nobody wants any more: its chunks stay in the file, but are no disk.

        Raises KeyError when there is no such disk.
        """
        with self._store.journal() as journal:
            record, span, _ = journal.disks()[disk]
            kept = {each.name for each in dataclasses.fields(AbandonedDisk)}
            values = {key: getattr(record, key) for key in kept}
            journal.end_disk(AbandonedDisk(**values), span)

    def note(self, key: str) -> str | None:
        """What ``set_note`` kept, in this run or in one before."""
        with self._store.journal() as journal:
            return journal.note(key)

    def set_note(self, key: str, value: str) -> None:
        """Keep a text in the journal of the unfinished bundle; it never gets into the bundle.

        It is durable after ``checkpoint``, or when the next disk has ended.
        """
        with self._store.journal() as journal:
            journal.set_note(key, value)

    def checkpoint(self) -> None:
        """All that was written and noted so far survives whatever comes.  Raises LocalError."""
        self._store.checkpoint()

    # --- what the exporter calls ---

    def disk(
        self, disk_format: str, *, size_hint: int | None = None, label: str = ""
    ) -> DiskWriter:
        """Begin a disk.

        ``size_hint``: about how many bytes will come (it sets the chunk size).  ``label``: by
        which the exporter knows it again in ``ended_disks`` and ``open_disks``.
        """
        with self._store.journal() as journal:
            if self._next_disk > layout.MAX_DISKS:
                raise self._store.over_limit(f"{layout.MAX_DISKS} disks")
            disk = layout.disk_id(self._next_disk)
            chunk_size = layout.chunk_size_for(disk_format, size_hint)
            journal.begin_disk(disk, label, disk_format, chunk_size)
            self._next_disk += 1
            self._writing.add(disk)
        return DiskWriter(self, disk, disk_format, chunk_size)

    def add_file(self, path: str, data: bytes) -> None:
        """Add a small file, ``playbook/site.yml``.  Raises ValueError for a name it cannot have."""
        fault = layout.file_path_fault(path)
        if len(data) > layout.MAX_FILE_SIZE:
            fault = f"a file is larger than {layout.MAX_FILE_SIZE} bytes"
        if fault or path in self._files:
            raise ValueError(f"{path}: {fault or 'added twice'}")
        self._files[path] = data

    def finish(self, content: Content) -> FinishedBundle:
        """Seal, sync and verify the file, and give it its name.

        Raises BundleFaults when ``content`` breaks a rule of the manifest, for one that it refers
        to what is not there: other content may then be given.  Raises LocalError, and BundleFaults
        when what reached the medium is not what was written.
        """
        store = self._store
        with store.writing():
            pass  # a failure is told before anything else
        if self._writing:
            raise RuntimeError(f"disks still open: {', '.join(sorted(self._writing))}")
        for disk in self._left.values():
            self.abandon(disk.id, disk.chunk_size, self._size_left(disk))
        self._left.clear()
        store.checkpoint()
        with store.writing() as file:
            manifest = self._manifest(content)
            self._check(manifest)
            store.seal()
            files = [file.append(each.path, self._files[each.path]) for each in manifest.files]
            index, index_sha256 = self._write_index(manifest, files)
            manifest = dataclasses.replace(manifest, index_sha256=index_sha256)
            data = format_manifest(manifest)
            end = End(
                index=index,
                manifest=file.append(layout.MANIFEST_NAME, data),
                signature=self._append_signature(file, data),
                manifest_sha256=digest.of(data),
            )
            file.append(layout.END_NAME, layout.encode_end(end))
            file.end()
        try:
            if self._encrypted:
                file.check_written(self._progress)
            else:
                verify_files(file.path, file.files(), "stored", self._progress)
        except DownpourError as exc:
            store.fail(exc, useless=isinstance(exc, BundleError))
            raise
        stored = sum(disk.stored for disk in manifest.all_disks())
        self._shut_pool()
        size = sum(each.stat().st_size for each in file.files())
        path = store.publish()
        self._closed = True
        return FinishedBundle(
            path=path,
            size=size,
            manifest_sha256=end.manifest_sha256,
            manifest=manifest,
            stored=stored,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._closed:
            self._closed = True
            self._shut_pool()
            self._store.leave()

    def _shut_pool(self) -> None:
        # Threads of the pool may wait for the store's lock, so nobody may hold it and wait.
        self._pool.shutdown(cancel_futures=True)

    # --- what disks call (disk_writer.Stage) ---

    def reserve(self, size: int, *, force: bool) -> bool:
        """Whether ``size`` more raw bytes may be in flight; ``force`` takes them in any case."""
        with self._flight_lock:
            if not force and self._in_flight + size > IN_FLIGHT:
                return False
            self._in_flight += size
            return True

    def release(self, size: int) -> None:
        with self._flight_lock:
            self._in_flight -= size

    def prepare(self, chunks: list[bytes]) -> Future[list[Prepared]]:
        return self._pool.submit(lambda: [self._prepare(chunk) for chunk in chunks])

    def _prepare(self, raw: bytes) -> Prepared:
        content = self._zero_digest(len(raw)) if raw == bytes(len(raw)) else None
        content = content or hashlib.sha256(raw).digest()
        return Prepared(content, raw, None if self._store.knows(content) else self._compress(raw))

    def _zero_digest(self, length: int) -> bytes:
        if length not in self._zeros:
            self._zeros[length] = hashlib.sha256(bytes(length)).digest()
        return self._zeros[length]

    def place(self, disk: str, number: int, chunk: Prepared) -> None:
        """Write a chunk: as a link when its content is stored already, else as a frame."""
        self._store.add_chunk(
            disk, number, chunk.content, lambda: chunk.frame or self._compress(chunk.raw)
        )

    def close_disk(self, disk: str, chunks: int) -> ClosedList:
        """Write a disk's chunk list."""
        return self._store.close_disk(disk, chunks)

    def disk_done(self, record: Disk, span: Span) -> None:
        """The disk is whole, and so it stays whatever comes."""
        self._store.disk_done(record, span)
        self._writing.discard(record.id)

    def abandon(self, disk: str, chunk_size: int, size: int) -> None:
        """What is stored of the disk, ``size`` bytes, stays in the file but is no disk."""
        chunks = layout.chunk_count(size, chunk_size)
        closed = self._store.close_disk(disk, chunks)
        record = AbandonedDisk(
            id=disk,
            chunk_size=chunk_size,
            size=size,
            chunks=chunks,
            list_sha256=closed.sha256,
            stored=closed.stored,
            shared=closed.shared,
        )
        self._store.disk_done(record, closed.span)
        self._writing.discard(disk)

    # --- the tail ---

    def _size_left(self, disk: OpenDisk) -> int:
        """The bytes that are stored of a disk: its last chunk may be short."""
        (last,) = self._store.frames(disk.id, disk.chunks - 1)
        return disk.size - disk.chunk_size + len(last)

    def _append_signature(self, file: PartialFile, manifest: bytes) -> Span | None:
        if self._sign is None:
            return None
        return file.append(layout.SIGNATURE_NAME, self._sign(manifest))

    def _write_index(self, manifest: Manifest, files: list[Span]) -> tuple[Span, str]:
        disks = manifest.all_disks()
        count = sum(disk.chunks for disk in disks) + len(disks) + len(files)
        running = digest.new()
        entries = digest.tee(map(pack, self._spans(disks, files)), running)
        with self._store.writing() as file:
            span = file.append_stream(layout.INDEX_NAME, count * layout.INDEX_ENTRY, entries)
        return span, running.hexdigest()

    def _spans(self, disks: Iterable[Disk | AbandonedDisk], files: list[Span]) -> Iterator[Span]:
        with self._store.journal() as journal:
            ended = journal.disks()
            for disk in disks:
                yield from (span for span, _ in journal.frames(disk.id))
                yield ended[disk.id][1]
        yield from files

    def _manifest(self, content: Content) -> Manifest:
        """All but the digest of INDEX, which is not written yet."""
        with self._store.journal() as journal:
            disks = [record for record, _, _ in journal.disks().values()]
        said = {each.name: getattr(content, each.name) for each in dataclasses.fields(Content)}
        return Manifest(
            **said,
            format="dpbundle",
            version=(layout.MAJOR, layout.MINOR),
            uuid=self.uuid,
            disks=tuple(disk for disk in disks if isinstance(disk, Disk)),
            abandoned=tuple(disk for disk in disks if isinstance(disk, AbandonedDisk)),
            files=tuple(
                File(path=path, size=len(data), sha256=digest.of(data))
                for path, data in sorted(self._files.items())
            ),
            index_sha256=digest.of(b""),
        )

    @staticmethod
    def _check(manifest: Manifest) -> None:
        """Read the manifest as a reader will: types, rules, references."""
        data = format_manifest(manifest)
        faults: Sequence[BundleError] = list(
            graph_faults(parse_manifest(data, layout.MANIFEST_NAME))
        )
        if faults:
            raise BundleFaults("the content does not make a bundle", faults)
