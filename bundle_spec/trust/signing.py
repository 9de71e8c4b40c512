"""Sign a finished bundle; ``BundleWriter(sign=…)`` signs one as it is written.

Only what follows the manifest is replaced [F-4]: signature, END and the end of the archive.  A copy
of the old bytes lies beside the bundle, as ``NAME.tail``, until the new ones are synced, so that
after a kill the next signing can restore them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from bundle_spec.durable import sync_folder, write_atomically
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import digest, layout
from bundle_spec.form.layout import BLOCK, End, Span
from bundle_spec.medium import local_error
from bundle_spec.private import open_regular, read_own
from bundle_spec.read.envelope import END_AND_TRAILER, read_tail
from bundle_spec.read.parts import find_parts
from bundle_spec.read.source import Source
from bundle_spec.trust import signature

_KEPT_SUFFIX = ".tail"


def sign_bundle(path: Path, key: Path, *, overwrite: bool = False) -> str:
    """Sign the bundle at ``path`` with an SSH key, as ``signature.make`` takes it.

    ``overwrite``: replace a signature that is there.  Where an earlier signing was killed, the tail
    that it replaced is restored first.  Returns the digest of the manifest, in hex.  Raises
    LocalError, also for a bundle that is split, or signed already without ``overwrite``;
    BundleError when its tail is damaged.
    """
    kept = path.with_name(path.name + _KEPT_SUFFIX)
    if find_parts(path) != (path,):
        raise LocalError(
            "a bundle in parts cannot be signed any more",
            where=str(path),
            remedy="sign it before it is split, or export it with --sign",
        )
    try:
        if os.path.lexists(kept):
            _restore_tail(path, kept)
            _remove(kept)
        with Source(path) as source:
            end, manifest = read_tail(source)
            start = end.manifest.next_header
            old = source.read(start, source.size - start)
        if end.signature and not overwrite:
            raise LocalError(
                "the bundle is signed already",
                where=str(path),
                remedy="--overwrite puts another signature in its place",
            )
        new = _tail(end, signature.make(manifest, key))
        write_atomically(kept, old)
        try:
            _replace(path, start, new)
        except OSError:
            _restore_tail(path, kept)
            _remove(kept)
            raise
        _remove(kept)
    except OSError as exc:
        where = exc.filename or path
        raise local_error("cannot sign the bundle", exc, where, "check its permissions") from exc
    return end.manifest_sha256


def _tail(end: End, armored: bytes) -> bytes:
    """The bytes behind the manifest: signature, END and the end of the archive."""
    start = end.manifest.next_header
    signed = replace(end, signature=Span(start + BLOCK, len(armored)))
    return b"".join(
        (
            layout.header(layout.SIGNATURE_NAME, len(armored)),
            armored,
            layout.padding(len(armored)),
            layout.header(layout.END_NAME, layout.END_SIZE),
            layout.encode_end(signed),
            layout.TRAILER,
        )
    )


def _restore_tail(path: Path, kept: Path) -> None:
    """Write the tail in the file ``kept`` back into the bundle, over what a killed signing wrote.

    Raises LocalError when ``kept`` is not of this bundle."""
    old = read_own(kept)
    try:
        end = layout.decode_end(old[-END_AND_TRAILER:][BLOCK : 2 * BLOCK], str(kept))
        with Source(path) as source:
            manifest = source.read(end.manifest.offset, end.manifest.size)
    except BundleError:
        manifest = b""
    if not manifest or digest.of(manifest) != end.manifest_sha256:
        raise LocalError(
            "this is not what signing the bundle left here",
            where=str(kept),
            remedy="move it away",
        )
    _replace(path, end.manifest.next_header, old)


def _replace(path: Path, start: int, tail: bytes) -> None:
    with open(open_regular(path, os.O_RDWR), "r+b") as file:
        file.seek(start)
        file.write(tail)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    path.unlink()
    sync_folder(path.parent)
