"""Download an image into a disk of the bundle, and compare it with Glance's size and hash."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from bundle_spec import BundleWriter, DiskWriter
from bundle_spec.errors import LocalError
from bundle_spec.form import codec
from bundle_spec.form.disk_format import fault_of_start
from bundle_spec.model import Capture, Disk
from bundle_spec.progress import Progress
from downpour_cloud import Json
from downpour_export.capture.cancel import CancelFlag, Cancelled
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureError, TooMuch

PIECE = 1 << 20
TRIES = 4
"""How often a connection that brings no new byte is tried, and a download with wrong bytes."""
PAUSE = 0.5
"""Seconds before the second try at most; twice as many before each one after it."""


MOST = 1 << 40
"""Bytes of an image at most where nothing tells its size: Glance's own limit (``image_size_cap``)
unless an operator raises it."""


class Names(NamedTuple):
    """``label``: the disk's name in the bundle's journal.  ``shown``: its name in messages."""

    label: str
    shown: str


def download(
    cloud: SourceCloud,
    writer: BundleWriter,
    image: Json,
    capture: Capture,
    names: Names,
    cancel: CancelFlag,
    progress: Progress,
    *,
    most: int = MOST,
) -> Disk:
    """Read ``image`` (JSON of an active one) into a disk, on from where an earlier run stopped.

    ``most``: bytes that are taken of an image whose size the source does not tell.

    After a broken connection the next one goes on at the same byte.  Bytes that do not have
    Glance's hash are abandoned and read again.  Any other error leaves the disk unfinished, so
    that the next run goes on with it.  Raises CaptureError, LocalError.
    """

    def tell(text: str) -> None:
        progress.say(f"{names.shown}: {text}")

    for attempt in range(1, TRIES + 1):
        disk, hasher = _begin(writer, image, names.label)
        try:
            with progress.task(names.shown, image["size"], "bytes") as task:
                task.advance(disk.size)
                for piece in _pieces(cloud, image, disk.size, most, cancel, tell):
                    cancel.check()
                    disk.write(piece)
                    if hasher:
                        hasher.update(piece)
                    task.advance(len(piece))
        except BaseException:
            with suppress(LocalError):
                disk.leave()
            raise
        try:
            _compare(image, disk.size, hasher.hexdigest() if hasher else None)
        except CaptureError as exc:
            disk.abandon()
            if attempt == TRIES:
                raise
            tell(f"{exc}; reading it again")
            continue
        if not hasher:
            tell("the source tells no hash to compare its bytes with")
        if reason := fault_of_start(disk.start, image["disk_format"], image["container_format"]):
            tell(f"warning: an import will refuse this disk: {reason}")
        source_hash = f"{image['os_hash_algo']}:{image['os_hash_value']}" if hasher else None
        return disk.finish(dataclasses.replace(capture, source_hash=source_hash))
    raise AssertionError("unreachable")


def _begin(
    writer: BundleWriter, image: Json, label: str
) -> tuple[DiskWriter, hashlib._Hash | None]:
    """A new disk, or the one that an earlier run began to read from the very same image."""
    hasher = _hasher(image)
    key = f"read {label}"
    facts = [image["id"], image["size"], image["disk_format"], image.get("os_hash_value")]
    identity = codec.dumps(facts).decode()
    if writer.recall(key) == identity:
        for begun in writer.open_disks():
            if begun.label == label:
                return writer.resume_disk(begun, hasher.update if hasher else None), hasher
    writer.remember(key, identity)
    return writer.disk(image["disk_format"], size_hint=image["size"], label=label), hasher


def _pieces(
    cloud: SourceCloud,
    image: Json,
    offset: int,
    most: int,
    cancel: CancelFlag,
    tell: Callable[[str], None],
) -> Iterator[bytes]:
    """The image's bytes from ``offset`` on, over several connections if they break.

    Raises TooMuch as soon as there are more than its size, or than ``most`` without one.
    """
    size: int | None = image["size"]
    most = most if size is None else size
    fruitless = 0
    while size is None or offset < size:
        try:
            for piece in _connection(cloud, image["id"], offset):
                offset += len(piece)
                if offset > most:
                    what = f"more than {most} bytes came"
                    raise TooMuch(what, where=f"image {image['id']}")
                fruitless = 0
                yield piece
            if size is None or offset >= size:
                return
            raise CaptureError(f"{offset} bytes came of {size}", where=f"image {image['id']}")
        except (Cancelled, TooMuch):
            raise
        except CaptureError as exc:
            fruitless += 1
            if fruitless == TRIES:
                raise
            tell(f"{exc}; going on at byte {offset}")
            # Not all at the same moment, when a service comes back.
            cancel.sleep(random.uniform(0.5, 1.0) * PAUSE * 2.0 ** (fruitless - 1))


def _connection(cloud: SourceCloud, image_id: str, offset: int) -> Iterator[bytes]:
    """The bytes from ``offset`` on that one answer brings."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    with cloud.stream("image", f"/images/{image_id}/file", headers) as answer:
        # Not 206: the store does not support ranges, and the answer starts at the first byte.
        skip = 0 if answer.status == 206 else offset
        start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if answer.status == 206 and (start is None or int(start[1]) != offset):
            raise CaptureError(
                f"the source gave other bytes than those from {offset}", where=f"image {image_id}"
            )
        for piece in answer.pieces(PIECE):
            if len(piece) <= skip:
                skip -= len(piece)
            else:
                yield piece[skip:]
                skip = 0


def _hasher(image: Json) -> hashlib._Hash | None:
    """A hasher of the kind that Glance used; None where the image has no hash."""
    if not image.get("os_hash_value"):
        return None
    try:
        return hashlib.new(image["os_hash_algo"])
    except (ValueError, TypeError):
        return None


def _compare(image: Json, size: int, digest: str | None) -> None:
    where = f"image {image['id']}"
    if image.get("size") is not None and size != image["size"]:
        raise CaptureError(f"{size} bytes came of {image['size']}", where=where)
    if digest is not None and digest != image["os_hash_value"]:
        raise CaptureError(
            f"the bytes that came do not have the {image['os_hash_algo']} that Glance tells",
            where=where,
        )
