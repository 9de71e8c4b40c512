"""The manifest: what was taken from the source, when, and the digests of all its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bundle_spec.model.base import Record
from bundle_spec.model.forms import Bytes, ChunkSize, Count, Moment
from bundle_spec.model.references import References
from bundle_spec.model.resources import Resources


@dataclass(frozen=True, kw_only=True)
class Source(Record):
    """The cloud and project that the bundle was taken from.  It holds no credential."""

    auth_url: str
    region: str | None
    project_id: str
    project_name: str


@dataclass(frozen=True, kw_only=True)
class Capture(Record):
    """How the bytes of a disk were taken.

    ``consistency``: ``idle`` (nothing could write: an image, a detached volume), ``stopped`` or
    ``paused`` (the server was), ``live`` (as after a power cut).  ``at``: UTC, ISO 8601, the
    moment of the snapshot.  ``source_hash``: what the source's Glance said of these bytes, as
    ``algorithm:hex``; None where it said nothing.
    """

    type: Literal["image", "volume", "server", "volume_snapshot"]
    id: str
    at: Moment
    consistency: Literal["idle", "stopped", "paused", "live"]
    source_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Disk(Record):
    """A disk of the bundle; sizes in bytes, digests SHA-256 in hex.

    ``size`` and ``sha256`` are of the disk's bytes in ``disk_format`` as the source gave them;
    ``list_sha256`` is of the member ``disks/<id>.sha256``.  ``stored`` counts the bytes of the
    frames that the disk holds itself, ``shared`` those of the frames that its links lead to
    (a frame once for each link).  ``virtual_size`` is what a guest sees, where that is not
    ``size`` and the writer could tell.
    """

    id: str
    disk_format: str
    size: Bytes
    sha256: str
    chunk_size: ChunkSize
    chunks: Count
    list_sha256: str
    stored: Bytes
    shared: Bytes
    virtual_size: Bytes | None = None
    capture: Capture | None = None


@dataclass(frozen=True, kw_only=True)
class AbandonedDisk(Record):
    """What a failed capture attempt left: checked like a disk, never imported."""

    id: str
    chunk_size: ChunkSize
    size: Bytes
    chunks: Count
    list_sha256: str
    stored: Bytes
    shared: Bytes


@dataclass(frozen=True, kw_only=True)
class File(Record):
    """A small member: ``path`` from the archive root, ``size`` in bytes."""

    path: str
    size: Bytes
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Omission(Record):
    """Something that the source has and the bundle does not carry, and why.

    ``id`` and ``name`` are empty where it is about a type as a whole: things that stay behind.
    """

    type: str
    id: str
    name: str
    attribute: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Content(Record):
    """The part of a manifest that the exporter supplies; the writer adds the rest: see Manifest."""

    created: Moment
    tool: str
    source: Source
    resources: Resources = field(default_factory=Resources)
    references: References = field(default_factory=References)
    omissions: tuple[Omission, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest(Content):
    """``manifest.json``.

    ``version`` is [major, minor]; ``requires`` names features without which a reader must
    refuse the bundle; ``uuid`` is the bundle's own.
    """

    format: Literal["dpbundle"]
    version: tuple[int, ...]
    requires: tuple[str, ...] = ()
    uuid: str
    disks: tuple[Disk, ...] = ()
    abandoned: tuple[AbandonedDisk, ...] = ()
    files: tuple[File, ...] = ()
    index_sha256: str

    def all_disks(self) -> tuple[Disk | AbandonedDisk, ...]:
        """In the order of INDEX: the disks, then what failed attempts left."""
        return (*self.disks, *self.abandoned)

    def disk(self, disk_id: str) -> Disk:
        """The disk with this id.  Raises KeyError."""
        for disk in self.disks:
            if disk.id == disk_id:
                return disk
        raise KeyError(disk_id)
