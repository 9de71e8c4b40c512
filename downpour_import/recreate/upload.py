"""The bytes of a disk into an image of the target: one stream, checked on both ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bundle_spec import BundleReader, DiskReader, open_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import disk_format
from bundle_spec.model import Disk, Image
from bundle_spec.read.ahead import Hashing
from downpour_import.errors import RecreateError, TargetLost
from downpour_import.recreate.base import compare, failure
from downpour_import.recreate.context import Context

PIECE = 1 << 20
UPLOAD_SILENCE = 600
"""Time-out in seconds, long as Glance's store may have much to do after the last byte."""

OnBytes = Callable[[int], None]


def compare_bytes(disk: Disk, item: Any, digest: str | None = None) -> list[str]:
    """Where Glance's size and hash of an image are not those of ``disk``.

    ``digest``: SHA-512 of the disk's bytes in hex, where it is known.  A cloud that converts
    images on arrival, or that computes no hash, gives no difference.
    """
    if item["disk_format"] != disk.disk_format:
        return []
    lines = compare({"size": disk.size}, item)
    source_hash = (disk.capture.source_hash if disk.capture else None) or ""
    algorithm, _, value = source_hash.partition(":")
    hashes = {"sha256": disk.sha256, algorithm: value}
    if digest:
        hashes["sha512"] = digest
    expected = hashes.get(item.get("os_hash_algo") or "")
    if expected and item.get("os_hash_value"):
        lines += compare({"os_hash_value": expected}, item)
    return lines


class DiskBody:
    """A disk's bytes as the body of a request.  It can be sent once only.

    After a 401 keystoneauth would send an exhausted iterator again, which makes an active image
    of 0 bytes; this one refuses.
    """

    def __init__(self, reader: DiskReader, disk: Disk, on_bytes: OnBytes) -> None:
        self.len = disk.size
        self._reader = reader
        self._on_bytes = on_bytes
        self._started = False
        # Glance hashes with SHA-512 by default: where the source gave it, it is not computed again.
        capture = disk.capture
        self._has_sha512 = capture is not None and (capture.source_hash or "").startswith("sha512:")
        self._digest: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self._started:
            raise RecreateError(
                "the target asked for the disk twice", remedy="run the same command again"
            )
        self._started = True
        pieces = self._reader.stream(PIECE)
        for piece in pieces if self._has_sha512 else self._hashed(pieces):
            self._on_bytes(len(piece))
            yield piece

    def _hashed(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces; their SHA-512 is computed in a thread while they are sent."""
        with ThreadPoolExecutor(1, "hash") as threads:
            hashing, batch = Hashing(threads, hashlib.sha512()), list[bytes]()
            for piece in pieces:
                batch.append(piece)
                if sum(map(len, batch)) >= PIECE:
                    hashing.add(batch)
                    batch = []
                yield piece
            hashing.add(batch)
            self._digest = hashing.hexdigest()

    def digest(self) -> str | None:
        """SHA-512 of what was sent, if all of it was and it was computed."""
        return self._digest


def put_bytes(context: Context, path: str, body: DiskBody) -> None:
    """PUT ``body`` to an image's ``file``, with a fresh token: an upload may take hours.

    Raises RecreateError: also where that token's end came before the last byte.
    """
    context.cloud.renew_token()
    try:
        context.cloud.request(
            "image",
            "PUT",
            path,
            data=body,
            headers={"Content-Type": "application/octet-stream"},
            allow_reauth=False,
            timeout=UPLOAD_SILENCE,
        )
    except TargetLost as exc:
        raise RecreateError(exc.message, where=exc.where, remedy=exc.remedy) from exc


@contextmanager
def of_one_disk() -> Iterator[None]:
    """The bundle is open: that the block cannot read a disk says nothing of its other disks.

    Raises RecreateError in place of BundleError and LocalError.
    """
    try:
        yield
    except (BundleError, LocalError) as exc:
        raise RecreateError(exc.message, where=exc.where, remedy=exc.remedy) from exc


def open_own_bundle(context: Context) -> BundleReader:
    """The bundle that the settings name [F-18].  Raises BundleError if its UUID is another one."""
    bundle = open_bundle(context.bundle, manifest_sha256=context.manifest_sha256)
    if bundle.manifest.uuid != context.bundle_uuid:
        bundle.close()
        raise BundleError(
            "this is another bundle than the one that the playbook belongs to",
            where=str(context.bundle.shown),
            remedy="put the right path into settings.yml",
        )
    return bundle


def upload_fault(reader: DiskReader, record: Image) -> str | None:
    """Why no cloud may be sent this disk as the image ``record``; None if one may."""
    return disk_format.fault(reader, record.disk_format, record.container_format)


def refuse_unsafe(reader: DiskReader, record: Image) -> None:
    """Raises RecreateError for a disk that would have the target read a file of its own hosts, or
    that is not what its record says."""
    if reason := upload_fault(reader, record):
        raise failure(f"the disk is not uploaded: {reason}", record)
