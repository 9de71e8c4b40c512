"""The command line as typed options."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bundle_spec.model.playbook import MappingRules
from bundle_spec.trust.provenance import ANYBODY, Trust
from downpour_cloud import CloudOptions


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """``source``: a bundle, or a directory that was unpacked from one.  ``parts``: directories,
    where else the parts of a split bundle lie; empty: those that the directory's settings name.

    ``state`` None: beside the working directory, named after bundle and cloud.  ``uuids``: a
    file that gets a copy of uuids.csv.  ``write_map``: a new file for the whole proposed mapping.

    ``only``, ``skip``: ``TYPE/NAME``, see ``select``.  ``jobs``: disks that are uploaded at once;
    None: as the playbook says.  ``trust``: which bundle is imported at all.
    """

    source: Path
    cloud: CloudOptions
    parts: tuple[Path, ...] = ()
    mapping: MappingRules = field(default_factory=MappingRules)
    state: Path | None = None
    uuids: Path | None = None
    write_map: Path | None = None
    check: bool = False
    edited: bool = False
    trust_playbook: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    no_start: bool = False
    keep_images: bool = False
    jobs: int | None = None
    json: bool = False
    trust: Trust = ANYBODY
    tags: tuple[str, ...] = ()
    same_project: bool = False
