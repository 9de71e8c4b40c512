"""Store the chunks of an unfinished bundle, each content once.

File, journal and index change together under one lock.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from bundle_spec.errors import DownpourError, LocalError
from bundle_spec.form import digest, layout
from bundle_spec.form.frame import (
    Decompressor,
    FrameError,
    Reference,
    content_size,
    reference_of,
)
from bundle_spec.form.layout import Span
from bundle_spec.model import AbandonedDisk, Disk
from bundle_spec.trust.age import Recipient
from bundle_spec.write.journal import ChunkList, Journal, Stored, chunk_of, place_of
from bundle_spec.write.partial import PartialFile
from bundle_spec.write.unfinished import Unfinished

CHECKPOINT_BYTES = 128 * layout.MIB
CHECKPOINT_SECONDS = 5.0
"""A checkpoint is made after so many bytes or seconds, so that a kill costs no more work."""


class ChunkStore:
    """Writes chunks and chunk lists into the file, and their records into the journal.

    After a failure of the file system every call raises the same failure again: a member that
    was written in part cannot be taken back, so nothing may follow it.  Thread-safe.  Raises
    LocalError.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        part_size: int | None,
        resume: bool,
        encrypt_to: Sequence[Recipient] = (),
    ):
        """Go on with the unfinished bundle of ``path``, or begin it, as ``Unfinished`` does."""
        self._lock = threading.RLock()
        self._failure: DownpourError | None = None
        self._useless = False
        self._sealed = False
        self._closed = False
        self.kept: Path | None = None
        """The file that the next run goes on with; None before ``leave``, or where it left none."""
        self._unfinished = Unfinished(
            path,
            overwrite=overwrite,
            part_size=part_size,
            resume=resume,
            encrypt_to=encrypt_to,
        )
        self.resumed = self._unfinished.resumed
        self.keep_if_empty = self.resumed
        """Whether the next run shall go on although no chunk is stored yet: what an earlier run
        remembered is not lost by one that fails before it has read it."""
        self.forgotten = self._unfinished.forgotten
        self._file = self._unfinished.file
        self._journal = self._unfinished.journal
        self._index = self._unfinished.index
        self._chunks = self._unfinished.chunks
        self._has_differences = bool(self._journal.get("differences"))
        self._readable = self._file.position
        self._decompress = Decompressor()
        self._syncer = ThreadPoolExecutor(1, "sync")
        self._syncing: Future[None] | None = None
        self._latest_checkpoint = (self._file.position, time.monotonic())

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            if self._failure:
                raise self._failure
            if self._closed:
                raise RuntimeError("the bundle is closed")
            try:
                with self._unfinished.local_errors():
                    yield
            except LocalError as exc:
                self._failure = exc
                raise

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """File and journal change together: after a Ctrl-C within, nothing may be made durable."""
        with self._guarded():
            try:
                yield
            except LocalError:
                raise
            except BaseException:
                self._failure = LocalError(
                    "the run was stopped while it wrote",
                    where=str(self._file.path),
                    remedy="run again to go on",
                )
                raise

    def note_uuid(self, uuid: str) -> None:
        """See ``Unfinished``."""
        self._unfinished.note_uuid(uuid)

    def check(self) -> None:
        """Raise the failure that ended the writing, if there was one."""
        with self._guarded():
            pass

    @contextmanager
    def writing(self) -> Iterator[PartialFile]:
        """The file, held by one thread at a time."""
        with self._guarded():
            yield self._file

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """The journal, held by one thread at a time."""
        with self._guarded():
            yield self._journal

    def seal(self) -> None:
        """Let ``leave`` make no checkpoint from now on: the tail is being written, and a later run
        cannot go on behind it."""
        self._sealed = True

    def fail(self, error: DownpourError, *, useless: bool) -> None:
        """Let every further call raise ``error``; ``useless``: let ``leave`` remove the files."""
        self._failure, self._useless = error, useless

    def over_limit(self, what: str) -> LocalError:
        """The error of a bundle that would hold more than the format allows [F-17]."""
        return LocalError(
            f"a bundle holds at most {what}",
            where=str(self._file.path),
            remedy="make two bundles",
        )

    # --- chunks ---

    def find(self, content: bytes) -> int | None:
        """The place of the chunk to which one with this content would be linked; None: to none."""
        with self._guarded():
            target = self._find(content)
            return target and target.place

    def _find(self, content: bytes) -> Stored | None:
        place = self._index.find(content)
        if place is None:
            return None
        stored = self._journal.stored(place)
        return stored if stored.content == content else None

    def add_chunk(
        self, disk: str, number: int, content: bytes, make_frame: Callable[[], bytes]
    ) -> None:
        """Write a chunk: as a link when its content is stored already, else as a frame [F-8].

        ``content``: the SHA-256 of its raw bytes, 32 bytes.  ``make_frame``: called only where a
        frame is needed, which may be a difference [F-21].  The chunks of one disk come in the order
        of their numbers [F-6].
        """
        with self._changing():
            if self._chunks == layout.MAX_TOTAL_CHUNKS:
                raise self.over_limit(f"{layout.MAX_TOTAL_CHUNKS} chunks")
            self._chunks += 1
            name, place = layout.chunk_name(disk, number), place_of(disk, number)
            at = self._file.position
            # Looked up again under the lock: since ``knows``, another disk may have stored this
            # content, or the target may have got all the links that it can have.
            target = self._find(content)
            if target:
                self._file.append_link(name, layout.chunk_name(*chunk_of(target.place)))
                self._journal.add_link(at, place, target)
                self._index.count_link(content)
            else:
                frame = make_frame()
                span = self._file.append(name, frame)
                if not self._has_differences and reference_of(frame):
                    self._journal.set("differences", True)
                    self._has_differences = True
                sha256 = hashlib.sha256(frame).digest()
                self._journal.add_stored(at, Stored(place, content, span.offset, span.size, sha256))
                self._index.add(content, place)
            self._checkpoint_in_time()

    def write_list(self, disk: str, chunks: int) -> ChunkList:
        """Write the list of a disk's ``chunks`` chunks [F-9]."""
        running = digest.new()
        with self._changing():
            lines = (
                layout.list_line(sha256.hex(), disk, number)
                for number, (_, sha256) in enumerate(self._journal.frames(disk))
            )
            span = self._file.append_stream(
                layout.list_name(disk), chunks * layout.LIST_LINE, digest.tee(lines, running)
            )
            return ChunkList(span, running.hexdigest(), *self._journal.account(disk))

    def end_disk(self, record: Disk | AbandonedDisk, span: Span) -> None:
        """Record a disk whose chunk list is ``span``; when this returns, that is durable."""
        with self._guarded():
            self._journal.end_disk(record, span)
        self.checkpoint()

    @property
    def has_differences(self) -> bool:
        """Whether any chunk is stored as a difference [F-21]."""
        return self._has_differences

    def first_guess(self, disk: str, chunk_size: int) -> int | None:
        """The place of the chunk that the first one of ``disk`` is probably like."""
        with self._guarded():
            return self._journal.first_place(chunk_size, disk)

    def reference(self, place: int) -> tuple[Reference, bytes] | None:
        """What the chunk at ``place`` may be referred to as, and its raw bytes.  A difference is
        not referred to, but what it is made of.

        None where there is no such chunk, or where nothing can be read back.
        """
        if self._unfinished.private:
            return None
        found = self._read_frame(place)
        if found and (reference := reference_of(found[1])):
            found = self._read_frame(place_of(reference.disk, reference.number))
        if found is None:
            return None
        place, data = found
        reference = Reference(hashlib.sha256(data).hexdigest(), *chunk_of(place))
        return reference, self._decompress(data, content_size(data))

    def _read_frame(self, place: int) -> tuple[int, bytes] | None:
        """The place of the frame of the chunk at ``place``, and its stored bytes, checked."""
        with self._guarded():
            found = self._journal.frame_at(place)
            if found is None:
                return None
            place, span, sha256 = found
            if span.next_header > self._readable:
                self._file.flush()
                self._readable = self._file.position
            data = self._file.read(span)
        if hashlib.sha256(data).digest() != sha256:
            raise self._not_what_was_written(place)
        return place, data

    def raw_chunks(self, disk: str, first: int = 0) -> Iterator[bytes]:
        """The raw chunks of an unfinished disk, from number ``first`` on, read back.

        Raises LocalError when one of them is not what was written.
        """
        with self._guarded():
            chunks = sum(1 for _ in self._journal.frames(disk))
        for number in range(first, chunks):
            found = self._read_frame(place_of(disk, number))
            assert found is not None
            yield self._open(place_of(disk, number), found[1])

    def _open(self, place: int, data: bytes) -> bytes:
        """The raw bytes of the stored ones of a chunk, which may be a difference."""
        try:
            reference = reference_of(data)
            if reference is None:
                return self._decompress(data, content_size(data))
            made_of = self.reference(place_of(reference.disk, reference.number))
            if made_of is None or made_of[0] != reference:
                raise FrameError("what it is a difference to is not there")
            return self._decompress(data, content_size(data), made_of[1])
        except FrameError as exc:
            raise self._not_what_was_written(place) from exc

    def _not_what_was_written(self, place: int) -> LocalError:
        return LocalError(
            "the medium does not hold what was written",
            where=f"{self._file.path}: {layout.chunk_name(*chunk_of(place))}",
            remedy="check the medium; remove this file and its journal to begin again",
        )

    # --- durability ---

    def _checkpoint_in_time(self) -> None:
        position, since = self._latest_checkpoint
        grown = self._file.position - position
        if grown < CHECKPOINT_BYTES and time.monotonic() - since < CHECKPOINT_SECONDS:
            return
        if self._syncing is None or self._syncing.done():
            self._syncing = self._syncer.submit(self._sync, *self._flushed(), position)
            self._latest_checkpoint = (self._file.position, time.monotonic())

    def _flushed(self) -> tuple[int, str]:
        self._file.flush()
        return self._file.position, " ".join(self._file.digests)

    def _sync(self, position: int, parts: str, since: int) -> None:
        """A checkpoint in a thread, while others go on writing.

        What they record meanwhile is committed too, but the next run deletes the records of members
        that do not lie before ``position``.
        """
        with suppress(LocalError, RuntimeError):
            self._sync_file(since)
            with self._guarded():
                # ``checkpoint`` may have come first: its position must not be lowered.
                if position > (self._journal.get("position") or 0):
                    self._commit(position, parts)

    def _sync_file(self, since: int) -> None:
        try:
            self._file.sync(since)
        except LocalError as exc:
            with self._lock:
                self._failure = self._failure or exc
            raise

    def _commit(self, position: int, parts: str) -> None:
        self._journal.set("position", position)
        self._journal.set("parts", parts)
        self._journal.commit()

    def checkpoint(self) -> None:
        """Make durable all that was written so far."""
        if self._syncing:
            self._syncing.result()
        with self._guarded():
            position, parts = self._flushed()
            self._file.sync()
            self._commit(position, parts)
            self._latest_checkpoint = (position, time.monotonic())

    # --- the end ---

    def publish(self) -> Path:
        """Give the file its final name.  Returns it; for parts, the name of their list."""
        with self._guarded():
            path = self._unfinished.publish()
            self._closed = True
            self._syncer.shutdown(wait=False)
        return path

    def leave(self) -> None:
        """Keep the files where the next run can go on with them, else remove them."""
        if not self._failure and not self._sealed and not self._unfinished.private:
            with suppress(LocalError):
                self.checkpoint()
        self._syncer.shutdown()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._worth_keeping():
                self.kept = self._unfinished.keep()
            else:
                self._unfinished.discard(keep_uuid=self.keep_if_empty and not self._useless)

    def _worth_keeping(self) -> bool:
        if self._useless or self._unfinished.private:
            return False
        try:
            self._journal.roll_back()
            return self.keep_if_empty or self._journal.chunk_count() > 0
        except sqlite3.Error:
            return True  # the medium fails, and may have all of it once it is back
