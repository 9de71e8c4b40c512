"""The manifest: what was taken from the source, when, and the digests of all its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bundle_spec.model.base import Record
from bundle_spec.model.forms import Bytes, ChunkSize, Count, Moment, Sha256, Uri, Uuid
from bundle_spec.model.references import References
from bundle_spec.model.resources import Resources


@dataclass(frozen=True, kw_only=True)
class Source(Record):
    """The cloud and project that the bundle was taken from.  It holds no credential."""

    auth_url: Uri
    """The URL of the source's Keystone."""
    region: str | None
    """The region; null: the source names none."""
    project_id: str
    """The ID of the project."""
    project_name: str
    """The name of the project."""


@dataclass(frozen=True, kw_only=True)
class Capture(Record):
    """How the bytes of a disk were taken."""

    type: Literal["image", "volume", "server", "volume_snapshot"]
    """Of the resource at the source whose bytes these are."""
    id: str
    """Its ID at the source; it need not be in `resources`."""
    at: Moment
    """The moment of the snapshot; of what needed none, when reading began."""
    consistency: Literal["idle", "stopped", "paused", "live"]
    """What could write at that moment. `idle`: nothing (an image, a detached volume). `stopped`,
    `paused`: the server was. `live`: it ran, and the bytes are as after a power cut; also of a
    snapshot of a volume, as nobody knows. Of a volume on several servers, what may write most."""
    source_hash: str | None = None
    """What the source's Glance said of these bytes, as `os_hash_algo`, a colon, and `os_hash_value`
    in hex: mostly `sha512:…`. It was compared. null: it said nothing."""


@dataclass(frozen=True, kw_only=True)
class Disk(Record):
    """A disk of the bundle, in the form in which the source gave it."""

    id: str
    """Four digits, from 0001 (M-8)."""
    disk_format: str
    """The form of the raw bytes, as Glance calls it: `raw`, `qcow2`, …"""
    size: Bytes
    """Of the raw bytes."""
    sha256: Sha256
    """The digest of the raw bytes."""
    chunk_size: ChunkSize
    """Raw bytes of every chunk but the last (F-17, F-20)."""
    chunks: Count
    """How many (M-9)."""
    list_sha256: Sha256
    """The digest of the member `disks/<id>.sha256`."""
    stored: Bytes
    """The frames that the disk holds itself (M-20)."""
    shared: Bytes
    """The frames that its links lead to, one for each link (M-20)."""
    virtual_size: Bytes | None = None
    """What a guest sees, where that is not `size` and the writer could tell."""
    capture: Capture | None = None
    """How the bytes were taken; null: by no export."""


@dataclass(frozen=True, kw_only=True)
class AbandonedDisk(Record):
    """What a failed capture attempt left: checked like a disk, never imported."""

    id: str
    """Four digits, from 0001; none that a disk has (M-8)."""
    chunk_size: ChunkSize
    """Raw bytes of every chunk but the last (F-17, F-20)."""
    size: Bytes
    """Of the raw bytes."""
    chunks: Count
    """How many (M-9)."""
    list_sha256: Sha256
    """The digest of the member `disks/<id>.sha256`."""
    stored: Bytes
    """The frames that the disk holds itself (M-20)."""
    shared: Bytes
    """The frames that its links lead to, one for each link (M-20)."""


@dataclass(frozen=True, kw_only=True)
class File(Record):
    """A small member."""

    path: str
    """The name of the member (M-12)."""
    size: Bytes
    """Of the file."""
    sha256: Sha256
    """The digest of the file."""


@dataclass(frozen=True, kw_only=True)
class Omission(Record):
    """Something that the source has and the bundle does not carry, and why.

    ``id`` and ``name`` are empty where it is about a type as a whole: things that stay behind.
    """

    type: str
    """The type of the resource: the singular of a section of `resources`, or of `references`."""
    id: str
    """Its ID at the source; it need not be in the bundle."""
    name: str
    """Its name at the source."""
    attribute: str | None
    """What of it is not carried; null: all of it."""
    reason: str
    """Why, in words for people."""


@dataclass(frozen=True, kw_only=True)
class Content(Record):
    """The part of a manifest that the exporter supplies; the writer adds the rest: see Manifest."""

    created: Moment
    """When the writer finished the bundle (M-21)."""
    tool: str
    """What wrote it, for people; never a reason to refuse it."""
    source: Source
    """Where it comes from."""
    resources: Resources = field(default_factory=Resources)
    """What is to be made at the target."""
    references: References = field(default_factory=References)
    """What the target must have by itself."""
    omissions: tuple[Omission, ...] = ()
    """What the source has and the bundle does not carry."""


@dataclass(frozen=True, kw_only=True)
class Manifest(Content):
    """``manifest.json``."""

    format: Literal["dpbundle"]
    """What this is."""
    version: tuple[int, ...]
    """[major, minor] of the format (M-5)."""
    requires: tuple[str, ...] = ()
    """Features without which a reader must refuse the bundle (M-6)."""
    uuid: Uuid
    """The bundle's own, in lower case (M-11)."""
    disks: tuple[Disk, ...] = ()
    """The disks, by `id` (M-8)."""
    abandoned: tuple[AbandonedDisk, ...] = ()
    """What failed attempts left, by `id` (M-10)."""
    files: tuple[File, ...] = ()
    """Small files, by `path` (M-12)."""
    index_sha256: Sha256
    """The digest of the data of INDEX (F-11)."""

    def all_disks(self) -> tuple[Disk | AbandonedDisk, ...]:
        """In the order of INDEX: the disks, then what failed attempts left."""
        return (*self.disks, *self.abandoned)

    def disk(self, disk_id: str) -> Disk:
        """The disk with this id.  Raises KeyError."""
        for disk in self.disks:
            if disk.id == disk_id:
                return disk
        raise KeyError(disk_id)
