"""The state of one disk during a check of all members: which chunks came, where links may lead."""

from __future__ import annotations

from collections.abc import Mapping

from bundle_spec.codes import Code
from bundle_spec.form import layout
from bundle_spec.form.frame import FrameError, reference_of
from bundle_spec.model import AbandonedDisk, Disk
from bundle_spec.read.index import Index, Rows, Windows, entry_length

_NOT_STORED, _MANY = 255, 254

Fault = tuple[Code, str]


class Tables:
    """The entries of INDEX and the lines of the chunk list, for the chunks of one disk."""

    def __init__(self, windows: Windows, index: Index, record: Disk | AbandonedDisk):
        """Raises BundleError when the chunk list does not lie where INDEX says."""
        offset = index.chunk_list(record.id, record.chunks).offset
        self.entries = index.rows(record.id, record.chunks, windows)
        self.lines = Rows(windows, offset, layout.LIST_LINE, record.chunks)


class LinkCounts:
    """For each chunk that came whether it has data of its own, and how many links lead to it.

    Takes one byte of memory for each chunk that came, and no more than another one on average; an
    eighth more where chunks are differences.
    """

    def __init__(self) -> None:
        self._counts = bytearray()
        self._many: dict[int, int] = {}  # chunk -> its links, of those with _MANY or more
        self._differences = bytearray()  # a bit for each chunk

    def add_stored(self, number: int) -> None:
        """Chunk ``number`` has data of its own; those before it that did not come have none."""
        self._counts.extend(bytes([_NOT_STORED]) * (number - len(self._counts)))
        self._counts.append(0)

    def get(self, number: int) -> int | None:
        """The links that lead to a chunk; None for one without data of its own."""
        count = self._counts[number] if number < len(self._counts) else _NOT_STORED
        if count == _NOT_STORED:
            return None
        return self._many[number] if count == _MANY else count

    def set_difference(self, number: int) -> None:
        """The data of chunk ``number``, which came, is a difference."""
        byte, bit = divmod(number, 8)
        self._differences.extend(bytes(byte + 1 - len(self._differences)))
        self._differences[byte] |= 1 << bit

    def is_full(self, number: int) -> bool:
        """Whether chunk ``number`` came with data of its own that is no difference."""
        byte, bit = divmod(number, 8)
        is_difference = byte < len(self._differences) and self._differences[byte] >> bit & 1
        return self.get(number) is not None and not is_difference

    def add_link(self, number: int) -> None:
        """One more link leads to a chunk that has data of its own."""
        count = self.get(number)
        assert count is not None
        if count + 1 >= _MANY:
            self._many[number] = count + 1
        self._counts[number] = min(count + 1, _MANY)


class DiskCheck:
    """The state of one disk; for its memory see ``LinkCounts``.

    ``next``: the number of the chunk that must come next.  ``tables`` None: INDEX is damaged, so
    nothing can be compared with it.
    """

    def __init__(self, record: Disk | AbandonedDisk):
        self.record = record
        self.next = 0
        self.list_seen = False
        self.tables: Tables | None = None
        self._stored = self._shared = self._counted = 0
        self._links = LinkCounts()

    @property
    def missing(self) -> int:
        """The chunks that have not come yet."""
        return self.record.chunks - self.next

    def due(self, number: int) -> int:
        """The raw bytes that chunk ``number`` must have."""
        return layout.chunk_length(self.record.size, self.record.chunk_size, number)

    def add_stored(self, number: int, length: int) -> None:
        """Chunk ``number`` came with a frame of ``length`` bytes; links may now lead to it."""
        self._links.add_stored(number)
        self._stored += length
        self._counted += 1

    def link_fault(self, number: int, link: str, disks: Mapping[str, DiskCheck]) -> Fault | None:
        """Why chunk ``number`` may not be a hard link to ``link`` [F-8]; None when it may."""
        parsed = layout.parse_chunk_name(link)
        target = disks.get(parsed[0]) if parsed else None
        if not parsed or not target or parsed[1] >= target.next:
            return Code.LINK_TARGET, f"links to {link}, which is no earlier chunk"
        at = parsed[1]
        links = target._links.get(at)
        if links is None:
            message = f"links to {link}, which is not a chunk with data of its own"
            return Code.LINK_TARGET, message
        if links == layout.MAX_LINKS:
            return Code.LINK_COUNT, f"more than {layout.MAX_LINKS} links to {link}"
        target._links.add_link(at)
        if target.due(at) != self.due(number):
            message = f"links to a chunk of {target.due(at)} bytes where {self.due(number)} are due"
            return Code.LINK_LENGTH, message
        return self._difference(number, target, at)

    def difference_fault(
        self, number: int, head: bytes, disks: Mapping[str, DiskCheck]
    ) -> Fault | None:
        """Why chunk ``number``, whose stored bytes begin with ``head``, may not be a difference to
        what it names [F-21]; None when it may, or is a full frame."""
        try:
            reference = reference_of(head)
        except FrameError as exc:
            return Code.DIFFERENCE_FORM, str(exc)
        if reference is None:
            return None
        self._links.set_difference(number)
        name = layout.chunk_name(reference.disk, reference.number)
        made_of = disks.get(reference.disk)
        if made_of is None or not made_of._links.is_full(reference.number):
            return (
                Code.DIFFERENCE_REFERENCE,
                f"a difference to {name}, which is no earlier full chunk",
            )
        if made_of.tables and made_of.tables.lines[reference.number] != layout.list_line(
            *reference
        ):
            message = f"a difference to {name} with another digest than its chunk list gives"
            return Code.DIFFERENCE_REFERENCE, message
        return None

    def _difference(self, number: int, target: DiskCheck, at: int) -> Fault | None:
        """The fault of a link whose INDEX entry or line in the chunk list is not its target's."""
        if self.tables is None or target.tables is None:
            return None
        entry = target.tables.entries[at]
        self._shared += entry_length(entry)
        self._counted += 1
        if self.tables.entries[number] != entry:
            return Code.INDEX_ENTRY, "INDEX has another place for it than for its target"
        digest = target.tables.lines[at][:64].decode("ascii", "replace")
        if self.tables.lines[number] != layout.list_line(digest, self.record.id, number):
            message = "the chunk list has another digest for it than for its target"
            return Code.LIST_LINE, message
        return None

    def account_fault(self) -> str | None:
        """Why ``stored`` or ``shared`` in the manifest is wrong [M-20]; None when it is right, or
        when not all chunks were seen."""
        declared = (self.record.stored, self.record.shared)
        if self._counted < self.record.chunks or declared == (self._stored, self._shared):
            return None
        return (
            f"{self._stored} bytes stored and {self._shared} shared, "
            f"where the manifest says {declared[0]} and {declared[1]}"
        )
