"""Image API: ``/v2/images``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bundle_spec.model.base import Ref, Resource
from bundle_spec.model.forms import GiB, MiB

KERNELS = ("kernel_id", "ramdisk_id")
"""Properties that hold the ID of another image (Image API, "Create image")."""


@dataclass(frozen=True, kw_only=True)
class Image(Resource):
    """An image of the tenant, or the disk of an image-booted server as an image.

    The ID of the latter is that of the temporary image at the source.
    """

    type = "image"

    disk_id: str
    """The disk of this bundle that holds its bytes."""
    disk_format: str
    """That of the bytes, as Glance calls it; it is the `disk_format` of the disk too."""
    container_format: str
    """As Glance has it, mostly `bare`."""
    min_disk: GiB = 0
    """The least disk of a flavor that can boot it."""
    min_ram: MiB = 0
    """The least memory of a flavor that can boot it."""
    visibility: str = "private"
    """As Glance has it; only an operator can make an image `public`, so it becomes `private`."""
    protected: bool = False
    """Whether it can be deleted; to be set when the image has its bytes."""
    hidden: bool = False
    """As Glance's `os_hidden`; to be set when the image has its bytes."""
    tags: tuple[str, ...] = ()
    """Tags of the tenant, in any order."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """What a tenant can set of its properties. `kernel_id` and `ramdisk_id` name other images."""
    server_id: str | None = None
    """The server whose own disk this is, taken for this bundle; null: an image of the tenant."""

    def references(self) -> tuple[Ref, ...]:
        image_ids = (self.properties.get(key) for key in KERNELS)
        return tuple(Ref("image", image_id) for image_id in image_ids if image_id)
