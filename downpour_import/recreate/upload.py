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
from downpour_import.errors import RecreateError, Refused
from downpour_import.recreate.base import compare, failure
from downpour_import.recreate.context import Context

PIECE = 1 << 20
SEND_SILENCE = 60.0
"""Seconds in which the target takes no byte, after which the connection counts as broken."""

ANSWER_SILENCE = 120.0
"""Seconds after the last byte in which no answer comes, after which the image itself is watched."""

_WORTH_ANOTHER_TRY = frozenset({408, 409, 429})
"""Statuses of refusals that say nothing of the disk; 409: it is sent already (Glance, "Upload
binary image data")."""

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
        self.sent = 0
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
            self.sent += len(piece)
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

    @property
    def whole(self) -> bool:
        """Whether all of it was handed to the connection."""
        return self.sent == self.len

    def take_back(self) -> None:
        """Nothing of what was sent counts: the progress goes back."""
        self._on_bytes(-self.sent)

    def digest(self) -> str | None:
        """SHA-512 of what was sent, if all of it was and it was computed."""
        return self._digest


def put_bytes(context: Context, path: str, body: DiskBody) -> RecreateError | None:
    """PUT ``body`` to an image's ``file``, with a fresh token: an upload may take hours.

    Returns the error where it broke, and might succeed if it is sent again: only the image tells
    whether it has the bytes.  Raises TargetLost without that token, Refused, BundleError.
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
            # The first is also how long a byte may take on its way out (urllib3).
            timeout=(SEND_SILENCE, ANSWER_SILENCE),
        )
    except Refused as exc:
        if exc.status not in _WORTH_ANOTHER_TRY:
            raise
        return exc
    except RecreateError as exc:
        # Also TargetLost: the token's end may have come before the last byte.
        return exc
    return None


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
