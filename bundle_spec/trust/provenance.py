"""Check who made a bundle, before anything in it is used.

Either the operator knows the digest of its manifest from another channel, or it is signed by a key
that the operator allows [F-13].
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import TrustError
from bundle_spec.form import digest
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.envelope import read_tail
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import signature
from bundle_spec.trust.signature import NoSshKeygen, NotSigned, Signed, Signers


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which bundles may be opened.

    ``expect``: the SHA-256 that the manifest must have, in hex; None: any.  ``signers``: who may
    have signed it; None: no signature is checked.  ``require_signature``: refuse a bundle that is
    not signed, or whose signature cannot be checked here, instead of warning.
    """

    expect: str | None = None
    signers: Signers | None = None
    require_signature: bool = False


ANYBODY = Trust()
"""Any bundle may be opened, whoever made it."""


@dataclass(frozen=True)
class Candidate:
    """A bundle that somebody named, and what it must prove before anything in it is believed.

    A command line gets the one only with the other, so that no command can forget to ask.
    """

    files: BundleFiles
    trust: Trust


@dataclass(frozen=True)
class Provenance:
    """The result of ``check_provenance``.

    ``manifest_sha256``: of the only manifest that may be opened, in hex; None where any may.
    ``signed``: by whom; None where the signature was not checked, or there is none.
    """

    manifest_sha256: str | None = None
    signed: Signed | None = None

    def require_same_manifest(self, path: Path, manifest_sha256: str) -> None:
        """Raise TrustError unless the manifest that was opened is the one that was checked."""
        if self.manifest_sha256 not in (None, manifest_sha256):
            raise TrustError(
                f"its manifest has the digest {digest.grouped(manifest_sha256)}, not the one that "
                "is expected",
                where=str(path),
                remedy="compare both, digit by digit, with who made the bundle",
            )


def check_provenance(
    files: BundleFiles, trust: Trust = ANYBODY, progress: Progress = NULL
) -> Provenance:
    """Check who made the bundle, as far as ``trust`` asks.

    Only the tail is read, so it takes no longer for a large bundle.  Another process may replace
    the file afterwards: whoever opens it calls ``require_same_manifest`` of the result.  Raises
    TrustError for another digest than the expected one, SignatureError; BundleError for a damaged
    tail, LocalError.
    """
    if trust == ANYBODY:
        return Provenance()
    path = files.shown
    with files.open() as source:
        end, manifest = read_tail(source)
        span = end.signature
        armored = None if span is None else source.read(span.offset, span.size)
    unsigned = Provenance(trust.expect)
    unsigned.require_same_manifest(path, end.manifest_sha256)
    if trust.signers is None:
        return unsigned
    try:
        signed = _signer(manifest, armored, trust.signers, str(path))
    except (NotSigned, NoSshKeygen) as exc:
        if trust.require_signature:
            raise
        progress.say(f"warning: {_warning(exc)}")
        return unsigned
    return Provenance(end.manifest_sha256, signed)


def _signer(manifest: bytes, armored: bytes | None, signers: Signers, where: str) -> Signed:
    if armored is None:
        raise NotSigned("the bundle is not signed", where=where, remedy="ask for a signed one")
    return signature.check(manifest, armored, signers, where)


def _warning(exc: NotSigned | NoSshKeygen) -> str:
    if isinstance(exc, NotSigned):
        return f"{exc.message}: anybody may have made it"
    return f"the signature is NOT checked: {exc}"
