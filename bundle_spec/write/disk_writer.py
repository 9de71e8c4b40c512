"""Write one disk into a bundle: cut its bytes into chunks and hand these to the stage, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress

from bundle_spec.errors import LocalError
from bundle_spec.form import digest, layout
from bundle_spec.form.disk_format import START_SIZE
from bundle_spec.form.qcow2 import virtual_size
from bundle_spec.model import Capture, Disk
from bundle_spec.write.stage import Prepared, Stage

BATCH = layout.MIB
"""Raw bytes that are handed to a thread at once: for single chunks of 64 KiB, the hand-over would
take longer than compressing them."""


class DiskWriter:
    """Takes a disk's raw bytes in order, from one thread at a time.

    ``id``: of the disk in the bundle, ``0001``.  ``size``: bytes taken so far.  ``chunk_size``: in
    bytes.  ``start``: its first START_SIZE bytes.  End it with ``finish``, ``leave`` or
    ``abandon``.
    """

    def __init__(self, stage: Stage, disk: str, disk_format: str, chunk_size: int):
        """Use ``BundleWriter.disk``."""
        self.id = disk
        self.size = 0
        self.chunk_size = chunk_size
        self._stage = stage
        self._format = disk_format
        self._closed = False
        self._guess = stage.guess(disk, chunk_size)
        self._raw_digest = digest.new()
        self.start = b""
        self._tail = bytearray()
        self._batch: list[bytes] = []
        self._cut = 0
        self._placed = 0
        self._pending: deque[tuple[int, Future[list[Prepared]]]] = deque()

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes, any number of them.

        Raises LocalError; the disk can then only be abandoned.
        """
        if self._closed:
            raise RuntimeError(f"disk {self.id} is closed")
        view = memoryview(data).cast("B")
        self._count(view)
        while view:
            taken = self.chunk_size - len(self._tail)
            if not self._tail and len(view) >= taken:
                self._add(bytes(view[:taken]))
            else:
                self._tail += view[:taken]
                if len(self._tail) == self.chunk_size:
                    self._add(bytes(self._tail))
                    self._tail.clear()
            view = view[taken:]

    def _count(self, view: bytes | memoryview) -> None:
        if len(self.start) < START_SIZE:
            self.start += view[: START_SIZE - len(self.start)]
        self._raw_digest.update(view)
        self.size += len(view)

    def go_on(self, chunks: Iterable[bytes], seen: Callable[[bytes], object] | None) -> None:
        """Count ``chunks``, raw bytes that an earlier run stored, as written by this disk.

        ``seen`` is given each of them.  Called before the first ``write``.
        """
        for chunk in chunks:
            self._count(chunk)
            if seen is not None:
                seen(chunk)
            self._cut += 1
            self._placed += 1

    def finish(self, capture: Capture | None = None) -> Disk:
        """End the disk; when this returns, it is durable.

        ``capture``: how it was captured, for its record.  Returns the record of the disk for the
        manifest.  Raises LocalError.
        """
        if self._closed:
            raise RuntimeError(f"disk {self.id} is closed")
        if self._tail:
            self._add(bytes(self._tail))
            self._tail.clear()
        self._place_all()
        self._closed = True
        closed = self._stage.write_list(self.id, self._placed)
        record = Disk(
            id=self.id,
            disk_format=self._format,
            size=self.size,
            sha256=self._raw_digest.hexdigest(),
            chunk_size=self.chunk_size,
            chunks=self._placed,
            list_sha256=closed.sha256,
            stored=closed.stored,
            shared=closed.shared,
            virtual_size=virtual_size(self.start),
            capture=capture,
        )
        self._stage.end_disk(record, closed.span)
        return record

    def leave(self) -> None:
        """Leave the disk unfinished; the next run can go on behind its last whole chunk.

        Raises LocalError.
        """
        self._closed = True
        self._place_all()

    def abandon(self) -> None:
        """Give the disk up: its whole chunks stay in the file, but are no disk [M-10].

        May be called at any time, also after an error and after ``finish``, where it does nothing.
        """
        if self._closed:
            return
        self._closed = True
        self._tail.clear()
        self._batch.clear()
        for size, future in self._pending:
            future.cancel()
            self._stage.release(size)
        self._pending.clear()
        # Where the whole bundle has failed, every call that writes to it raises that failure.
        with suppress(LocalError):
            placed = min(self.size, self._placed * self.chunk_size)
            self._stage.abandon(self.id, self.chunk_size, placed)

    def _add(self, chunk: bytes) -> None:
        if self._cut == layout.MAX_CHUNKS:
            raise LocalError(
                f"the disk outgrew {layout.MAX_CHUNKS} chunks of {self.chunk_size} bytes",
                where=f"disks/{self.id}",
                remedy="announce the disk's size before its bytes, so that larger chunks are used",
            )
        self._cut += 1
        self._batch.append(chunk)
        if len(self._batch) * self.chunk_size >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._batch:
            return
        size = sum(map(len, self._batch))
        # Room is made by placing this disk's oldest chunks, never by waiting for another disk:
        # so two disks cannot wait for each other, and each always has one batch in work.
        while not self._stage.reserve(size, force=not self._pending):
            self._place_oldest()
        first = self._cut - len(self._batch)
        self._pending.append((size, self._stage.prepare(self._batch, first, self._guess)))
        self._batch = []
        while self._pending and self._pending[0][1].done():
            self._place_oldest()

    def _place_all(self) -> None:
        self._flush()
        while self._pending:
            self._place_oldest()

    def _place_oldest(self) -> None:
        size, future = self._pending.popleft()
        try:
            for chunk in future.result():
                self._stage.place(self.id, self._placed, chunk)
                self._placed += 1
        finally:
            self._stage.release(size)
