"""The command line as typed options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from downpour_cloud import CloudOptions


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """``level``: of zstd, 1 (fast) to 19.  ``jobs``: disks read at once.
    ``max_temporary``: temporary snapshots, volumes and images that exist at once.

    ``pause``: a run that is stopped keeps its snapshots for the next one.
    ``part_size``: bytes of a part, None for one file.  ``resume`` False: discard what an earlier
    run left.  ``sign``: the SSH key that signs the manifest.  ``encrypt_to``: recipients of age, or
    files of them.  ``passphrase_file``: its first line is the passphrase of the new key file.
    """

    resource_file: Path
    bundle: Path
    cloud: CloudOptions
    level: int = 3
    jobs: int = 2
    max_temporary: int = 20
    pause: bool = False
    overwrite: bool = False
    part_size: int | None = None
    resume: bool = True
    sign: Path | None = None
    encrypt_to: tuple[str, ...] = ()
    passphrase_file: Path | None = None
