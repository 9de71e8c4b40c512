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

    ``disk_id`` names the disk of this bundle that holds its bytes.  ``properties`` are those
    that a tenant can set again.  ``server_id`` is set on an image that was made to capture
    that server's own disk; its ID is that of the temporary image at the source.
    """

    type = "image"

    disk_id: str
    disk_format: str
    container_format: str
    min_disk: GiB = 0
    min_ram: MiB = 0
    visibility: str = "private"
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    server_id: str | None = None

    def references(self) -> tuple[Ref, ...]:
        image_ids = (self.properties.get(key) for key in KERNELS)
        return tuple(Ref("image", image_id) for image_id in image_ids if image_id)
