"""Read both ends of a bundle: the magic at its head; manifest, signature and END at its tail.

Sizes are checked against their limits before anything is allocated, and digests before what was
read is used [F-18].
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bundle_spec.codes import Code, Place
from bundle_spec.errors import BundleError, BundleFaults, UnsupportedBundle
from bundle_spec.form import digest, layout
from bundle_spec.form.layout import BLOCK, End, member_place
from bundle_spec.form.manifest_check import index_size
from bundle_spec.form.manifest_text import parse_manifest
from bundle_spec.model import Manifest
from bundle_spec.read.source import COPY_AGAIN, Source

BODY = 2 * BLOCK
"""Where the members between magic and INDEX begin."""

END_AND_TRAILER = BLOCK + layout.END_SIZE + len(layout.TRAILER)
"""From the header of END to the end of the file."""

AGE_MAGIC = b"age-encryption.org/v1\n"
"""The first bytes of an encrypted bundle: an age file, which must be decrypted to be a bundle."""

_MAGIC = re.compile(rb"dpbundle ([1-9][0-9]{0,8})\n")


@dataclass(frozen=True)
class Envelope:
    """Both ends of a bundle as records: where the members of the tail lie, and the manifest."""

    end: End
    manifest: Manifest


def read_envelope(source: Source) -> Envelope:
    """Check both ends of a bundle, and its manifest but for the resource graph.

    Raises UnsupportedBundle for another major version, an unknown feature, or an encrypted bundle;
    BundleError or BundleFaults for anything else.  Does not read what lies between, nor the bytes
    of INDEX.
    """
    end, data = read_tail(source)
    manifest = parse_manifest(data, member_place(layout.MANIFEST_NAME, end.manifest))
    if end.index.size != index_size(manifest):
        raise BundleError(
            f"{end.index.size} bytes where the manifest asks for {index_size(manifest)}",
            where=member_place(layout.INDEX_NAME, end.index),
            code=Code.INDEX_SIZE,
        )
    return Envelope(end, manifest)


def read_tail(source: Source) -> tuple[End, bytes]:
    """END [F-14], and the stored bytes of the manifest, which have the digest that END gives.

    The manifest is not parsed.  Raises what ``read_envelope`` raises.
    """
    _check_magic(source)
    end = _read_end(source)
    faults = list(_tail_faults(source, end))
    if faults:
        raise BundleFaults("the tail of the bundle is damaged", faults, remedy=COPY_AGAIN)
    data = source.read(end.manifest.offset, end.manifest.size)
    if digest.of(data) != end.manifest_sha256:
        raise BundleError(
            "not the digest that END gives",
            where=member_place(layout.MANIFEST_NAME, end.manifest),
            remedy=COPY_AGAIN,
            code=Code.MANIFEST_DIGEST,
        )
    return end, data


def _check_magic(source: Source) -> None:
    where = str(source.path)
    smallest = BODY + BLOCK + END_AND_TRAILER
    if source.size >= BODY and source.read(0, len(AGE_MAGIC)) == AGE_MAGIC:
        raise UnsupportedBundle(
            "not a bundle but an age file: it is encrypted",
            where=where,
            remedy="downpour-import takes it with --identity; age -d makes a bundle of it",
            code=Code.NOT_A_BUNDLE,
        )
    if source.size < BODY:
        raise BundleError("not a bundle: too small", where=where, code=Code.NOT_A_BUNDLE)
    header = layout.parse_header(source.read(0, BLOCK))
    data = source.read(BLOCK, BLOCK)
    match = _MAGIC.match(data)
    if not match or header != layout.Header(layout.MAGIC_NAME, match.end()):
        raise BundleError(
            "not a bundle: it does not begin like one", where=where, code=Code.NOT_A_BUNDLE
        )
    if match[0] != layout.MAGIC:
        raise UnsupportedBundle(
            f"the bundle has format version {int(match[1])}; this reader knows {layout.MAJOR}",
            where=where,
            remedy="use a newer downpour",
            code=Code.UNKNOWN_FORMAT,
        )
    if any(data[match.end() :]):
        place = Place(layout.MAGIC_NAME, 0)
        raise BundleError("bytes in the padding", where=place, code=Code.PADDING)
    if source.size < smallest or source.size % BLOCK:
        raise BundleError(
            "the file is cut short", where=where, remedy=COPY_AGAIN, code=Code.TRUNCATED
        )


def _read_end(source: Source) -> End:
    start = source.size - END_AND_TRAILER
    where = Place(layout.END_NAME, start)
    block = source.read(start, END_AND_TRAILER)
    header, data, trailer = block[:BLOCK], block[BLOCK : 2 * BLOCK], block[2 * BLOCK :]
    if layout.parse_header(header) != layout.Header(layout.END_NAME, layout.END_SIZE):
        raise BundleError(
            "the file does not end as a bundle does: it is cut short, or bytes follow it",
            where=str(source.path),
            remedy=COPY_AGAIN,
            code=Code.TRUNCATED,
        )
    if trailer != layout.TRAILER:
        raise BundleError(
            "the end of the archive is not zero",
            where=where,
            remedy=COPY_AGAIN,
            code=Code.TRAILER,
        )
    return layout.decode_end(data, where)


def _tail_faults(source: Source, end: End) -> Iterator[BundleError]:
    """The first faults of the tail: its members must follow each other in order, without gaps."""
    place = Place(layout.END_NAME, source.size - END_AND_TRAILER)
    members = [(layout.INDEX_NAME, end.index), (layout.MANIFEST_NAME, end.manifest)]
    limits = {layout.MANIFEST_NAME: layout.MAX_MANIFEST_SIZE}
    if end.signature:
        members.append((layout.SIGNATURE_NAME, end.signature))
        limits[layout.SIGNATURE_NAME] = layout.MAX_SIGNATURE_SIZE
    for name, span in members:
        if span.size > limits.get(name, span.size):
            message = f"{name} of {span.size} bytes is over the limit"
            yield BundleError(message, where=place, code=Code.LIMIT)
            return
    following = [span.offset - BLOCK for _, span in members[1:]]
    following.append(source.size - END_AND_TRAILER)
    if end.index.offset < BODY + BLOCK or [s.next_header for _, s in members] != following:
        message = "the members of the tail do not follow each other"
        yield BundleError(message, where=place, code=Code.TAIL_ORDER)
        return
    for name, span in members:
        where = member_place(name, span)
        if source.read(span.offset - BLOCK, BLOCK) != layout.header(name, span.size):
            yield BundleError("the header is not canonical", where=where, code=Code.HEADER)
        if any(source.read(span.offset + span.size, span.next_header - span.offset - span.size)):
            yield BundleError("bytes in the padding", where=where, code=Code.PADDING)
