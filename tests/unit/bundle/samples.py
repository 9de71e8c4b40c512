"""A little of everything that a bundle can hold."""

from __future__ import annotations

import random
from pathlib import Path

from bundle_spec import BundleWriter, FinishedBundle
from bundle_spec.form.layout import MIN_CHUNK_SIZE
from bundle_spec.model import Content, Image, Resources, Source

CHUNK = MIN_CHUNK_SIZE
"""The chunk size of a qcow2 disk whose size is announced."""


def content(resources: Resources | None = None) -> Content:
    return Content(
        created="2026-01-02T03:04:05Z",
        tool="downpour 0",
        source=Source(
            auth_url="http://source:5000/v3", region=None, project_id="p1", project_name="demo"
        ),
        resources=resources or Resources(),
    )


def image(disk_id: str, image_id: str = "i1") -> Image:
    return Image(
        id=image_id, name="img", disk_id=disk_id, disk_format="qcow2", container_format="bare"
    )


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def write_bundle(
    path: Path, *disks: bytes, files: dict[str, bytes] | None = None
) -> FinishedBundle:
    """A bundle of qcow2 disks with these bytes, each used by an image."""
    with BundleWriter(path) as writer:
        images = []
        for number, raw in enumerate(disks):
            disk = writer.disk("qcow2", size_hint=len(raw))
            disk.write(raw)
            images.append(image(disk.finish().id, f"i{number}"))
        for name, data in (files or {}).items():
            writer.add_file(name, data)
        return writer.finish(content(Resources(images=tuple(images))))
