"""An image's bytes into a disk of the bundle, held against what Glance says of them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import requests
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec import BundleWriter
from bundle_spec.errors import CaptureError
from bundle_spec.model import Capture, Disk
from bundle_spec.progress import Progress
from downpour_export.capture.stop import StopFlag
from downpour_export.cloud import Json, SourceCloud

PIECE = 1 << 20
TRIES = 3


class Names(NamedTuple):
    """A disk as the bundle's journal knows it, and as a person does."""

    label: str
    shown: str


def download(
    cloud: SourceCloud,
    writer: BundleWriter,
    image: Json,
    capture: Capture,
    names: Names,
    stop: StopFlag,
    progress: Progress,
) -> Disk:
    """Read ``image`` (its JSON, active) into a new disk; an attempt that breaks is abandoned.

    Raises CaptureError after TRIES attempts; LocalError at once.
    """
    for attempt in range(1, TRIES + 1):
        disk = writer.disk(image["disk_format"], size_hint=image["size"], label=names.label)
        try:
            with progress.task(names.shown, image["size"], "bytes") as task:
                hasher = _hasher(image)
                for piece in _pieces(cloud, image["id"]):
                    stop.check()
                    disk.write(piece)
                    if hasher:
                        hasher.update(piece)
                    task.advance(len(piece))
                _compare(image, disk.size, hasher.hexdigest() if hasher else None)
            told = f"{image['os_hash_algo']}:{image['os_hash_value']}" if hasher else None
            return disk.finish(dataclasses.replace(capture, source_hash=told))
        except CaptureError as exc:
            disk.abandon()
            stop.check()
            if attempt == TRIES:
                raise
            progress.note(f"{names.shown}: {exc}; reading it again")
        except BaseException:
            disk.abandon()
            raise
    raise AssertionError("unreachable")


def _pieces(cloud: SourceCloud, image_id: str) -> Iterator[bytes]:
    response = cloud.request("image", "GET", f"/images/{image_id}/file", stream=True)
    try:
        yield from response.iter_content(PIECE)
    except (requests.RequestException, ks_exceptions.ClientException) as exc:
        raise CaptureError(f"the download broke off: {exc}", where=f"image {image_id}") from exc
    finally:
        response.close()


def _hasher(image: Json) -> hashlib._Hash | None:
    """For Glance's own hash of the image; some backends and formats have none."""
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
