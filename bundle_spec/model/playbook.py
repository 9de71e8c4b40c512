"""The data files of a bundle's playbook: ``resources.yml`` and ``settings.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bundle_spec.model.references import References
from bundle_spec.model.resources import Resources


@dataclass(frozen=True, kw_only=True)
class PlaybookData:
    """``resources.yml``: the graph of the manifest of the bundle with this uuid."""

    bundle: str
    references: References = field(default_factory=References)
    resources: Resources = field(default_factory=Resources)


Rules = Mapping[str, str | None]
"""Name or ID at the source -> name or ID at the target; None: do without."""


@dataclass(frozen=True, kw_only=True)
class MappingRules:
    """Which object of the target is used for which one of the source.

    A network, subnet, image, keypair or security group of the bundle that is mapped is not made:
    the target's own is used, as it is.  A name may be a glob.  ``hostnames``: name or ID of a
    server -> its host name.  ``fixed_ips`` drop: where an address of a port, or another of its
    attributes, cannot be kept, the target chooses.
    """

    flavors: Rules = field(default_factory=dict)
    networks: Rules = field(default_factory=dict)
    subnets: Rules = field(default_factory=dict)
    images: Rules = field(default_factory=dict)
    volume_types: Rules = field(default_factory=dict)
    availability_zones: Rules = field(default_factory=dict)
    keypairs: Rules = field(default_factory=dict)
    qos_policies: Rules = field(default_factory=dict)
    security_groups: Rules = field(default_factory=dict)
    hostnames: Rules = field(default_factory=dict)
    fixed_ips: Literal["keep", "drop"] = "keep"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``settings.yml``.  Relative paths start at the directory of the file.

    ``bundle``: a bundle, or one that is split, by its name, a part, or the list of its parts.
    ``copy_of``: the encrypted file that ``bundle`` is a decrypted copy of; messages name that.
    ``parts``: directories, where else its parts lie.  ``manifest_sha256``: of the bundle that was
    verified; another one is not opened [F-18].  ``state``: the directory for the journal and
    ``uuids.csv``.  ``cloud``, ``region``, ``config_file`` None: as every OpenStack client finds
    them.  ``keep_images``: do not delete the images from which the volumes were filled.
    """

    bundle: str | None = None
    copy_of: str | None = None
    parts: tuple[str, ...] = ()
    manifest_sha256: str | None = None
    state: str | None = None
    cloud: str | None = None
    region: str | None = None
    config_file: str | None = None
    keep_images: bool = False
    mapping: MappingRules = field(default_factory=MappingRules)
