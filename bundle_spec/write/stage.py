"""Compress the chunks of all disks of a bundle in threads, in bounded memory, and store them.

Bytes run one way: DiskWriter -> Stage -> ChunkStore -> PartialFile -> Sink.
"""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bundle_spec.form import layout
from bundle_spec.form.frame import Compressor
from bundle_spec.form.layout import Span
from bundle_spec.model import AbandonedDisk, Disk
from bundle_spec.write.guess import Guess
from bundle_spec.write.journal import ChunkList
from bundle_spec.write.store import ChunkStore

IN_FLIGHT = 32 * layout.MIB
"""Raw bytes of all disks together that wait for compression or for their place."""

_SURELY = 16
"""A difference that takes no more than this part of the raw bytes is taken without a look at how
much a frame of its own takes."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chunk ready to be placed.  ``content``: the SHA-256 of its raw bytes, 32 bytes.

    ``frame`` None: the content was stored already when a thread looked, so it is not compressed;
    else a frame of its own, or a difference [F-21].
    """

    content: bytes
    raw: bytes
    frame: bytes | None


class Stage:
    """Compresses the chunks of all disks of one bundle and places them.  Thread-safe.

    A disk is open from ``begin`` to ``end_disk`` or ``abandon``.  Of one disk, chunks are placed in
    order and by one thread at a time; several disks do not wait for each other.  Raises LocalError
    where the store does.
    """

    def __init__(self, store: ChunkStore, *, level: int, threads: int | None):
        """``level``: of zstd.  ``threads``: how many compress; None: one for each core, at most
        eight."""
        self._store = store
        self._compress = Compressor(level)
        self._pool = ThreadPoolExecutor(threads or min(os.cpu_count() or 1, 8), "compress")
        self._in_flight = 0
        self._flight_lock = threading.Lock()
        self._zeros: dict[int, bytes] = {}
        self._open: set[str] = set()

    @property
    def open(self) -> list[str]:
        """The disks that were begun and neither ended nor abandoned, in order."""
        return sorted(self._open)

    def begin(self, disk: str) -> None:
        """Chunks of ``disk`` may be placed from now on."""
        self._open.add(disk)

    # --- chunks ---

    def reserve(self, size: int, *, force: bool) -> bool:
        """Count ``size`` more raw bytes as in flight, if that is within IN_FLIGHT or ``force``.

        Returns whether they were counted; the caller then gives them back by ``release``.
        """
        with self._flight_lock:
            if not force and self._in_flight + size > IN_FLIGHT:
                return False
            self._in_flight += size
            return True

    def release(self, size: int) -> None:
        """``size`` raw bytes that ``reserve`` counted are no longer in flight."""
        with self._flight_lock:
            self._in_flight -= size

    def guess(self, disk: str, chunk_size: int) -> Guess:
        """What the chunks of ``disk`` are probably like."""
        return Guess(self._store.first_guess(disk, chunk_size))

    def prepare(self, chunks: list[bytes], first: int, guess: Guess) -> Future[list[Prepared]]:
        """Hash and compress raw chunks, which are numbered from ``first`` on, in a thread."""

        def work() -> list[Prepared]:
            return [self._prepare(raw, first + n, guess) for n, raw in enumerate(chunks)]

        return self._pool.submit(work)

    def _prepare(self, raw: bytes, number: int, guess: Guess) -> Prepared:
        if raw == bytes(len(raw)):
            # Zeros lie anywhere: a repeat of them tells nothing of what follows.
            content = self._zero_digest(len(raw))
            known = self._store.find(content) is not None
            return Prepared(content, raw, None if known else self._compress(raw))
        content = hashlib.sha256(raw).digest()
        place = self._store.find(content)
        if place is not None:
            guess.found(number, place)
            return Prepared(content, raw, None)
        return Prepared(content, raw, self._smallest(raw, guess.at(number), guess))

    def _smallest(self, raw: bytes, place: int | None, guess: Guess) -> bytes:
        """A frame of its own, or the difference to the chunk at ``place`` where that is at least a
        tenth smaller [F-21]."""
        found = None if place is None else self._store.reference(place)
        if found is None:
            return self._compress(raw)
        reference, prefix = found
        difference = reference.encoded() + self._compress.difference(raw, prefix)
        if len(difference) <= len(raw) // _SURELY:
            frame = difference
        else:
            full = self._compress(raw)
            frame = difference if len(difference) <= len(full) * 9 // 10 else full
        guess.tried(success=frame is difference)
        return frame

    def _zero_digest(self, length: int) -> bytes:
        if length not in self._zeros:
            self._zeros[length] = hashlib.sha256(bytes(length)).digest()
        return self._zeros[length]

    def place(self, disk: str, number: int, chunk: Prepared) -> None:
        """Write a chunk: as a link when its content is stored already, else as a frame [F-8]."""
        self._store.add_chunk(
            disk, number, chunk.content, lambda: chunk.frame or self._compress(chunk.raw)
        )

    # --- the end of a disk ---

    def write_list(self, disk: str, chunks: int) -> ChunkList:
        """Write the list of a disk's ``chunks`` chunks."""
        return self._store.write_list(disk, chunks)

    def end_disk(self, record: Disk | AbandonedDisk, span: Span) -> None:
        """End the disk whose chunk list is ``span``; when this returns, its record is durable."""
        self._store.end_disk(record, span)
        self._open.discard(record.id)

    def abandon(self, disk: str, chunk_size: int, size: int) -> None:
        """Give a disk up: its ``size`` raw bytes stay in the file, but are no disk [M-10]."""
        chunks = layout.chunk_count(size, chunk_size)
        closed = self._store.write_list(disk, chunks)
        record = AbandonedDisk(
            id=disk,
            chunk_size=chunk_size,
            size=size,
            chunks=chunks,
            list_sha256=closed.sha256,
            stored=closed.stored,
            shared=closed.shared,
        )
        self.end_disk(record, closed.span)

    def close(self) -> None:
        """End the threads.  The caller must not hold the store's lock, for which they may wait."""
        self._pool.shutdown(cancel_futures=True)
