"""Images with their bytes, and the images that only fill a volume.

Images of the bundle stay; an image that only fills a volume is deleted when the volume is made.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bundle_spec.errors import DownpourError
from bundle_spec.model import Image, Ref, Volume
from bundle_spec.model.image import KERNELS
from downpour_import.errors import MadeInVain, RecreateError, TargetLost
from downpour_import.recreate.base import Outcome, Recreator, compare, failure, is_pending, new_id
from downpour_import.recreate.context import MARKER_KEY, Context
from downpour_import.recreate.optional import attempt, drop, optional_properties, post
from downpour_import.recreate.patience import settle, wait_for
from downpour_import.recreate.upload import (
    DiskBody,
    OnBytes,
    compare_bytes,
    of_one_disk,
    open_own_bundle,
    put_bytes,
    refuse_unsafe,
)

_TAKING = ("saving", "uploading", "importing")
"""States of an image while Glance stores its bytes ("Image statuses")."""

_PATCH = "application/openstack-images-v2.1-json-patch"


@dataclass(frozen=True, kw_only=True)
class VolumeDisk(Image):
    """The image that only fills a volume; it bears the volume's ID."""

    type = "disk"  # type: ignore[assignment]


def disk_ref(volume: Volume) -> Ref:
    """What the journal calls the image that holds a volume's bytes."""
    return Ref(VolumeDisk.type, volume.id)


class Images(Recreator[Image]):
    """Images with their bytes.  Only an image that is active with all of them counts as made."""

    service = "image"
    path = "/images"
    key = None
    owner_key = "owner"

    def __init__(self, on_bytes: OnBytes = lambda amount: None) -> None:
        self._on_bytes = on_bytes

    def make(self, context: Context, record: Image) -> str:
        properties = {key: text for key, text in record.properties.items() if key not in KERNELS}
        body: dict[str, Any] = {
            **properties,
            "name": record.name,
            "disk_format": record.disk_format,
            "container_format": record.container_format,
            "min_disk": record.min_disk,
            "min_ram": record.min_ram,
            "visibility": _visibility(record),
            "tags": list(record.tags),
            MARKER_KEY: context.marker(record.ref),
        }
        optional = {
            **optional_properties(properties),
            "tags": drop("tags"),
            "visibility": lambda body: {**body, "visibility": "private"},
        }

        def send(body: dict[str, Any]) -> Any:
            return context.cloud.post("image", self.path, body)

        return new_id(context, self.path, post(context, record, send, body, optional), self.key)

    def marks(self, context: Context, mark: str | None = None) -> Iterator[tuple[str | None, str]]:
        query = {"owner": context.cloud.project_id} | ({MARKER_KEY: mark} if mark else {})
        items = context.cloud.list("image", self.path, "images", query)
        for item in self.ours(context, items):
            # Nova gives the properties of a server's image, the marker too, to its snapshots.
            if item.get("image_type") != "snapshot":
                yield item.get(MARKER_KEY), item["id"]

    def used(self, context: Context, item: Any) -> bool:
        # What stands on an image with bytes, no tenant is told.
        return item["status"] not in ("queued", "killed")

    def made_by_bundle(self, context: Context, record: Image, item: Any) -> bool:
        return bool(item.get(MARKER_KEY) == context.marker(record.ref))

    def unmark(self, context: Context, record: Image, target: str, item: Any) -> None:
        if MARKER_KEY in item:
            _patch(context, target, [{"op": "remove", "path": f"/{MARKER_KEY}"}])

    def release(self, context: Context, target: str, item: Any) -> None:
        if item.get("protected"):
            _patch(context, target, [{"op": "replace", "path": "/protected", "value": False}])

    def complete(self, context: Context, record: Image, target: str) -> None:
        self._fill(context, record, target)
        for name, wanted in {"os_hidden": record.hidden, "protected": record.protected}.items():
            if wanted:
                change = {"op": "replace", "path": f"/{name}", "value": True}
                act = functools.partial(_patch, context, target, [change])
                attempt(context, record, name, act)

    def _fill(self, context: Context, record: Image, target: str) -> None:
        """Send the bytes; an image that did not get exactly these is deleted.

        Raises MadeInVain where the upload broke."""
        with open_own_bundle(context) as bundle, of_one_disk():
            reader = bundle.disk(record.disk_id)
            disk = bundle.manifest.disk(record.disk_id)
            body = DiskBody(reader, disk, self._on_bytes)
            try:
                refuse_unsafe(reader, record)
                item = self._filled(context, record, target, body)
                faults = compare_bytes(disk, item, body.digest())
                if faults:
                    raise failure(f"the target does not hold the bytes sent: {faults[0]}", record)
            except TargetLost:
                raise
            except DownpourError:
                with contextlib.suppress(RecreateError):
                    self.remove(context, target)
                    context.journal.record("gone", record.ref, record.name, target)
                raise

    def _filled(self, context: Context, record: Image, target: str, body: DiskBody) -> Any:
        """The image, active.  Where no answer tells whether it has the bytes, it does."""
        item, broke = self.fetch(context, target), None
        if item is None or item["status"] != "active":
            broke = put_bytes(context, f"{self.path}/{target}/file", body)
        if broke is None or body.whole:
            item = wait_for(
                context,
                lambda: self.fetch(context, target),
                lambda item: item is None or item["status"] not in _TAKING,
                f"the target to store image {record.name!r}",
                gibibytes=body.len / (1 << 30),
            )
        else:
            item = self.fetch(context, target)
        if item is not None and item["status"] == "active":
            return item
        body.take_back()
        if broke is not None:
            raise MadeInVain(
                f"the upload broke: {broke.message}", where=broke.where, remedy=broke.remedy
            ) from broke
        status = f"it is {item['status']}" if item else "it is gone"
        raise MadeInVain(f"image {record.name!r}: the target did not take the bytes, {status}")

    def broken(self, item: Any) -> bool:
        """An upload cannot be resumed: an image that got only a part of its bytes is made anew."""
        return bool(item["status"] != "active")

    def differences(self, context: Context, record: Image, item: Any) -> list[str]:
        wanted = {
            "name": record.name,
            "status": "active",
            "disk_format": record.disk_format,
            "min_disk": record.min_disk,
            "min_ram": record.min_ram,
            "protected": record.protected,
            "visibility": _visibility(record),
            "tags": list(record.tags),
            **record.properties,
            **_kernels(context, record),
        }
        with open_own_bundle(context) as bundle:
            disk = bundle.manifest.disk(record.disk_id)
        refused = context.journal.refused(record.ref)
        return [*compare(wanted, item, refused), *compare_bytes(disk, item)]


