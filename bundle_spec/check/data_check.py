"""Decompress all disks of a bundle and compare the digests of their raw bytes [F-16]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from bundle_spec.errors import BundleError
from bundle_spec.model import AbandonedDisk, Disk
from bundle_spec.progress import Progress, Task
from bundle_spec.read.ahead import Hashing, in_step, pool
from bundle_spec.read.disk_reader import DiskReader
from bundle_spec.read.envelope import Envelope
from bundle_spec.read.index import Index
from bundle_spec.read.source import Source

_IN_STEP = 4
"""Disks of one chunk size that are read at once; each takes the memory of a DiskReader."""


def data_faults(
    source: Source, envelope: Envelope, progress: Progress, *, frames_checked: bool
) -> Iterator[BundleError]:
    """The first fault of the raw bytes of each disk, where it has one [M-19].

    ``frames_checked``: a check at level ``stored`` has just found no fault, so the digests of the
    frames need not be compared again [F-18].
    """
    index = Index(source, envelope)
    disks = envelope.manifest.all_disks()
    with (
        progress.task("read", sum(disk.size for disk in disks), "bytes") as task,
        pool() as threads,
    ):
        for group in _groups(disks):
            readers = []
            for disk in group:
                try:
                    readers.append(DiskReader(source, index, disk, frames_checked=frames_checked))
                except BundleError as exc:
                    yield exc
            if readers:
                yield from _group_faults(readers, threads, task)


def _groups(disks: Sequence[Disk | AbandonedDisk]) -> Iterator[list[Disk | AbandonedDisk]]:
    """At most _IN_STEP disks at a time, all of one chunk size."""
    for _, group in groupby(sorted(disks, key=_chunk_size), _chunk_size):
        same_size = list(group)
        for first in range(0, len(same_size), _IN_STEP):
            yield same_size[first : first + _IN_STEP]


def _chunk_size(disk: Disk | AbandonedDisk) -> int:
    return disk.chunk_size


def _group_faults(
    readers: Sequence[DiskReader], threads: ThreadPoolExecutor, task: Task
) -> Iterator[BundleError]:
    hashing = [Hashing(threads) for _ in readers]
    failed: dict[int, BundleError] = {}
    for batch in in_step(readers, threads):
        for slot, raws in enumerate(batch):
            if isinstance(raws, BundleError):
                failed[slot] = raws
            else:
                hashing[slot].add(raws)
                task.advance(sum(map(len, raws)))
    for slot, reader in enumerate(readers):
        try:
            if slot not in failed:
                reader.require_digest(hashing[slot].hexdigest())
        except BundleError as exc:
            failed[slot] = exc
    yield from failed.values()
