"""Look up where a chunk, a chunk list or a file lies, in INDEX [F-11]."""

from __future__ import annotations

import struct
from collections import OrderedDict

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.form import layout
from bundle_spec.form.layout import Span, member_place
from bundle_spec.read.envelope import BODY, Envelope
from bundle_spec.read.source import Source

_ENTRY = struct.Struct("<QI")


def pack(span: Span) -> bytes:
    """The INDEX entry of a member whose data is ``span``, 12 bytes [F-11]."""
    return _ENTRY.pack(span.offset, span.size)


def entry_length(entry: bytes) -> int:
    """The length that an INDEX entry gives, in bytes."""
    return int.from_bytes(entry[8:], "little")


class Windows:
    """The latest pieces that were read of a source, at most 128: a bundle may have ten thousand
    disks, and their rows may come in any order.  Not thread-safe."""

    LIMIT = 128

    def __init__(self, source: Source):
        self._source = source
        self._windows: OrderedDict[int, bytes] = OrderedDict()

    def read(self, offset: int, length: int) -> bytes:
        """The ``length`` bytes at ``offset``; whoever asks for an offset again asks for as many."""
        window = self._windows.get(offset)
        if window is None:
            if len(self._windows) == self.LIMIT:
                self._windows.popitem(last=False)
            window = self._windows[offset] = self._source.read(offset, length)
        else:
            self._windows.move_to_end(offset)
        return window


class Rows:
    """The rows of a member, ``count`` rows of ``row_size`` bytes each from ``offset`` on.

    They are read, and held by ``windows``, 1,024 at a time.
    """

    WINDOW = 1024

    def __init__(self, windows: Windows, offset: int, row_size: int, count: int):
        self._windows = windows
        self._offset = offset
        self._row_size = row_size
        self._count = count

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < self._count:
            raise IndexError(number)
        row = number % self.WINDOW
        first = number - row
        rows = min(self.WINDOW, self._count - first)
        window = self._windows.read(self._offset + first * self._row_size, rows * self._row_size)
        return window[row * self._row_size : (row + 1) * self._row_size]


class Index:
    """The entries of INDEX, by disk and by file.

    INDEX may be damaged, so a span is given only if it lies in the body; and that of a chunk list
    or file only if the header before it is the one of its name and size.
    """

    def __init__(self, source: Source, envelope: Envelope):
        self._source = source
        self._span = envelope.end.index
        self._body_end = self._span.offset - layout.BLOCK
        self._first: dict[str, int] = {}
        number = 0
        manifest = envelope.manifest
        self.has_differences = layout.DIFFERENCES in manifest.requires
        """Whether chunks may be differences [F-21]."""
        self._chunks = {disk.id: disk.chunks for disk in manifest.all_disks()}
        for disk in manifest.all_disks():
            self._first[disk.id] = number
            number += disk.chunks + 1
        for file in manifest.files:
            self._first[file.path] = number
            number += 1

    def rows(self, disk: str, chunks: int, windows: Windows) -> Rows:
        """The entries of a disk's chunks, not yet checked, a window at a time."""
        return Rows(windows, self._offset_of(disk, 0), layout.INDEX_ENTRY, chunks)

    def entry(self, key: str, number: int) -> bytes:
        """One entry, not yet checked.

        ``key``: the path of a file, with ``number`` 0; or the ID of a disk, with the number of a
        chunk, or with the count of its chunks for its chunk list.
        """
        return self._source.read(self._offset_of(key, number), layout.INDEX_ENTRY)

    def entries(self, disk: str, chunks: int) -> bytes:
        """The entries of a disk's chunks, not yet checked, all at once: 12 bytes each, at most
        12 MiB."""
        return self._source.read(self._offset_of(disk, 0), chunks * layout.INDEX_ENTRY)

    def chunk(self, disk: str, number: int) -> Span | None:
        """Where a chunk lies; None where there is no such chunk.  Raises BundleError."""
        if number >= self._chunks.get(disk, 0):
            return None
        return self.unpack(self.entry(disk, number), layout.chunk_name(disk, number))

    def chunk_list(self, disk: str, chunks: int) -> Span:
        """Where a disk's chunk list lies.  Raises BundleError."""
        name, size = layout.list_name(disk), chunks * layout.LIST_LINE
        return self._member(self.entry(disk, chunks), name, size)

    def file(self, path: str, size: int) -> Span:
        """Where a file lies.  Raises BundleError."""
        return self._member(self.entry(path, 0), path, size)

    def unpack(self, entry: bytes, name: str) -> Span:
        """The span in ``entry``, of the member ``name``.  Raises BundleError when out of bounds."""
        span = Span(*_ENTRY.unpack(entry))
        inside = span.offset >= BODY + layout.BLOCK and span.next_header <= self._body_end
        if not inside or span.offset % layout.BLOCK:
            raise BundleError(
                f"INDEX gives it {span.size} bytes at {span.offset}, which cannot be",
                where=name,
                code=Code.INDEX_ENTRY,
            )
        return span

    def _offset_of(self, key: str, number: int) -> int:
        return self._span.offset + (self._first[key] + number) * layout.INDEX_ENTRY

    def _member(self, entry: bytes, name: str, size: int) -> Span:
        """The span of a member, whose header must have this name and size."""
        span = self.unpack(entry, name)
        head = self._source.read(span.offset - layout.BLOCK, layout.BLOCK)
        if span.size != size or head != layout.header(name, size):
            raise BundleError(
                f"INDEX leads to no member of {size} bytes",
                where=member_place(name, span),
                code=Code.INDEX_ENTRY,
            )
        return span