def recreate_kernel(context: Context, record: Image, *, check: bool = False) -> Outcome:
    """Write the target's IDs of an image's kernel and RAM disk into it, when all images stand."""
    step = Ref("image_kernel", record.id)
    target = context.optional_target(record.ref)
    named = any(key in record.properties for key in KERNELS)
    if not named or record.ref in context.targets or not is_pending(context, step):
        return Outcome("unchanged", target)
    if check:
        return Outcome("planned", target)
    target = context.target(record.ref)
    patch = [
        {"op": "add", "path": f"/{key}", "value": value}
        for key, value in _kernels(context, record).items()
    ]
    _patch(context, target, patch)
    context.journal.record("done", step, record.name)
    return Outcome("made", target)


def _kernels(context: Context, record: Image) -> dict[str, str]:
    return {
        key: context.target(Ref("image", record.properties[key]))
        for key in KERNELS
        if key in record.properties
    }


def _patch(context: Context, target: str, changes: list[dict[str, Any]]) -> None:
    path, headers = f"{Images.path}/{target}", {"Content-Type": _PATCH}

    def done() -> bool:
        item = Images().fetch(context, target)
        return item is not None and all(_shows(item, change) for change in changes)

    settle(
        lambda: context.cloud.request("image", "PATCH", path, json=changes, headers=headers), done
    )


def _shows(item: Any, change: dict[str, Any]) -> bool:
    key = change["path"].removeprefix("/")
    return key not in item if change["op"] == "remove" else item.get(key) == change["value"]


def _visibility(record: Image) -> str:
    """As it was; but ``public`` becomes ``private``, as only an operator may publish an image."""
    return "private" if record.visibility == "public" else record.visibility
