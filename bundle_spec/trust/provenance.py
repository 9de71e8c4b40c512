"""Who made a bundle?  Asked before anything of it is believed: a digest that came over another
way, a signature by a key that the operator chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import TrustError
from bundle_spec.form import digest
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.envelope import read_tail
from bundle_spec.read.parts import find_parts
from bundle_spec.read.source import Source
from bundle_spec.trust import signature
from bundle_spec.trust.signature import NotSigned, Signed, Signers


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which bundles are opened.

    ``expect``: the SHA-256 of the manifest, in hex.  ``signers``: by whom it may be signed.
    ``require_signature``: also refuse a bundle that is not signed, instead of warning.
    """

    expect: str | None = None
    signers: Signers | None = None
    require_signature: bool = False


ANYBODY = Trust()


@dataclass(frozen=True)
class Believed:
    """``manifest_sha256``: of the only manifest that may be opened; None where any may.
    ``signed``: by whom, where that was asked and there is a signature."""

    manifest_sha256: str | None = None
    signed: Signed | None = None

    def hold(self, path: Path, manifest_sha256: str) -> None:
        """What was looked at must be what was checked since.  Raises TrustError."""
        if self.manifest_sha256 not in (None, manifest_sha256):
            raise TrustError(
                f"its manifest has the digest {digest.spoken(manifest_sha256)}, not the one that "
                "is expected",
                where=str(path),
                remedy="compare both, digit by digit, with who made the bundle",
            )


def believe(
    path: Path, folders: Sequence[Path] = (), trust: Trust = ANYBODY, progress: Progress = NULL
) -> Believed:
    """Ask for what ``trust`` wants of the bundle at ``path``, at once at any size.

    Only its tail is read; whoever opens the bundle afterwards must ``hold`` it to the result.
    Raises TrustError, SignatureError; BundleError for a damaged tail, LocalError.
    """
    if trust == ANYBODY:
        return Believed()
    with Source(path, find_parts(path, folders)) as source:
        end, manifest = read_tail(source)
        span = end.signature
        found = None if span is None else source.read(span.offset, span.size)
    believed = Believed(trust.expect)
    believed.hold(path, end.manifest_sha256)
    if trust.signers is None:
        return believed
    if found is None:
        missing = NotSigned(
            "the bundle is not signed", where=str(path), remedy="ask for a signed one"
        )
        if trust.require_signature:
            raise missing
        progress.note(f"WARNING: {missing.message}: anybody may have made it")
        return believed
    try:
        signed = signature.check(manifest, found, trust.signers, str(path))
    except signature.NoSshKeygen as exc:
        if trust.require_signature:
            raise
        progress.note(f"WARNING: the signature is NOT checked: {exc}")
        return believed
    return Believed(end.manifest_sha256, signed)
