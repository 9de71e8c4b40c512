"""What a bundle holds, read from both ends of its file, which takes no longer for a large one.

This is no check of the bundle: only the manifest is compared with its digest, which END gives.
Whether the disks are there at all, only ``verify`` finds out.  All sums are the manifest's [M-20].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bundle_spec.model import (
    SECTIONS,
    AbandonedDisk,
    Disk,
    Image,
    Manifest,
    Omission,
    Ref,
    Resource,
    Volume,
)
from bundle_spec.model.references import SECTIONS as REFERENCE_SECTIONS
from bundle_spec.model.references import Reference
from bundle_spec.read.envelope import read_envelope
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust.provenance import ANYBODY, Trust, check_provenance
from bundle_spec.trust.signature import Signed


@dataclass(frozen=True)
class Origin:
    """The cloud and project that the bundle was taken from."""

    auth_url: str
    region: str | None
    project_id: str
    project_name: str


@dataclass(frozen=True)
class Named:
    """A resource, or what a resource refers to, as the source calls it."""

    type: str
    id: str
    name: str


@dataclass(frozen=True)
class DiskSummary:
    """A disk; sizes in bytes, as in its record of the manifest.

    ``used_by``: the volume, the image, or the server whose own disk it is.  ``virtual_size``:
    what a guest sees, None where the bundle does not have it.  ``consistency`` and ``captured_at``
    None: the bundle does not have how the disk was captured.
    """

    id: str
    used_by: tuple[Named, ...]
    disk_format: str
    virtual_size: int | None
    size: int
    stored: int
    shared: int
    consistency: str | None
    captured_at: str | None


@dataclass(frozen=True)
class Totals:
    """Sums over disks, in bytes."""

    disks: int
    size: int
    stored: int
    shared: int

    @property
    def compression(self) -> float | None:
        """Raw bytes divided by the bytes of frames, if every chunk had a frame of its own.

        None where there are no frames.
        """
        frames = self.stored + self.shared
        return round(self.size / frames, 2) if frames else None


@dataclass(frozen=True)
class NotCarried:
    """Something that the source has and the bundle does not carry, and why."""

    type: str
    id: str
    name: str
    attribute: str | None
    reason: str


@dataclass(frozen=True)
class Summary:
    """``size`` in bytes, of all ``parts`` together; a bundle that is not split has one part.

    ``resources`` and ``references``: section -> what is in it; every section is there.
    ``signed``: whether there is a signature.  ``signed_by``: by whom; None where it was not
    checked.  ``user_data``: servers whose user data is carried, unchanged.  ``abandoned``: what
    failed capture attempts left, never imported.
    """

    path: Path
    uuid: str
    version: tuple[int, ...]
    tool: str
    created: str
    source: Origin
    manifest_sha256: str
    signed: bool
    signed_by: Signed | None
    size: int
    parts: int
    resources: Mapping[str, tuple[Named, ...]]
    references: Mapping[str, tuple[Named, ...]]
    disks: tuple[DiskSummary, ...]
    totals: Totals
    abandoned: Totals
    user_data: tuple[Named, ...]
    omissions: tuple[NotCarried, ...]

    def as_json(self) -> dict[str, Any]:
        """The object of docs/reference/show.md."""
        value = {
            **asdict(self),
            "path": str(self.path),
            "totals": {**asdict(self.totals), "compression": self.totals.compression},
        }
        return {"path": value.pop("path"), "verified": False, **value}


def summarise(
    path: Path | BundleFiles, folders: Sequence[Path] = (), trust: Trust = ANYBODY
) -> Summary:
    """What the bundle at ``path`` holds.  Reads both ends of it, and nothing between them.

    ``folders``: where else its parts may lie [S-3].  ``trust``: which bundles may be opened.
    Raises TrustError, LocalError, UnsupportedBundle, and BundleError when an end is damaged or a
    part is missing.
    """
    files = BundleFiles.of(path, folders)
    provenance = check_provenance(files, trust)
    with files.open() as source:
        envelope = read_envelope(source)
        size, parts = source.size, len(source.parts)
    provenance.require_same_manifest(files.shown, envelope.end.manifest_sha256)
    manifest = envelope.manifest
    resources, references = manifest.resources, manifest.references
    return Summary(
        path=files.shown,
        uuid=manifest.uuid,
        version=manifest.version,
        tool=manifest.tool,
        created=manifest.created,
        source=Origin(
            manifest.source.auth_url,
            manifest.source.region,
            manifest.source.project_id,
            manifest.source.project_name,
        ),
        manifest_sha256=envelope.end.manifest_sha256,
        signed=envelope.end.signature is not None,
        signed_by=provenance.signed,
        size=size,
        parts=parts,
        resources={name: _named(getattr(resources, name)) for name in SECTIONS},
        references={name: _named(getattr(references, name)) for name in REFERENCE_SECTIONS},
        disks=_disks(manifest),
        totals=_totals(manifest.disks),
        abandoned=_totals(manifest.abandoned),
        user_data=_named(server for server in resources.servers if server.user_data is not None),
        omissions=tuple(map(_not_carried, manifest.omissions)),
    )


def _named(records: Iterable[Resource | Reference]) -> tuple[Named, ...]:
    return tuple(Named(record.type, record.id, record.name) for record in records)


def _disks(manifest: Manifest) -> tuple[DiskSummary, ...]:
    users: dict[str, list[Resource]] = {}
    by_ref = {record.ref: record for record in manifest.resources}
    for record in manifest.resources:
        if isinstance(record, (Image, Volume)) and record.disk_id is not None:
            users.setdefault(record.disk_id, []).append(_user(record, by_ref))
    return tuple(_disk(disk, _named(users.get(disk.id, ()))) for disk in manifest.disks)


def _user(record: Image | Volume, by_ref: Mapping[Ref, Resource]) -> Resource:
    """The server, if ``record`` is the temporary image of a server's own disk; else ``record``."""
    server = record.server_id if isinstance(record, Image) else None
    return by_ref.get(Ref("server", server), record) if server else record


def _disk(disk: Disk, used_by: tuple[Named, ...]) -> DiskSummary:
    capture = disk.capture
    # Of a raw disk the guest sees every byte.
    virtual = disk.size if disk.disk_format == "raw" else None
    return DiskSummary(
        id=disk.id,
        used_by=used_by,
        disk_format=disk.disk_format,
        virtual_size=virtual if disk.virtual_size is None else disk.virtual_size,
        size=disk.size,
        stored=disk.stored,
        shared=disk.shared,
        consistency=capture.consistency if capture else None,
        captured_at=capture.at if capture else None,
    )


def _totals(disks: Sequence[Disk | AbandonedDisk]) -> Totals:
    return Totals(
        disks=len(disks),
        size=sum(disk.size for disk in disks),
        stored=sum(disk.stored for disk in disks),
        shared=sum(disk.shared for disk in disks),
    )


def _not_carried(omission: Omission) -> NotCarried:
    return NotCarried(
        omission.type, omission.id, omission.name, omission.attribute, omission.reason
    )
