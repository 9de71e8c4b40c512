"""Read one disk of a bundle: any range of its bytes, or all of them in order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from bundle_spec.codes import Code, Place
from bundle_spec.errors import BundleError
from bundle_spec.form import digest, layout
from bundle_spec.form.frame import (
    Decompressor,
    FrameError,
    Reference,
    content_size,
    frame_fault,
    reference_of,
    stored_fault,
)
from bundle_spec.form.layout import INDEX_ENTRY, Span, member_place
from bundle_spec.medium import local_error
from bundle_spec.model import AbandonedDisk, Disk
from bundle_spec.read.ahead import Hashing, in_step, pool
from bundle_spec.read.index import Index, pack
from bundle_spec.read.source import Source

_DIGEST = 32
_NOTHING: Mapping[bytes, bytes] = MappingProxyType({})


class DiskReader:
    """A disk of ``size`` raw bytes in ``chunks`` chunks of ``chunk_size``; the last may be shorter.

    Every stored chunk is checked against the disk's chunk list, and that against the manifest,
    before it is decompressed [F-18].  Takes 44 bytes of memory a chunk, at most 44 MiB.
    """

    def __init__(
        self,
        source: Source,
        index: Index,
        record: Disk | AbandonedDisk,
        *,
        frames_checked: bool = False,
    ):
        """Use ``BundleReader.disk``.

        ``frames_checked``: a check at level ``stored`` has just found no fault, so the digests of
        the frames need not be compared again [F-18].  Raises BundleError when INDEX or the chunk
        list is damaged.
        """
        self.record = record
        self.id = record.id
        self.size = record.size
        self.chunks = record.chunks
        self.chunk_size = record.chunk_size
        self._source = source
        self._index = index
        self._entries = index.entries(record.id, record.chunks)
        self._digests = self._read_list()
        self._decompress = Decompressor()
        self._frames_checked = frames_checked
        self._latest = (b"", b"")  # key and raw bytes of a chunk

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from ``offset``: ``length`` of them, fewer where the disk ends before.

        Raises ValueError for a negative offset or length, BundleError for a damaged chunk.
        """
        if offset < 0 or length < 0:
            raise ValueError("a disk has no bytes before its first")
        end = min(offset + length, self.size)
        parts = []
        while offset < end:
            number, start = divmod(offset, self.record.chunk_size)
            part = self._raw_chunk(number)[start : start + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def stream(self, piece: int = layout.MIB) -> Iterator[bytes]:
        """All bytes in order, in pieces of at most ``piece`` bytes.

        Chunks are decompressed ahead in threads, within bounds.  Whoever has seen the iterator
        end has the whole disk: a damaged chunk or a raw digest other than the manifest's raises
        BundleError instead.
        """
        with pool() as threads:
            hashing = Hashing(threads)
            for (raws,) in in_step([self], threads):
                if isinstance(raws, BundleError):
                    raise raws
                hashing.add(raws)
                for raw in raws:
                    # Chunks are not joined: that would copy every byte, for nothing.
                    if len(raw) <= piece:
                        yield raw
                    else:
                        yield from (raw[at : at + piece] for at in range(0, len(raw), piece))
            self.require_digest(hashing.hexdigest())

    def save(self, path: Path) -> None:
        """Write the disk to a new file, with holes where chunks are all zeros.

        The file of a damaged disk is removed again.  Raises LocalError, also when ``path`` exists,
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
                    with suppress(OSError):
                        path.unlink()
                    raise
        except OSError as exc:
            raise local_error("cannot write the disk", exc, path) from exc

    def require_digest(self, sha256: str) -> None:
        """Raise BundleError unless ``sha256``, of all raw bytes, is the manifest's [M-19].

        An abandoned disk has none in the manifest, so any is accepted.
        """
        if isinstance(self.record, Disk) and sha256 != self.record.sha256:
            raise BundleError(
                f"its {self.size} bytes do not have the digest that the manifest gives",
                where=f"disks/{self.id}",
                remedy="the bundle was made wrongly: export again",
                code=Code.DISK_DIGEST,
            )

    def _raw_chunk(self, number: int) -> bytes:
        """The raw bytes of a chunk; those of the latest one are kept for the next call."""
        key, (latest, raw) = self.key(number), self._latest
        if latest != key:
            raw = self.open(number)
            self._latest = (key, raw)
        return raw

    def key(self, number: int) -> bytes:
        """A key that only chunks with the same raw bytes share: the chunk's entry in INDEX, its
        digest, and its raw length."""
        entry = self._entries[number * INDEX_ENTRY : (number + 1) * INDEX_ENTRY]
        expected = self._digests[number * _DIGEST : (number + 1) * _DIGEST]
        length = layout.chunk_length(self.size, self.record.chunk_size, number)
        return _key(entry, expected, length)

    def open(self, number: int, opened: Mapping[bytes, bytes] = _NOTHING) -> bytes:
        """The raw bytes of a chunk, after the checks of [F-18] in their order.

        ``opened``: key -> raw bytes of chunks that are open already, of any disk; after a check at
        level ``stored`` these serve as references too [F-21].  Raises BundleError with the first
        fault.
        """
        due = layout.chunk_length(self.size, self.record.chunk_size, number)
        name = layout.chunk_name(self.id, number)
        entry = self._entries[number * INDEX_ENTRY : (number + 1) * INDEX_ENTRY]
        span = self._index.unpack(entry, name)
        where = member_place(name, span)
        if span.size > layout.frame_bound(due):
            message = f"a frame of {span.size} bytes for {due}"
            raise BundleError(message, where=where, code=Code.FRAME_LENGTH)
        expected = self._digests[number * _DIGEST : (number + 1) * _DIGEST]
        data = self._stored(span, expected, where)
        if fault := stored_fault(data, due, differences=self._index.has_differences):
            raise BundleError(fault[1], where=where, code=fault[0])
        reference = reference_of(data)
        prefix = None if reference is None else self._reference(reference, where, opened)
        return self._raw(data, due, where, prefix)

    def _stored(self, span: Span, sha256: bytes, where: Place) -> bytes:
        data = self._source.read(span.offset, span.size)
        if not self._frames_checked and hashlib.sha256(data).digest() != sha256:
            raise BundleError(
                "damaged: it does not have the digest that the chunk list gives",
                where=where,
                remedy="copy the bundle again",
                code=Code.LIST_LINE,
            )
        return data

    def _raw(self, data: bytes, due: int, where: Place, prefix: bytes | None = None) -> bytes:
        try:
            return self._decompress(data, due, prefix)
        except FrameError as exc:
            message = f"the frame does not open: {exc}"
            raise BundleError(message, where=where, code=Code.FRAME_DATA) from exc

    def _reference(
        self, reference: Reference, where: Place, opened: Mapping[bytes, bytes]
    ) -> bytes:
        """The raw bytes of the chunk that the one at ``where`` is a difference to [F-21].

        Its digest stands in the difference, whose own digest was right: the chunk list of its disk
        is not needed.
        """
        disk, number = reference.disk, reference.number
        name = layout.chunk_name(disk, number)
        span = self._index.chunk(disk, number)
        if span is None or span.size > layout.frame_bound(layout.MAX_CHUNK_SIZE):
            message = f"it is a difference to {name}, which is no chunk"
            raise BundleError(message, where=where, code=Code.DIFFERENCE_REFERENCE)
        at, sha256 = member_place(name, span), bytes.fromhex(reference.sha256)
        key = _key(pack(span), sha256, self.chunk_size)
        if self._frames_checked and key in opened:
            return opened[key]
        data = self._stored(span, sha256, at)
        try:
            due = content_size(data) if reference_of(data) is None else 0
        except FrameError:
            due = 0
        if not 0 < due <= layout.MAX_CHUNK_SIZE or frame_fault(data, due):
            message = f"it is a difference to {name}, which is no full frame"
            raise BundleError(message, where=where, code=Code.DIFFERENCE_REFERENCE)
        return self._raw(data, due, at)

    def _read_list(self) -> bytes:
        """The digests in the chunk list, 32 bytes each.

        Raises BundleError unless the list has the digest that the manifest gives.
        """
        chunks = self.record.chunks
        span = self._index.chunk_list(self.id, chunks)
        where = member_place(layout.list_name(self.id), span)
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


def _key(entry: bytes, sha256: bytes, length: int) -> bytes:
    return b"%b%b%d" % (entry, sha256, length)
