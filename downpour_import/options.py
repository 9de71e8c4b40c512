"""The command line as typed options."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from bundle_spec.model.playbook import MappingRules, Settings
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.parts import bundle_name
from bundle_spec.trust.provenance import ANYBODY, Trust
from downpour_cloud import CloudOptions
from downpour_import.preflight import mapping


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """``source``: a bundle, or a directory that was unpacked from one; of a directory, its
    ``folders`` replace those that the settings name.

    ``state`` None: beside the working directory, named after bundle and cloud.  ``uuids``: a
    file that gets a copy of uuids.csv.  ``write_map``: a new file for the whole proposed mapping.

    ``only``, ``skip``: ``TYPE/NAME``, see ``select``.  ``jobs``: disks that are uploaded at once;
    None: as the playbook says.  ``trust``: which bundle is imported at all.
    """

    source: BundleFiles
    cloud: CloudOptions
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


def effective_settings(options: ImportOptions, own: Settings) -> Settings:
    """The source's ``own`` settings with the command line's on top."""
    chosen = options.cloud
    cloud = chosen.cloud or own.cloud
    name = cloud or os.environ.get("OS_CLOUD") or "cloud"
    # Whichever part of a bundle is named, its state is the same.
    bundle = bundle_name(options.source.path).name.removesuffix(".dpbundle")
    default = own.state or str(Path.cwd() / f"{bundle}.{name}")
    return replace(
        own,
        state=str(options.state.resolve() if options.state else default),
        cloud=cloud,
        region=chosen.region or own.region,
        config_file=chosen.config_file or own.config_file,
        keep_images=options.keep_images or own.keep_images,
        mapping=mapping.merge(own.mapping, options.mapping),
    )
