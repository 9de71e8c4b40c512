"""Volumes: empty, from the temporary image of their bytes, or from the image they came from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from bundle_spec.model import Disk, Ref, Volume
from downpour_import.recreate.base import (
    Outcome,
    Recreator,
    compare,
    new_id,
    unset,
)
from downpour_import.recreate.context import MARKER_KEY, Context
from downpour_import.recreate.image import Images, VolumeDisk, disk_ref
from downpour_import.recreate.once import recreate, standing
from downpour_import.recreate.optional import optional_properties, post
from downpour_import.recreate.patience import settle, wait_for
from downpour_import.recreate.upload import OnBytes, open_own_bundle

# Cinder itself copies these from an image into the image metadata of a volume.
_IMAGE_FACTS = frozenset(
    "image_id image_name checksum container_format disk_format min_disk min_ram size "
    "signature_verified".split()
)


_UNSETTLED = ("creating", "downloading")
"""Cinder deletes no volume in these states ("Delete a volume")."""


class Volumes(Recreator[Volume]):
    service = "block_storage"
    path = "/volumes"
    key = "volume"
    owner_key = "os-vol-tenant-attr:tenant_id"

    def make(self, context: Context, record: Volume) -> str:
        body: dict[str, Any] = {
            "name": record.name,
            "description": record.description,
            "size": record.size,
            "metadata": {**record.metadata, MARKER_KEY: context.marker(record.ref)},
        }
        volume_type, zone = self._volume_type(context, record), self._zone(context, record)
        if volume_type:
            body["volume_type"] = volume_type
        if zone:
            body["availability_zone"] = zone
        if record.disk_id is not None:
            body["imageRef"] = context.target(disk_ref(record))
        elif record.image_id:  # an empty text names nothing [M-14]
            body["imageRef"] = context.target(Ref("image", record.image_id))
        answer = context.cloud.post("block_storage", self.path, {"volume": body})
        return new_id(context, self.path, answer, self.key)

    def marks(self, context: Context, mark: str | None = None) -> Iterator[tuple[str | None, str]]:
        items = context.cloud.list("block_storage", "/volumes/detail", "volumes")
        for item in self.ours(context, items):
            yield item["metadata"].get(MARKER_KEY), item["id"]

    def used(self, context: Context, item: Any) -> bool:
        idle = ("available", "error", *_UNSETTLED)
        return bool(item.get("attachments")) or item["status"] not in idle

    def dismantle(self, context: Context, target: str, item: Any) -> None:
        wait_for(
            context,
            lambda: self.fetch(context, target),
            lambda item: item is None or item["status"] not in _UNSETTLED,
            f"volume {target}, which cannot be deleted while it is made",
            gibibytes=item.get("size") or 0,
        )
        super().dismantle(context, target, item)

    def made_by_bundle(self, context: Context, record: Volume, item: Any) -> bool:
        return bool(item["metadata"].get(MARKER_KEY) == context.marker(record.ref))

    def unmark(self, context: Context, record: Volume, target: str, item: Any) -> None:
        unset(context, self.service, f"{self.path_of(target)}/metadata/{MARKER_KEY}")

    def complete(self, context: Context, record: Volume, target: str) -> None:
        item = wait_for(
            context,
            lambda: self.fetch(context, target),
            lambda item: item is not None and item["status"] in ("available", "in-use"),
            f"volume {record.name!r}",
            failed=_failure_reason,
            gibibytes=record.size,
        )
        if (item["bootable"] == "true") != record.bootable:
            self._act(
                context,
                target,
                {"os-set_bootable": {"bootable": record.bootable}},
                lambda item: (item["bootable"] == "true") == record.bootable,
            )
        actual = _image_metadata(item)
        # Cinder copied these from the temporary image; the source's volume does not have them.
        for key in sorted(actual.keys() - record.image_metadata.keys() - _IMAGE_FACTS):
            unset = functools.partial(_lacks, key)
            self._act(context, target, {"os-unset_image_metadata": {"key": key}}, unset)
        wanted = dict(record.image_metadata)
        if any(actual.get(key) != value for key, value in wanted.items()):
            set_metadata = functools.partial(self._set_image_metadata, context, target)
            post(context, record, set_metadata, wanted, optional_properties(wanted))
        if record.disk_id is not None and not context.keep_images:
            self._delete_image(context, record)

    def _act(
        self, context: Context, target: str, action: dict[str, Any], done: Callable[[Any], bool]
    ) -> None:
        """POST an ``action``; ``done``: whether the volume shows it."""

        def is_done() -> bool:
            item = self.fetch(context, target)
            return item is not None and done(item)

        path = f"{self.path_of(target)}/action"
        settle(lambda: context.cloud.post("block_storage", path, action), is_done)

    def _set_image_metadata(self, context: Context, target: str, metadata: dict[str, Any]) -> None:
        if metadata:
            action = {"os-set_image_metadata": {"metadata": metadata}}
            wanted = metadata.items()
            self._act(context, target, action, lambda item: wanted <= _image_metadata(item).items())

    def _delete_image(self, context: Context, record: Volume) -> None:
        """Delete the image that was made to fill the volume; one that is in use is kept."""
        ref = disk_ref(record)
        image = context.journal.target(ref)
        if image is None:
            return
        item = Images().fetch(context, image)
        if item and item.get(MARKER_KEY) != context.marker(ref):
            return  # whatever the journal says, this import did not make it
        if context.cloud.delete("image", f"/images/{image}"):
            context.journal.record("gone", ref, record.name, image)
        else:
            context.tell(f"image {image}, which filled volume {record.name!r}, is in use: kept")

    def broken(self, item: Any) -> bool:
        return str(item["status"]).startswith("error")

    def differences(self, context: Context, record: Volume, item: Any) -> list[str]:
        metadata = {key: value for key, value in item["metadata"].items() if key != MARKER_KEY}
        actual = _image_metadata(item)
        wanted: dict[str, Any] = {
            "name": record.name,
            "description": record.description or None,
            "size": record.size,
            "bootable": str(record.bootable).lower(),
            "metadata": dict(record.metadata),
            "image_metadata": dict(record.image_metadata),
        }
        volume_type = self._volume_type(context, record)
        if volume_type:
            wanted["volume_type"] = volume_type
        if record.multiattach:
            wanted["multiattach"] = True
        read = {
            **item,
            "description": item["description"] or None,
            "metadata": metadata,
            "image_metadata": {key: actual[key] for key in actual if key not in _IMAGE_FACTS},
        }
        refused = context.journal.refused(record.ref)
        for metadata in (wanted["image_metadata"], read["image_metadata"]):
            for key in refused:
                metadata.pop(key, None)
        lines = compare(wanted, read)
        if item["status"] not in _good_states(context):
            lines.append(f"it is {item['status']}")
        return lines

    @staticmethod
    def _volume_type(context: Context, record: Volume) -> str | None:
        if record.volume_type is None:
            return None
        return context.optional_target(Ref("volume_type", record.volume_type))

    @staticmethod
    def _zone(context: Context, record: Volume) -> str | None:
        if record.availability_zone is None:
            return None
        ref = Ref("availability_zone", f"volume/{record.availability_zone}")
        return context.optional_target(ref)


def _good_states(context: Context) -> tuple[str, ...]:
    """A server that ended in ERROR leaves its volumes reserved until it is deleted."""
    broken = any(failure.subject.ref.type == "server" for failure in context.failures.all())
    return ("available", "in-use", *(("reserved",) if broken else ()))


def _image_metadata(item: Any) -> dict[str, Any]:
    return dict(item.get("volume_image_metadata") or {})


def _lacks(key: str, item: Any) -> bool:
    return key not in _image_metadata(item)


def upload_volume_disk(
    context: Context, record: Volume, on_bytes: OnBytes, *, check: bool = False
) -> Outcome:
    """Make the image that fills the volume ``record``, unless the volume stands already."""
    if record.disk_id is None or record.ref in context.targets:
        return Outcome("unchanged", None)
    if standing(Volumes(), context, record, check=True) is not None:
        return Outcome("unchanged", context.journal.target(disk_ref(record)))
    with open_own_bundle(context) as bundle:
        disk = bundle.manifest.disk(record.disk_id)
    return recreate(Images(on_bytes), context, disk_image(record, disk), check=check)


def disk_image(record: Volume, disk: Disk) -> VolumeDisk:
    """The record of the image that fills a volume with ``disk``."""
    return VolumeDisk(
        id=record.id,
        name=f"{record.name or record.id} (contents)"[:255],
        disk_id=disk.id,
        disk_format=disk.disk_format,
        container_format="bare",
    )


def _failure_reason(item: Any) -> str | None:
    if item is None:
        return "it is gone"
    status = str(item["status"])
    return f"the target could not make it, it is {status}" if status.startswith("error") else None
