"""The result of a check of a bundle: for people a few lines of text, for programs one object.

The object is that of ``verify --json`` in SPEC.md, section 8.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bundle_spec.check.verify import (
    CheckedStructure,
    Level,
    VerifiedBundle,
    check_structure,
    verify_bundle,
)
from bundle_spec.errors import BundleError, Faults, TrustError
from bundle_spec.form import digest
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.files import BundleFiles
from bundle_spec.text import as_word, counted, human_bytes, printable
from bundle_spec.trust.provenance import ANYBODY, Trust, check_provenance
from bundle_spec.trust.signature import Signed

_WHOLE: dict[Level, str] = {
    "structure": "structure whole; the bytes of the disks were NOT checked",
    "stored": "whole",
    "data": "whole, also the contents of every disk",
}


@dataclass(frozen=True)
class Report:
    """``level``: the one that was asked for.  Either ``bundle`` or ``error`` is there, not both.

    ``error``: its faults; or a TrustError, and then it was not checked, or not to the end.
    """

    path: Path
    level: Level
    bundle: CheckedStructure | VerifiedBundle | None = None
    error: BundleError | TrustError | None = None
    signed: Signed | None = None

    @property
    def whole(self) -> bool | None:
        """None where no fault was found by a check that may not call a bundle whole [F-16], or by
        one that did not come to its end."""
        if isinstance(self.error, BundleError):
            return False
        return None if self.level == "structure" or self.error else True

    def faults(self) -> list[BundleError]:
        if isinstance(self.error, Faults):
            return [fault for fault in self.error.faults if isinstance(fault, BundleError)]
        return [self.error] if isinstance(self.error, BundleError) else []

    def as_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "whole": self.whole,
            "level": self.level,
            "manifest_sha256": self.bundle.manifest_sha256 if self.bundle else None,
            "signed": None if self.signed is None else asdict(self.signed),
            "refused": self.error.message if isinstance(self.error, TrustError) else None,
            "faults": [fault.as_json() for fault in self.faults()],
        }

    def sentence(self) -> str:
        """A few lines on a bundle in which no fault was found."""
        assert self.bundle is not None, "a bundle with faults is reported as an error"
        manifest = self.bundle.manifest
        signed = ""
        if self.signed:
            signed = f"; signed by {printable(str(self.signed))}"
        elif self.bundle.has_signature:
            signed = "; there is a signature, it was not checked"
        return (
            f"{printable(str(self.path))}: {_WHOLE[self.level]}; "
            f"{counted(sum(1 for _ in manifest.resources), 'resource')}, "
            f"{counted(len(manifest.disks), 'disk')} of "
            f"{human_bytes(sum(disk.size for disk in manifest.disks))}\n"
            f"manifest sha256 {digest.grouped(self.bundle.manifest_sha256)}\n"
            f"made {as_word(manifest.created)}{signed}"
        )


def check(
    files: BundleFiles,
    *,
    level: Level = "stored",
    trust: Trust = ANYBODY,
    progress: Progress = NULL,
) -> Report:
    """Check the bundle to ``level``; its faults are in the report, not raised, and so is the
    TrustError when ``trust`` refuses the bundle, whether it is whole or not.

    Raises LocalError when a file cannot be read.
    """
    bundle: CheckedStructure | VerifiedBundle
    try:
        provenance = check_provenance(files, trust, progress)
        if level == "structure":
            bundle = check_structure(files, progress=progress)
        else:
            bundle = verify_bundle(files, read_data=level == "data", progress=progress)
        provenance.require_same_manifest(files.shown, bundle.manifest_sha256)
    except (BundleError, TrustError) as exc:
        return Report(files.shown, level, error=exc)
    return Report(files.shown, level, bundle, signed=provenance.signed)
