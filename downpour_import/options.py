"""The command line as typed options."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from bundle_spec.model.playbook import MappingRules, Settings
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.parts import bundle_name
from bundle_spec.trust.provenance import ANYBODY, Candidate, Trust
from downpour_cloud import CloudOptions
from downpour_import.preflight import mapping


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """``source``: a bundle, or a directory that was unpacked from one.  ``source.folders``
    replace the folders of parts that a directory's settings name.

    ``state`` None: beside the working directory, named after bundle and cloud.  ``uuids``: a
    file that gets a copy of uuids.csv.  ``write_map``: a new file for the whole proposed mapping.

    ``only``, ``skip``: ``TYPE/NAME``, see ``select``.  ``jobs``: disks that are uploaded at once;
    None: as the playbook says.  ``trust``: what a bundle must prove to be imported.
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

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.source, self.trust)


def effective_settings(options: ImportOptions, of_source: Settings) -> Settings:
    """The settings ``of_source``, replaced where the command line gives others."""
    chosen = options.cloud
    cloud = chosen.cloud or of_source.cloud
    name = cloud or os.environ.get("OS_CLOUD") or "cloud"
    # A bundle has one state directory, whichever of its parts is named.
    bundle = bundle_name(options.source.path).name.removesuffix(".dpbundle")
    default = of_source.state or str(Path.cwd() / f"{bundle}.{name}")
    return replace(
        of_source,
        # Not resolved: a state directory is no link [bundle_spec.private].
        state=os.path.abspath(options.state) if options.state else default,
        cloud=cloud,
        region=chosen.region or of_source.region,
        config_file=chosen.config_file or of_source.config_file,
        keep_images=options.keep_images or of_source.keep_images,
        mapping=mapping.merge(of_source.mapping, options.mapping),
    )
