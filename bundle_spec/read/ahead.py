"""Decompress chunks of one disk or of several in step, in threads, before they are needed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from bundle_spec.errors import BundleError
from bundle_spec.form import digest, layout

AHEAD = 8 * layout.MIB
"""Raw bytes that are decompressed ahead, of all disks together; fewer where disks share chunks."""

_BATCH = layout.MIB

Opened = list[bytes] | BundleError
"""The next raw chunks of a disk in order, an empty list at its end, or the fault of one of them."""


class ChunkedDisk(Protocol):
    """What is needed of a disk here; DiskReader has it.  ``chunk_size``: in bytes."""

    @property
    def chunks(self) -> int: ...

    @property
    def chunk_size(self) -> int: ...

    def key(self, number: int) -> bytes: ...

    def open(self, number: int, opened: Mapping[bytes, bytes]) -> bytes: ...


@contextmanager
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for decompression: one for each core, at most eight.

    At the end, also after an error, work that was not begun is dropped.
    """
    threads = ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "decompress")
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def in_step(
    disks: Sequence[ChunkedDisk], threads: ThreadPoolExecutor
) -> Generator[list[Opened], None, None]:
    """All chunks of ``disks``, which have one chunk size: a batch of each disk, then the next.

    Yields one list for each step, with an entry for each disk.  Chunks that clones share lie at the
    same offset in each, so they are in one batch and are decompressed once; so are references of
    differences, and chunks that repeat within a batch, as zeros do.  From its first fault on, the
    entry of a disk is that fault.
    """
    (chunk_size,) = {disk.chunk_size for disk in disks}
    step = max(1, _BATCH // chunk_size)
    ahead = max(2, AHEAD // (len(disks) * step * chunk_size))
    failed: dict[int, BundleError] = {}

    def batch(first: int) -> list[Opened]:
        opened: dict[bytes, bytes] = {}
        return [
            failed.get(slot) or _open(disk, range(first, min(first + step, disk.chunks)), opened)
            for slot, disk in enumerate(disks)
        ]

    pending: deque[Future[list[Opened]]] = deque()

    def next_batch() -> list[Opened]:
        results = pending.popleft().result()
        for slot, opened in enumerate(results):
            if isinstance(opened, BundleError):
                # Batches are opened in any order: the first fault counts.
                results[slot] = failed.setdefault(slot, opened)
        return results

    for first in range(0, max(disk.chunks for disk in disks), step):
        pending.append(threads.submit(batch, first))
        if len(pending) == ahead:
            yield next_batch()
    while pending:
        yield next_batch()


def _open(disk: ChunkedDisk, numbers: range, opened: dict[bytes, bytes]) -> Opened:
    try:
        return [_open_once(disk, number, opened) for number in numbers]
    except BundleError as exc:
        return exc


def _open_once(disk: ChunkedDisk, number: int, opened: dict[bytes, bytes]) -> bytes:
    key = disk.key(number)
    if key not in opened:
        opened[key] = disk.open(number, opened)
    return opened[key]


class Hashing:
    """A running digest that is computed in ``threads``, while the caller does something else.

    ``running``: a digest of another kind than SHA-256, to be used instead.
    """

    def __init__(self, threads: ThreadPoolExecutor, running: digest.Hash | None = None):
        self._threads = threads
        self._running = running or digest.new()
        self._latest: Future[None] | None = None

    def add(self, pieces: Sequence[bytes]) -> None:
        """Add the next bytes.  Waits for those before, so that memory stays bounded."""
        self._wait()
        self._latest = self._threads.submit(self._update, pieces)

    def hexdigest(self) -> str:
        """The digest of all bytes, in hex."""
        self._wait()
        return self._running.hexdigest()

    def _update(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            self._running.update(piece)

    def _wait(self) -> None:
        if self._latest:
            self._latest.result()
