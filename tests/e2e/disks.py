"""Disks in a bundle and at a target, held against the files of the source cloud's backend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bundle_spec import open_bundle
from bundle_spec.read.reader import BundleReader
from tests.devcloud import Cloud
from tests.tenant import Tenant

Uuids = Mapping[tuple[str, str], str]
"""(type, old ID) -> new ID."""


def differing_in_bundle(path: Path, source: Cloud) -> list[str]:
    """IDs of the disks that do not have the bytes of the source."""
    with open_bundle(path) as bundle:
        files = _files(bundle, source)
        return [disk.id for disk in bundle.manifest.disks if not _same(bundle, disk.id, files)]


def _files(bundle: BundleReader, source: Cloud) -> dict[str | None, Path]:
    """Disk ID -> the file that it was captured from."""
    resources = bundle.manifest.resources
    files: dict[str | None, Path] = {}
    for volume in resources.volumes:
        files[volume.disk_id] = source.volume_file(volume.id)
    for image in resources.images:
        own = image.server_id
        files[image.disk_id] = source.server_disk(own) if own else source.image_file(image.id)
    return files


def _same(bundle: BundleReader, disk_id: str, files: Mapping[str | None, Path]) -> bool:
    with files[disk_id].open("rb") as file:
        pieces = bundle.disk(disk_id).stream()
        return all(file.read(len(piece)) == piece for piece in pieces) and not file.read(1)


def differing_at_target(uuids: Uuids, made: Tenant, source: Cloud, target: Cloud) -> list[str]:
    """Old IDs of what has other bytes at the target than at the source."""
    return [old for old, was, now in _pairs(uuids, made, source, target) if _sum(was) != _sum(now)]


def _pairs(
    uuids: Uuids, made: Tenant, source: Cloud, target: Cloud
) -> Iterator[tuple[str, Path, Path]]:
    for volume in (made.data_volume, made.boot_volume):
        new = target.volume_file(uuids["volume", volume])
        yield volume, source.volume_file(volume), new
    for image in (made.raw_image, made.qcow2_image):
        yield image, source.image_file(image), target.image_file(uuids["image", image])
    for server in (made.web, made.worker):
        new = target.server_disk(uuids["server", server])
        yield server, source.server_disk(server), new


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
