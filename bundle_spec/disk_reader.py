"""One disk out of a bundle: any range of its bytes, or all of them in order."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import zstandard

from bundle_spec import digest, layout
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.frame import Decompressor, fault
from bundle_spec.index import Index
from bundle_spec.layout import INDEX_ENTRY, describe
from bundle_spec.model import AbandonedDisk, Disk
from bundle_spec.source import Source

AHEAD = 32 * layout.MIB
"""Raw bytes that ``stream`` decompresses ahead of its consumer."""

_BATCH = layout.MIB
_DIGEST = 32


class ChunkCache:
    """The chunks that were opened last, for disks that are read side by side.  Thread-safe.

    Clones of one base hold the same chunks at the same places: whoever comes second finds them
    here, is faster for it, and so stays close.
    """

    def __init__(self, size: int):
        """``size``: bytes to hold at most."""
        self._room = size
        self._chunks: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: bytes) -> bytes | None:
        return self._chunks.get(key)

    def put(self, key: bytes, raw: bytes) -> None:
        with self._lock:
            if key in self._chunks:
                return
            self._chunks[key] = raw
            self._room -= len(raw)
            while self._room < 0:
                self._room += len(self._chunks.pop(next(iter(self._chunks))))


class DiskReader:
    """A disk of ``size`` raw bytes.

    Holds 44 bytes a chunk, at most 44 MiB.  Every stored chunk is checked against the disk's
    chunk list, and that against the manifest, before it is decompressed.
    """

    def __init__(
        self,
        source: Source,
        index: Index,
        record: Disk | AbandonedDisk,
        cache: ChunkCache | None = None,
    ):
        self.record = record
        self.id = record.id
        self.size = record.size
        self._source = source
        self._index = index
        self._entries = index.entries(record.id, record.chunks)
        self._digests = self._read_list()
        self._decompress = Decompressor()
        self._cache = cache
        self._latest = (b"", b"")

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from ``offset``: ``length`` of them, fewer where the disk ends before.

        Raises ValueError for a negative place, BundleError for a damaged chunk.
        """
        if offset < 0 or length < 0:
            raise ValueError("a disk has no bytes before its first")
        end = min(offset + length, self.size)
        parts = []
        while offset < end:
            number, start = divmod(offset, self.record.chunk_size)
            part = self._kept(number)[start : start + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def stream(self, piece: int = layout.MIB) -> Iterator[bytes]:
        """All bytes in order, in pieces of at most ``piece`` bytes.

        Chunks are decompressed ahead in threads, within bounds.  Whoever has seen the iterator
        end has the whole disk: a damaged chunk or a raw digest other than the manifest's raises
        BundleError instead.
        """
        running = digest.new()
        for raw in self._chunks_in_order():
            running.update(raw)
            # Chunks are not joined: that would copy every byte, for nothing.
            if len(raw) <= piece:
                yield raw
            else:
                yield from (raw[start : start + piece] for start in range(0, len(raw), piece))
        self._compare(running)

    def save(self, path: Path) -> None:
        """Write the disk to a new file, whose zeros take no room on the medium.

        Nothing stays of a disk that is damaged.  Raises LocalError, also when ``path`` exists,
        and BundleError.
        """
        try:
            with path.open("xb") as file:
                try:
                    for raw in self.stream(layout.MAX_CHUNK_SIZE):
                        if raw == bytes(len(raw)):
                            file.seek(len(raw), os.SEEK_CUR)
                        else:
                            file.write(raw)
                    file.truncate(self.size)
                except BaseException:
                    path.unlink()
                    raise
        except OSError as exc:
            raise LocalError(f"cannot write the disk: {exc.strerror}", where=str(path)) from exc

    def check(self, on_bytes: Callable[[int], None]) -> None:
        """Read all bytes and compare their digest; ``on_bytes`` is told how many have been read.

        In the caller's thread: whoever checks several disks takes a thread for each.  Raises
        BundleError.
        """
        running = digest.new()
        for number in range(self.record.chunks):
            raw = self._kept(number)
            running.update(raw)
            on_bytes(len(raw))
        self._compare(running)

    def _compare(self, running: digest.Hash) -> None:
        if isinstance(self.record, Disk) and running.hexdigest() != self.record.sha256:
            raise BundleError(
                f"its {self.size} bytes do not have the digest that the manifest gives",
                where=f"disks/{self.id}",
                remedy="the bundle was made wrongly: export again",
                code=Code.DISK_DIGEST,
            )

    def _chunks_in_order(self) -> Iterator[bytes]:
        """Every raw chunk, decompressed ahead of the consumer."""
        step = max(1, _BATCH // self.record.chunk_size)
        threads = min(os.cpu_count() or 1, 8)
        ahead = max(2, min(4 * threads, AHEAD // (step * self.record.chunk_size)))
        pending: deque[Future[list[bytes]]] = deque()
        pool = ThreadPoolExecutor(threads, "decompress")
        try:
            for first in range(0, self.record.chunks, step):
                numbers = range(first, min(first + step, self.record.chunks))
                pending.append(pool.submit(self._batch, numbers))
                if len(pending) == ahead:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _batch(self, numbers: range) -> list[bytes]:
        """Several chunks; one that repeats the one before it, as zeros do, costs nothing."""
        raws: list[bytes] = []
        for number in numbers:
            repeats = raws and self._key(number) == self._key(number - 1)
            raws.append(raws[-1] if repeats else self._raw(number))
        return raws

    def _kept(self, number: int) -> bytes:
        """A chunk, and the same one again without work."""
        key, (latest, raw) = self._key(number), self._latest
        if latest != key:
            raw = self._raw(number)
            self._latest = (key, raw)
        return raw

    def _key(self, number: int) -> bytes:
        """What decides about the bytes of a chunk: its place, its digest, its length."""
        entry = self._entries[number * INDEX_ENTRY : (number + 1) * INDEX_ENTRY]
        expected = self._digests[number * _DIGEST : (number + 1) * _DIGEST]
        length = layout.chunk_length(self.size, self.record.chunk_size, number)
        return b"%b%b%d" % (entry, expected, length)

    def _raw(self, number: int) -> bytes:
        """A chunk, from the cache if another disk has just asked for the same."""
        if self._cache is None:
            return self._open(number)
        key = self._key(number)
        raw = self._cache.get(key)
        if raw is None:
            raw = self._open(number)
            self._cache.put(key, raw)
        return raw

    def _open(self, number: int) -> bytes:
        due = layout.chunk_length(self.size, self.record.chunk_size, number)
        name = layout.chunk_name(self.id, number)
        entry = self._entries[number * INDEX_ENTRY : (number + 1) * INDEX_ENTRY]
        span = self._index.unpack(entry, name)
        where = describe(name, span)
        if span.size > layout.frame_bound(due):
            message = f"a frame of {span.size} bytes for {due}"
            raise BundleError(message, where=where, code=Code.FRAME_LENGTH)
        data = self._source.read(span.offset, span.size)
        expected = self._digests[number * _DIGEST : (number + 1) * _DIGEST]
        if hashlib.sha256(data).digest() != expected:
            raise BundleError(
                "not the digest that the chunk list gives",
                where=where,
                remedy="copy the bundle again",
                code=Code.LIST_LINE,
            )
        if found := fault(data, due):
            raise BundleError(found[1], where=where, code=found[0])
        try:
            return self._decompress(data, due)
        except zstandard.ZstdError as exc:
            message = f"the frame does not open: {exc}"
            raise BundleError(message, where=where, code=Code.FRAME_DATA) from exc

    def _read_list(self) -> bytes:
        """The digests of the chunk list, packed, once the list as a whole is proven."""
        chunks = self.record.chunks
        span = self._index.chunk_list(self.id, chunks)
        where = describe(layout.list_name(self.id), span)
        running = digest.new()
        packed = bytearray()
        step = 8192 * layout.LIST_LINE
        try:
            for start in range(0, span.size, step):
                lines = self._source.read(span.offset + start, min(step, span.size - start))
                running.update(lines)
                for line in range(0, len(lines), layout.LIST_LINE):
                    packed += bytes.fromhex(lines[line : line + 64].decode("ascii"))
        except ValueError as exc:
            message = "a line does not begin with a digest"
            raise BundleError(message, where=where, code=Code.LIST_LINE) from exc
        if running.hexdigest() != self.record.list_sha256 or len(packed) != chunks * _DIGEST:
            message = "not the digest that the manifest gives"
            raise BundleError(message, where=where, code=Code.LIST_DIGEST)
        return bytes(packed)
