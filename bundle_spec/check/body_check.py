"""Walk all members between magic and INDEX, account for every byte, and collect every fault.

One thread reads the headers in order; others read the members, hash them, and check the headers of
frames.  Without ``read_chunks`` the frames are not read; headers, padding, chunk lists and files
are still checked.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from bundle_spec.check.disk_check import DiskCheck, Tables
from bundle_spec.codes import Code, Place
from bundle_spec.errors import MAX_FAULTS, BundleError
from bundle_spec.form import digest, layout
from bundle_spec.form.frame import REFERENCE_SIZE, stored_fault
from bundle_spec.form.layout import BLOCK, Header, Span, member_place
from bundle_spec.progress import Progress, Task
from bundle_spec.read.envelope import BODY, Envelope
from bundle_spec.read.index import Index, Windows, pack
from bundle_spec.read.source import Source

_ELSEWHERE = "INDEX has another place or length for it"
_DAMAGED = "damaged: not what its line in the chunk list says"
_PADDING = Code.PADDING, "bytes in the padding"

_BATCH = 2 * layout.MIB
_AHEAD = 4

Check = Callable[[], list["Finding"]]
Fault = tuple[Code, str]
Finding = tuple[int, BundleError]
"""A fault with the offset of its member, by which the faults are sorted."""


def check_body(
    source: Source, envelope: Envelope, progress: Progress, *, read_chunks: bool
) -> list[BundleError]:
    """The faults between magic and INDEX, and those of INDEX itself, in the order of the file.

    At most MAX_FAULTS of them.
    """
    size = envelope.end.index.offset - BLOCK - BODY
    with (
        ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "verify") as pool,
        progress.task("verify" if read_chunks else "check structure", size, "bytes") as task,
    ):
        return _Walk(source, envelope, task, pool, read_chunks).run()


class _Walk:
    def __init__(
        self,
        source: Source,
        envelope: Envelope,
        task: Task,
        pool: ThreadPoolExecutor,
        read_chunks: bool,
    ):
        self._source = source
        self._read_chunks = read_chunks
        self._task = task
        self._pool = pool
        self._manifest = envelope.manifest
        self._index_span = envelope.end.index
        self._end = envelope.end.index.offset - BLOCK
        self._index = Index(source, envelope)
        self._index_whole = False
        self._disks = {disk.id: DiskCheck(disk) for disk in self._manifest.all_disks()}
        self._files = {file.path: file for file in self._manifest.files}
        self._files_seen: set[str] = set()
        self._findings: list[Finding] = []
        self._batch: list[Check] = []
        self._batch_start = BODY
        self._pending: deque[tuple[int, Future[list[Finding]]]] = deque()

    def run(self) -> list[BundleError]:
        self._check_index()
        position = BODY
        while position < self._end:
            header = layout.parse_header(self._source.read(position, BLOCK))
            if header is None:
                position = self._skip(position, Code.HEADER, "the header is not canonical")
            elif Span(position + BLOCK, header.size).next_header > self._end:
                message = f"{header.name} reaches into INDEX"
                position = self._skip(position, Code.OVERLAP, message)
            else:
                self._member(header, position)
                position += BLOCK + layout.padded(header.size)
            if position - self._batch_start >= _BATCH:
                self._hand_over(position)
        self._hand_over(position)
        while self._pending:
            self._collect_oldest()
        self._check_missing()
        return [fault for _, fault in sorted(self._findings, key=lambda finding: finding[0])]

    def _hand_over(self, position: int) -> None:
        """Submit the checks that have gathered, of members up to ``position``, to a thread."""
        batch, size = self._batch, position - self._batch_start
        self._batch, self._batch_start = [], position
        job = self._pool.submit(lambda: [finding for check in batch for finding in check()])
        self._pending.append((size, job))
        if len(self._pending) > _AHEAD:
            self._collect_oldest()

    def _collect_oldest(self) -> None:
        size, job = self._pending.popleft()
        self._add(job.result())
        self._task.advance(size)

    def _add(self, findings: Iterable[Finding]) -> None:
        self._findings += islice(findings, MAX_FAULTS - len(self._findings))

    def _report(self, position: int, name: str, code: Code, message: str) -> None:
        place = Place(name, position)
        self._add([(position, BundleError(message, where=place, code=code))])

    # --- INDEX ---

    def _check_index(self) -> None:
        """Check the digest of INDEX, and read from it where the chunk lists lie."""
        span = self._index_span
        sha256 = digest.of_stream(self._source.pieces(span.offset, span.size))
        self._index_whole = sha256 == self._manifest.index_sha256
        if not self._index_whole:
            message = "not the digest that the manifest gives"
            self._report(self._end, layout.INDEX_NAME, Code.INDEX_DIGEST, message)
            return
        windows = Windows(self._source)
        for disk in self._disks.values():
            try:
                disk.tables = Tables(windows, self._index, disk.record)
            except BundleError as exc:
                self._add([(self._end, exc)])

    # --- members ---

    def _skip(self, position: int, code: Code, message: str) -> int:
        """Report a header's fault; returns the position of the next canonical header."""
        self._report(position, "header", code, message)
        position += BLOCK
        while position < self._end:
            if layout.parse_header(self._source.read(position, BLOCK)):
                break
            position += BLOCK
        return position

    def _member(self, header: Header, position: int) -> None:
        if chunk := layout.parse_chunk_name(header.name):
            disk = self._disks.get(chunk[0])
            if disk and chunk[1] < disk.record.chunks:
                self._chunk(header, position, disk, chunk[1])
                return
        elif name := layout.parse_list_name(header.name):
            disk = self._disks.get(name)
            if disk:
                self._list(header, position, disk)
                return
        elif header.name in self._files:
            self._file(header, position)
            return
        self._report(position, header.name, Code.UNLISTED, "the manifest knows no such member")

    def _chunk(self, header: Header, position: int, disk: DiskCheck, number: int) -> None:
        if number < disk.next:
            message = "the member stands twice, or too late"
            self._report(position, header.name, Code.CHUNK_ORDER, message)
            return
        if number > disk.next:
            message = f"the {number - disk.next} chunks before it are missing"
            self._report(position, header.name, Code.CHUNK_ORDER, message)
        disk.next = number + 1
        if header.link:
            if header.size:
                self._report(position, header.name, Code.LINK_DATA, "a link has data")
            elif fault := disk.link_fault(number, header.link, self._disks):
                self._report(position, header.name, *fault)
            return
        span, due, line = Span(position + BLOCK, header.size), disk.due(number), None
        disk.add_stored(number, header.size)
        if self._index.has_differences:
            head = self._source.read(span.offset, min(REFERENCE_SIZE, span.size))
            if fault := disk.difference_fault(number, head, self._disks):
                self._report(position, header.name, *fault)
        if span.size > layout.frame_bound(due):
            message = f"a frame of {span.size} bytes for {due}"
            self._report(position, header.name, Code.FRAME_LENGTH, message)
            return
        if disk.tables:
            line = disk.tables.lines[number]
            if pack(span) != disk.tables.entries[number]:
                self._report(position, header.name, Code.INDEX_ENTRY, _ELSEWHERE)
        if self._read_chunks:
            self._batch.append(lambda: self._check_chunk(header.name, span, due, line))
        else:
            self._add(_findings_of(header.name, span, self._padding_faults(span)))

    def _list(self, header: Header, position: int, disk: DiskCheck) -> None:
        if disk.list_seen:
            self._report(position, header.name, Code.DUPLICATE, "the member stands twice")
            return
        disk.list_seen = True
        if disk.missing:
            message = f"the last {disk.missing} chunks before it are missing"
            self._report(position, header.name, Code.LIST_ORDER, message)
        elif account := disk.account_fault():
            self._report(position, header.name, Code.DISK_ACCOUNT, account)
        size = disk.record.chunks * layout.LIST_LINE
        entry = (disk.record.id, disk.record.chunks)
        digest_code = (Code.LIST_DIGEST, disk.record.list_sha256)
        self._plain(header, position, size, digest_code, entry)

    def _file(self, header: Header, position: int) -> None:
        file = self._files[header.name]
        if header.name in self._files_seen:
            self._report(position, header.name, Code.DUPLICATE, "the member stands twice")
            return
        self._files_seen.add(header.name)
        digest_code = (Code.FILE_DIGEST, file.sha256)
        self._plain(header, position, file.size, digest_code, (file.path, 0))

    def _plain(
        self,
        header: Header,
        position: int,
        size: int,
        digest_due: tuple[Code, str],
        entry: tuple[str, int],
    ) -> None:
        """Check a member that has one digest, a chunk list or a file.

        ``digest_due``: the code of the fault, and the digest.  ``entry``: disk and number, or path
        and 0, for ``Index.entry``.
        """
        if header.link or header.size != size:
            message = f"not a member of {size} bytes"
            self._report(position, header.name, Code.MEMBER_SIZE, message)
            return
        span = Span(position + BLOCK, size)
        if self._index_whole and pack(span) != self._index.entry(*entry):
            self._report(position, header.name, Code.INDEX_ENTRY, _ELSEWHERE)
        self._batch.append(lambda: self._check_plain(header.name, span, digest_due))

    def _check_missing(self) -> None:
        for disk in self._disks.values():
            if not disk.list_seen:
                self._report_missing(layout.list_name(disk.record.id))
                if disk.missing:
                    self._report_missing(layout.chunk_name(disk.record.id, disk.next))
        for path in self._files.keys() - self._files_seen:
            self._report_missing(path)

    def _report_missing(self, name: str) -> None:
        self._report(self._end, name, Code.MISSING, "missing before INDEX")

    # --- in threads ---

    def _check_chunk(self, name: str, span: Span, due: int, line: bytes | None) -> list[Finding]:
        block = self._source.read(span.offset, layout.padded(span.size))
        data = block[: span.size]
        faults = [_PADDING] if any(block[span.size :]) else []
        if line is not None:
            sha256 = hashlib.sha256(data).hexdigest()
            if line != f"{sha256}  {name}\n".encode():
                faults.append((Code.LIST_LINE, _DAMAGED))
        fault = stored_fault(data, due, differences=self._index.has_differences)
        if fault and fault[0] != Code.DIFFERENCE_FORM:  # told when its header was read
            faults.append(fault)
        return _findings_of(name, span, faults)

    def _check_plain(self, name: str, span: Span, digest_due: tuple[Code, str]) -> list[Finding]:
        faults = self._padding_faults(span)
        code, sha256 = digest_due
        if digest.of_stream(self._source.pieces(span.offset, span.size)) != sha256:
            faults.append((code, "not the digest that the manifest gives"))
        return _findings_of(name, span, faults)

    def _padding_faults(self, span: Span) -> list[Fault]:
        rest = span.next_header - span.offset - span.size
        return [_PADDING] if any(self._source.read(span.offset + span.size, rest)) else []


def _findings_of(name: str, span: Span, faults: list[Fault]) -> list[Finding]:
    return [
        (span.offset - BLOCK, BundleError(message, where=member_place(name, span), code=code))
        for code, message in faults
    ]
