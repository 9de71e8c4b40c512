"""Volumes: empty, from the image that holds the disk's bytes, or from one that they came from."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from bundle_spec.model import Disk, Ref, Volume
from downpour_import.playbook import events
from downpour_import.recreate.base import (
    Outcome,
    Recreator,
    compare,
    recreate,
    standing,
    unset,
)
from downpour_import.recreate.context import MARKER_KEY, Context, wait_for
from downpour_import.recreate.image import Images, VolumeDisk, disk_ref
from downpour_import.recreate.optional import optional_properties, post
from downpour_import.recreate.upload import OnBytes, open_own_bundle

# Cinder copies these from an image into a volume's image metadata by itself.
_IMAGE_FACTS = frozenset(
    "image_id image_name checksum container_format disk_format min_disk min_ram size "
    "signature_verified".split()
)


class Volumes(Recreator[Volume]):
    service = "block_storage"
    path = "/volumes"
    key = "volume"

    def make(self, context: Context, record: Volume) -> str:
        body: dict[str, Any] = {
            "name": record.name,
            "description": record.description,
            "size": record.size,
            "metadata": {**record.metadata, MARKER_KEY: context.marker(record.ref)},
        }
        kind, zone = self._kind(context, record), self._zone(context, record)
        if kind:
            body["volume_type"] = kind
        if zone:
            body["availability_zone"] = zone
        if record.disk_id is not None:
            body["imageRef"] = context.target(disk_ref(record))
        elif record.image_id is not None:
            body["imageRef"] = context.target(Ref("image", record.image_id))
        answer = context.cloud.post("block_storage", self.path, {"volume": body})
        identity: str = answer["volume"]["id"]
        return identity

    def marks(self, context: Context) -> Iterator[tuple[str | None, str]]:
        for item in context.cloud.list("block_storage", "/volumes/detail", "volumes"):
            yield item["metadata"].get(MARKER_KEY), item["id"]

    def bears(self, context: Context, record: Volume, item: Any) -> bool:
        return bool(item["metadata"].get(MARKER_KEY) == context.marker(record.ref))

    def unmark(self, context: Context, record: Volume, target: str, item: Any) -> None:
        unset(context, self.service, f"{self.at(target)}/metadata/{MARKER_KEY}")

    def complete(self, context: Context, record: Volume, target: str) -> None:
        item = wait_for(
            lambda: self.fetch(context, target),
            lambda item: item is not None and item["status"] in ("available", "in-use"),
            f"volume {record.name!r}",
            failed=_failure,
            gibibytes=record.size,
        )
        if (item["bootable"] == "true") != record.bootable:
            _act(context, target, {"os-set_bootable": {"bootable": record.bootable}})
        have = item.get("volume_image_metadata") or {}
        # What came with the temporary image, not from the source's volume.
        for key in sorted(have.keys() - record.image_metadata.keys() - _IMAGE_FACTS):
            _act(context, target, {"os-unset_image_metadata": {"key": key}})
        wanted = dict(record.image_metadata)
        if any(have.get(key) != value for key, value in wanted.items()):
            set_metadata = functools.partial(_set_image_metadata, context, target)
            post(context, record, set_metadata, wanted, optional_properties(wanted))
        if record.disk_id is not None and not context.keep_images:
            self._drop_image(context, record)

    def _drop_image(self, context: Context, record: Volume) -> None:
        """Delete the image that was only there to fill the volume; one in use is kept."""
        ref = disk_ref(record)
        image = context.journal.target(ref)
        if image is None:
            return
        if context.cloud.delete("image", f"/images/{image}"):
            context.journal.record("gone", ref, record.name, image)
        else:
            events.emit(
                "note",
                message=f"image {image}, which filled volume {record.name!r}, is in use: kept",
            )

    def broken(self, item: Any) -> bool:
        return str(item["status"]).startswith("error")

    def differences(self, context: Context, record: Volume, item: Any) -> list[str]:
        metadata = {key: value for key, value in item["metadata"].items() if key != MARKER_KEY}
        have = item.get("volume_image_metadata") or {}
        wanted: dict[str, Any] = {
            "name": record.name,
            "description": record.description or None,
            "size": record.size,
            "bootable": str(record.bootable).lower(),
            "metadata": dict(record.metadata),
            "image_metadata": dict(record.image_metadata),
        }
        kind = self._kind(context, record)
        if kind:
            wanted["volume_type"] = kind
        if record.multiattach:
            wanted["multiattach"] = True
        read = {
            **item,
            "description": item["description"] or None,
            "metadata": metadata,
            "image_metadata": {key: have[key] for key in have if key not in _IMAGE_FACTS},
        }
        refused = context.journal.refused(record.ref)
        for metadata in (wanted["image_metadata"], read["image_metadata"]):
            for key in refused:
                metadata.pop(key, None)
        found = compare(wanted, read)
        if item["status"] not in ("available", "in-use"):
            found.append(f"it is {item['status']}")
        return found

    @staticmethod
    def _kind(context: Context, record: Volume) -> str | None:
        if record.volume_type is None:
            return None
        return context.optional_target(Ref("volume_type", record.volume_type))

    @staticmethod
    def _zone(context: Context, record: Volume) -> str | None:
        if record.availability_zone is None:
            return None
        ref = Ref("availability_zone", f"volume/{record.availability_zone}")
        return context.optional_target(ref)


def _act(context: Context, target: str, action: dict[str, Any]) -> None:
    context.cloud.post("block_storage", f"/volumes/{target}/action", action)


def _set_image_metadata(context: Context, target: str, metadata: dict[str, Any]) -> None:
    if metadata:
        _act(context, target, {"os-set_image_metadata": {"metadata": metadata}})


def upload_volume_disk(
    context: Context, record: Volume, on_bytes: OnBytes, *, check: bool = False
) -> Outcome:
    """The image that ``record`` will be made from, unless the volume stands already."""
    if record.disk_id is None or record.ref in context.targets:
        return Outcome("unchanged", None)
    if standing(Volumes(), context, record, check=True) is not None:
        return Outcome("unchanged", context.journal.target(disk_ref(record)))
    with open_own_bundle(context) as bundle:
        disk = bundle.manifest.disk(record.disk_id)
    return recreate(Images(on_bytes), context, disk_image(record, disk), check=check)


def disk_image(record: Volume, disk: Disk) -> VolumeDisk:
    """The image that fills a volume with ``disk``."""
    return VolumeDisk(
        id=record.id,
        name=f"{record.name or record.id} (contents)"[:255],
        disk_id=disk.id,
        disk_format=disk.disk_format,
        container_format="bare",
    )


def _failure(item: Any) -> str | None:
    if item is None:
        return "it is gone"
    status = str(item["status"])
    return f"the target could not make it, it is {status}" if status.startswith("error") else None
