r"""Write a bundle in one pass: streams of bytes in, one verified file with its final name out.

An example with one disk; ``image`` is the path of a qcow2 file, and ``content_of`` makes a
``bundle_spec.model.Content`` in which an image of the tenant has the disk's ID:

>>> with BundleWriter(Path("out.dpbundle")) as writer:
...     disk = writer.disk("qcow2", size_hint=image.stat().st_size, label="volume web-1")
...     with image.open("rb") as file:
...         while piece := file.read(2**20):
...             disk.write(piece)
...     record = disk.finish()
...     writer.add_file("playbook/site.yml", b"---\n")
...     finished = writer.finish(content_of(record))
>>> print(finished.path, [disk.sha256 == record.sha256 for disk in finished.manifest.disks])
out.dpbundle [True]
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bundle_spec.check.verify import verify_files
from bundle_spec.errors import BundleError, DownpourError
from bundle_spec.form import layout
from bundle_spec.model import AbandonedDisk, Content, Disk, Manifest
from bundle_spec.progress import NULL, Progress
from bundle_spec.trust.age import Recipient
from bundle_spec.write.disk_writer import DiskWriter
from bundle_spec.write.journal import OpenDisk
from bundle_spec.write.stage import Stage
from bundle_spec.write.store import ChunkStore
from bundle_spec.write.tail import Sign, make_manifest, write_tail


@dataclass(frozen=True)
class FinishedBundle:
    """A bundle with its final name.

    ``path``: the file, or the list of its parts.  ``size``: bytes of the file, or of all parts
    together.  ``stored``: bytes of all its frames together.  ``manifest_sha256``: in hex; it stands
    for the whole bundle [F-14].
    """

    path: Path
    size: int
    manifest_sha256: str
    manifest: Manifest
    stored: int


class BundleWriter:
    """Writes ``path``, under the name ``path.partial`` until it is whole and verified [F-19].

    Several disks may be written at once, each from a thread of its own.  Use it as a context
    manager: leaving it without ``finish`` keeps what was captured, and the next writer of the same
    path goes on from there: see ``ended_disks``, ``open_disks`` and ``recall``.  Where there is
    nothing to go on with, nothing is left.
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
        """Go on with the unfinished bundle of ``path``, or begin a new one.

        ``level``: of zstd.  ``threads``: how many compress; None: one for each core, at most eight.
        ``overwrite``: replace a bundle that is there, once the new one is whole.
        ``part_size``: bytes of a part, for a bundle that is split as it is written [S-1].
        ``resume`` False: remove what another run left.  ``sign``: called once, when the manifest is
        complete.  ``encrypt_to``: recipients of ``age``: the bundle is an age file then, no clear
        byte of it is ever on the medium, and no later run can go on with it.  Raises LocalError;
        ValueError for parts that are too small [F-17].
        """
        self._progress = progress
        self._sign = sign
        self._encrypted = bool(encrypt_to)
        # Written with the tail, so that the next run may bring others.
        self._files: dict[str, bytes] = {}
        self._closed = False
        self.may_be_published = False
        """Whether the bundle has its final name, or may have it: what goes with it must stay."""
        self._store = ChunkStore(
            path,
            overwrite=overwrite,
            part_size=part_size,
            resume=resume,
            encrypt_to=encrypt_to,
        )
        self._stage = Stage(self._store, level=level, threads=threads)
        try:
            with self._store.journal() as journal:
                # A forgotten run may have left objects in the cloud, which are found by its uuid.
                earlier = journal.get("uuid") or self._store.forgotten
                self.uuid: str = earlier or str(uuid.uuid4())
                """Of the bundle; the same in every run that goes on with it."""
                self.has_earlier_run = earlier is not None
                """Whether an earlier run had this uuid, whether this one goes on with it or not."""
                journal.set("uuid", self.uuid)
                self._store.note_uuid(self.uuid)
                self._next_disk = journal.last_disk() + 1
                self._open_disks = {disk.id: disk for disk in journal.open_disks()}
        except BaseException:
            self._stage.close()
            self._store.leave()
            raise

    # --- what an earlier run left ---

    @property
    def resumed(self) -> bool:
        """Whether this writer goes on where another one stopped."""
        return self._store.resumed

    @property
    def kept(self) -> Path | None:
        """The file that the next writer will go on with; None until this one was left without
        ``finish``, or where it left nothing."""
        return self._store.kept

    def require_room_for(self, size: int) -> None:
        """Raises LocalError where this bundle is one file, and may hold ``size`` raw bytes, which
        would be more than a file on this medium can have."""
        with self._store.writing() as file:
            file.require_room_for(size)

    def keep_if_empty(self, keep: bool) -> None:
        """Whether the next run shall go on even if no chunk is stored: for the remembered texts."""
        self._store.keep_if_empty = keep

    def ended_disks(self) -> dict[str, Disk]:
        """Label -> record of every disk that is in the bundle whole."""
        with self._store.journal() as journal:
            rows = journal.disks().values()
        return {label: record for record, _, label in rows if isinstance(record, Disk)}

    def open_disks(self) -> list[OpenDisk]:
        """The disks that an earlier run left unfinished; ``finish`` abandons those that are not
        taken up by ``resume_disk``."""
        return [disk for disk in self._open_disks.values() if self._stored_size(disk) == disk.size]

    def _stored_size(self, disk: OpenDisk) -> int:
        """The bytes that are stored of a disk: its last chunk may be short."""
        (last,) = self._store.raw_chunks(disk.id, disk.chunks - 1)
        return disk.size - disk.chunk_size + len(last)

    def resume_disk(
        self, disk: OpenDisk, seen: Callable[[bytes], object] | None = None
    ) -> DiskWriter:
        """Go on with a disk, of which the byte at offset ``size`` must come next.

        What is stored of it is read back, decompressed and hashed; ``seen`` is called with these
        bytes, in order, so that the caller can compute another digest.  Raises LocalError when they
        are not what was written; the disk can then only be abandoned.
        """
        writer = DiskWriter(self._stage, disk.id, disk.disk_format, disk.chunk_size)
        writer.go_on(self._store.raw_chunks(disk.id), seen)
        del self._open_disks[disk.id]
        self._stage.begin(disk.id)
        return writer

    def abandon_disk(self, disk: str) -> None:
        """Give up a disk that has ended: its chunks stay in the file, but are no disk [M-10].

        Raises KeyError when there is no such disk.
        """
        with self._store.journal() as journal:
            record, span, _ = journal.disks()[disk]
            keys = {field.name for field in dataclasses.fields(AbandonedDisk)}
            values = {key: getattr(record, key) for key in keys}
            journal.end_disk(AbandonedDisk(**values), span)

    def recall(self, key: str) -> str | None:
        """The text that ``remember`` kept under ``key``, in this run or in an earlier one."""
        with self._store.journal() as journal:
            return journal.recall(key)

    def remember(self, key: str, value: str) -> None:
        """Keep a text in the journal of the unfinished bundle; it never gets into the bundle.

        It is durable after ``checkpoint``, or when the next disk has ended.  With a key that begins
        with ``journal.LASTING`` it outlasts a run that begins afresh.
        """
        with self._store.journal() as journal:
            journal.remember(key, value)

    def checkpoint(self) -> None:
        """Make durable all that was written and remembered so far.  Raises LocalError."""
        self._store.checkpoint()

    # --- what goes into the bundle ---

    def disk(
        self, disk_format: str, *, size_hint: int | None = None, label: str = ""
    ) -> DiskWriter:
        """Begin a disk.

        ``disk_format``: ``raw``, ``qcow2`` …; it and ``size_hint``, about how many bytes will come,
        set the chunk size [F-20].  ``label``: by which the caller knows the disk again in
        ``ended_disks`` and ``open_disks``.  Raises LocalError.
        """
        with self._store.journal() as journal:
            if self._next_disk > layout.MAX_DISKS:
                raise self._store.over_limit(f"{layout.MAX_DISKS} disks")
            disk = layout.disk_id(self._next_disk)
            chunk_size = layout.chunk_size_for(disk_format, size_hint)
            journal.begin_disk(disk, label, disk_format, chunk_size)
            self._next_disk += 1
            self._stage.begin(disk)
        return DiskWriter(self._stage, disk, disk_format, chunk_size)

    def add_file(self, path: str, data: bytes) -> None:
        """Add a small file, ``playbook/site.yml``.

        Raises ValueError for a name that breaks [M-12], for one that was added before, and for more
        bytes than [F-17] allows.
        """
        fault = layout.file_path_fault(path)
        if len(data) > layout.MAX_FILE_SIZE:
            fault = f"a file is larger than {layout.MAX_FILE_SIZE} bytes"
        if fault or path in self._files:
            raise ValueError(f"{path}: {fault or 'added twice'}")
        self._files[path] = data

    def finish(self, content: Content) -> FinishedBundle:
        """Write the tail, sync and verify the file, and give it its name.

        Raises BundleFaults when ``content`` breaks a rule of the manifest, for example refers to
        a resource that is missing; ``finish`` may then be called with other content.  Raises
        LocalError, and BundleFaults when the medium does not hold what was written.
        """
        store = self._store
        store.check()  # an earlier failure is reported before anything else
        if still_open := self._stage.open:
            raise RuntimeError(f"disks still open: {', '.join(still_open)}")
        for disk in self._open_disks.values():
            self._stage.abandon(disk.id, disk.chunk_size, self._stored_size(disk))
        self._open_disks.clear()
        store.checkpoint()
        with store.journal() as journal:
            disks = [record for record, _, _ in journal.disks().values()]
        requires = (layout.DIFFERENCES,) if store.has_differences else ()
        manifest = make_manifest(content, self.uuid, disks, self._files, requires)
        manifest, manifest_sha256 = write_tail(store, manifest, self._files, self._sign)
        size = self._verify()
        self._stage.close()
        self.may_be_published = True
        path = store.publish()
        self._closed = True
        return FinishedBundle(
            path=path,
            size=size,
            manifest_sha256=manifest_sha256,
            manifest=manifest,
            stored=sum(disk.stored for disk in manifest.all_disks()),
        )

    def _verify(self) -> int:
        """Read the files back under their temporary names; returns their size in bytes."""
        with self._store.writing() as file:
            paths = file.files()
        try:
            if self._encrypted:
                file.check_written(self._progress)
            else:
                verify_files(file.path, paths, "stored", self._progress)
        except DownpourError as exc:
            self._store.fail(exc, useless=isinstance(exc, BundleError))
            raise
        with self._store.writing():
            return sum(path.stat().st_size for path in paths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._closed:
            self._closed = True
            self._stage.close()
            self._store.leave()
