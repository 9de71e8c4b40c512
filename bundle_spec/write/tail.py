"""The end of a bundle [F-4]: its files, then INDEX, manifest, signature and END."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.form import digest, layout
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.layout import End, Span
from bundle_spec.form.manifest_text import format_manifest, parse_manifest
from bundle_spec.model import AbandonedDisk, Content, Disk, File, Manifest
from bundle_spec.read.index import pack
from bundle_spec.write.store import ChunkStore

Sign = Callable[[bytes], bytes]
"""The stored bytes of a manifest -> their armored SSH signature [F-13]."""


class Tail(NamedTuple):
    """The manifest that was written, and the digest of its stored bytes, in hex."""

    manifest: Manifest
    manifest_sha256: str


def make_manifest(
    content: Content,
    uuid: str,
    disks: Sequence[Disk | AbandonedDisk],
    files: Mapping[str, bytes],
    requires: tuple[str, ...] = (),
) -> Manifest:
    """The manifest, but for the digest of INDEX, which is not written yet.

    ``files``: path -> data.  ``requires``: the features that it uses [M-6].  Raises BundleFaults
    where a reader would refuse it: a value of a wrong type, a broken rule of SPEC.md section 4, a
    reference that does not resolve.
    """
    given = {field.name: getattr(content, field.name) for field in dataclasses.fields(Content)}
    manifest = Manifest(
        **given,
        format="dpbundle",
        version=(layout.MAJOR, layout.MINOR),
        requires=requires,
        uuid=uuid,
        disks=tuple(disk for disk in disks if isinstance(disk, Disk)),
        abandoned=tuple(disk for disk in disks if isinstance(disk, AbandonedDisk)),
        files=tuple(
            File(path=path, size=len(data), sha256=digest.of(data))
            for path, data in sorted(files.items())
        ),
        index_sha256=digest.of(b""),
    )
    read_back = parse_manifest(format_manifest(manifest), layout.MANIFEST_NAME)
    faults: list[BundleError] = list(graph_faults(read_back))
    if faults:
        raise BundleFaults("the content does not make a bundle", faults)
    return manifest


def write_tail(
    store: ChunkStore, manifest: Manifest, files: Mapping[str, bytes], sign: Sign | None
) -> Tail:
    """Write all that follows the disks, and fsync the whole file.

    ``manifest``: as ``make_manifest`` gave it.  ``sign`` is called once.  Raises LocalError, and
    what ``sign`` raises.
    """
    with store.writing() as file:
        store.seal()
        spans = [file.append(record.path, files[record.path]) for record in manifest.files]
        index, index_sha256 = _write_index(store, manifest, spans)
        manifest = dataclasses.replace(manifest, index_sha256=index_sha256)
        data = format_manifest(manifest)
        end = End(
            index=index,
            manifest=file.append(layout.MANIFEST_NAME, data),
            signature=file.append(layout.SIGNATURE_NAME, sign(data)) if sign else None,
            manifest_sha256=digest.of(data),
        )
        file.append(layout.END_NAME, layout.encode_end(end))
        file.end()
    return Tail(manifest, end.manifest_sha256)


def _write_index(store: ChunkStore, manifest: Manifest, files: list[Span]) -> tuple[Span, str]:
    """Write INDEX [F-11]; returns where it lies, and its digest in hex."""
    disks = manifest.all_disks()
    count = sum(disk.chunks for disk in disks) + len(disks) + len(files)
    running = digest.new()
    entries = digest.tee(map(pack, _spans(store, disks, files)), running)
    with store.writing() as file:
        span = file.append_stream(layout.INDEX_NAME, count * layout.INDEX_ENTRY, entries)
    return span, running.hexdigest()


def _spans(
    store: ChunkStore, disks: Sequence[Disk | AbandonedDisk], files: list[Span]
) -> Iterator[Span]:
    with store.journal() as journal:
        ended = journal.disks()
        for disk in disks:
            yield from (span for span, _ in journal.frames(disk.id))
            yield ended[disk.id][1]
    yield from files
