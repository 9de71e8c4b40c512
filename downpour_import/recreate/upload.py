"""A disk of the bundle into an image of the target: one stream, checked on both ends.

Images of the bundle stay; the image of a volume's bytes goes again when the volume is made.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bundle_spec import BundleReader, DiskReader, open_bundle
from bundle_spec.errors import BundleError, DownpourError
from bundle_spec.form.qcow2 import HEADER_SIZE, foreign_file
from bundle_spec.model import Disk, Image, Ref, Volume
from bundle_spec.model.image import KERNELS
from bundle_spec.read.ahead import Hashing
from downpour_import.errors import RecreateError
from downpour_import.recreate.base import Outcome, Recreator, compare, failed, once
from downpour_import.recreate.context import MARKER_KEY, Context, wait_for
from downpour_import.recreate.optional import attempt, drop, optional_properties, post

PIECE = 1 << 20
UPLOAD_SILENCE = 600
"""Seconds that Glance may be silent: after the last byte its store may have much to do."""
_PATCH = "application/openstack-images-v2.1-json-patch"

OnBytes = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class VolumeDisk(Image):
    """The image that only fills a volume; it bears the volume's ID."""

    type = "disk"  # type: ignore[assignment]


def disk_ref(volume: Volume) -> Ref:
    """What the journal calls the image that holds a volume's bytes."""
    return Ref(VolumeDisk.type, volume.id)


class Images(Recreator[Image]):
    """Images with their bytes: only a whole one counts as made."""

    service = "image"
    path = "/images"
    key = None

    def __init__(self, on_bytes: OnBytes = lambda amount: None) -> None:
        self._on_bytes = on_bytes

    def make(self, context: Context, record: Image) -> str:
        properties = {key: each for key, each in record.properties.items() if key not in KERNELS}
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

        answer = post(context, record, send, body, optional)
        identity: str = answer["id"]
        return identity

    def marks(self, context: Context) -> Iterator[tuple[str | None, str]]:
        query = {"owner": context.cloud.project_id}
        for item in context.cloud.list("image", self.path, "images", query):
            # Nova gives the properties of a server's image, the marker too, to its snapshots.
            if item.get("image_type") != "snapshot":
                yield item.get(MARKER_KEY), item["id"]

    def bears(self, context: Context, record: Image, item: Any) -> bool:
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
        """Send the bytes; an image that did not get exactly these is deleted."""
        with open_own_bundle(context) as bundle:
            reader = bundle.disk(record.disk_id)
            disk = bundle.manifest.disk(record.disk_id)
            body = _Body(reader, disk, self._on_bytes)
            try:
                _refuse_foreign(reader, record)
                item = self.look(context, target)
                if item is None or item["status"] != "active":
                    _put(context, f"{self.path}/{target}/file", body)
                item = wait_for(
                    lambda: self.look(context, target),
                    lambda item: item is not None and item["status"] == "active",
                    f"image {record.name!r}",
                    failed=_failure,
                    gibibytes=disk.size / (1 << 30),
                )
                faults = compare_bytes(disk, item, body.digest())
                if faults:
                    raise failed(f"the target does not hold the bytes sent: {faults[0]}", record)
            except DownpourError:
                with contextlib.suppress(RecreateError):
                    self.remove(context, target)
                raise

    def broken(self, item: Any) -> bool:
        """A half-filled image cannot be gone on with."""
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
    """Name the target's images of an image's kernel and RAM disk, when all images stand."""
    step = Ref("image_kernel", record.id)
    target = context.optional_target(record.ref)
    named = any(key in record.properties for key in KERNELS)
    if not named or record.ref in context.targets or not once(context, step):
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


def compare_bytes(disk: Disk, item: Any, digest: str | None = None) -> list[str]:
    """Where Glance's size and hash of an image are not those of ``disk``.

    ``digest``: SHA-512 of the disk's bytes, where it is known.  Nothing can be said of a cloud
    that converts images on arrival, or that tells no hash.
    """
    if item["disk_format"] != disk.disk_format:
        return []
    found = compare({"size": disk.size}, item)
    told_there = (disk.capture.source_hash if disk.capture else None) or ""
    algorithm, _, value = told_there.partition(":")
    known = {"sha256": disk.sha256, algorithm: value}
    if digest:
        known["sha512"] = digest
    told = known.get(item.get("os_hash_algo") or "")
    if told and item.get("os_hash_value"):
        found += compare({"os_hash_value": told}, item)
    return found


class _Body:
    """A disk's bytes as the body of one request, and of one only.

    After a 401 keystoneauth would send an exhausted iterator again, which makes an active image
    of 0 bytes; this one refuses.
    """

    def __init__(self, reader: DiskReader, disk: Disk, on_bytes: OnBytes) -> None:
        self.len = disk.size
        self._reader = reader
        self._on_bytes = on_bytes
        self._started = False
        # Both sides' Glance use SHA-512 by default: then the source's word is as good.
        capture = disk.capture
        self._told = capture is not None and (capture.source_hash or "").startswith("sha512:")
        self._digest: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self._started:
            raise RecreateError(
                "the target asked for the disk twice", remedy="run the same command again"
            )
        self._started = True
        pieces = self._reader.stream(PIECE)
        for piece in pieces if self._told else self._hashed(pieces):
            self._on_bytes(len(piece))
            yield piece

    def _hashed(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces; their digest is computed while they are sent."""
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

    def digest(self) -> str | None:
        """SHA-512 of what was sent, if all of it was and it was computed."""
        return self._digest


def _patch(context: Context, target: str, changes: list[dict[str, Any]]) -> None:
    path, headers = f"{Images.path}/{target}", {"Content-Type": _PATCH}
    context.cloud.request("image", "PATCH", path, json=changes, headers=headers)


def _put(context: Context, path: str, body: _Body) -> None:
    context.cloud.renew_token()
    context.cloud.request(
        "image",
        "PUT",
        path,
        data=body,
        headers={"Content-Type": "application/octet-stream"},
        allow_reauth=False,
        timeout=UPLOAD_SILENCE,
    )


def open_own_bundle(context: Context) -> BundleReader:
    """The bundle that the settings name [F-18].  Raises BundleError when it is another one."""
    bundle = open_bundle(context.bundle, context.folders, manifest_sha256=context.manifest_sha256)
    if bundle.manifest.uuid != context.bundle_uuid:
        bundle.close()
        raise BundleError(
            "this is another bundle than the one that the playbook belongs to",
            where=str(context.bundle),
            remedy="put the right path into settings.yml",
        )
    return bundle


def _refuse_foreign(reader: DiskReader, record: Image) -> None:
    foreign = foreign_file(reader.read(0, HEADER_SIZE))
    if foreign:
        raise failed(f"this qcow2 names a {foreign}, a file of the target's own hosts", record)


def _visibility(record: Image) -> str:
    """As it was, but that publishing an image is the operator's right."""
    return "private" if record.visibility == "public" else record.visibility


def _failure(item: Any) -> str | None:
    if item is None:
        return "it is gone"
    if item["status"] in ("killed", "deleted", "queued"):
        return f"the target did not take the bytes, it is {item['status']}"
    return None
