"""SSH signatures of a manifest [F-13]: made and checked by ``ssh-keygen -Y``.

So keys of all kinds work, on hardware and in an agent too.  Which keys are trusted is the
operator's word (an allowed signers file, see ssh-keygen(1)), never the bundle's.
"""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle_spec import digest
from bundle_spec.envelope import read_tail
from bundle_spec.errors import LocalError, SignatureError
from bundle_spec.parts import find_parts
from bundle_spec.source import Source

NAMESPACE = "manifest@dpbundle"

_ARMOR = re.compile(
    rb"\s*-----BEGIN SSH SIGNATURE-----\s(.*)-----END SSH SIGNATURE-----\s*", re.DOTALL
)
_KEY = re.compile(r"with (\S+) key (\S+)")


@dataclass(frozen=True)
class Signers:
    """Whom the operator trusts.  ``allowed``: an allowed signers file; ``revoked``: a key
    revocation list or a file of public keys.  Both as ssh-keygen takes them."""

    allowed: Path
    revoked: Path | None = None


@dataclass(frozen=True)
class Signed:
    """``principal``: the name that the operator gave to the signer.  ``key``: its kind and
    fingerprint.  ``manifest_sha256``: of what was signed."""

    principal: str
    key: str
    manifest_sha256: str


class NotSigned(SignatureError):
    """There is no signature at all."""


def make(manifest: bytes, key: Path) -> bytes:
    """The armored signature of the stored bytes of a manifest.

    ``key``: a private key, or a public one whose private half an agent has.  Raises LocalError.
    """
    try:
        with key.open("rb"):
            pass
    except OSError as exc:
        raise LocalError(f"cannot read the key: {exc.strerror}", where=str(key)) from exc
    done = _ssh_keygen(["sign", "-f", str(key), "-n", NAMESPACE], manifest)
    if done.returncode:
        raise LocalError(
            f"ssh-keygen does not sign with it: {_said(done)}",
            where=str(key),
            remedy="name a private SSH key, or a public one whose private half ssh-agent has",
        )
    return done.stdout


def check_bundle(path: Path, folders: Sequence[Path], signers: Signers) -> Signed:
    """Who signed the bundle at ``path``, before anything of its manifest is believed.

    Raises SignatureError (not signed, or not by a key that is allowed), BundleError for a
    damaged tail, LocalError.
    """
    with Source(path, find_parts(path, folders)) as source:
        end, manifest = read_tail(source)
        if end.signature is None:
            raise NotSigned(
                "the bundle is not signed", where=str(path), remedy="ask for a signed one"
            )
        signature = source.read(end.signature.offset, end.signature.size)
    return check(manifest, signature, signers, str(path))


def check(manifest: bytes, signature: bytes, signers: Signers, where: str) -> Signed:
    """Who made ``signature`` of ``manifest``.  Raises SignatureError, LocalError."""
    for file in (signers.allowed, signers.revoked):
        if file is not None and not file.is_file():
            raise LocalError("no such file", where=str(file))
    _refuse_other_namespace(signature, where)
    with tempfile.NamedTemporaryFile(prefix="downpour-", suffix=".sig") as copy:
        copy.write(signature)
        copy.flush()
        of_manifest = ["-n", NAMESPACE, "-s", copy.name]
        done = _ssh_keygen(["check-novalidate", *of_manifest], manifest)
        if done.returncode:
            raise SignatureError(
                "the signature is not one of this manifest",
                where=where,
                remedy="the manifest or the signature was changed: ask for the bundle again",
            )
        found = _KEY.search(done.stdout.decode(errors="replace"))
        key = " ".join(found.groups()) if found else "unknown"
        allowed = ["-f", str(signers.allowed)]
        named = _ssh_keygen(["find-principals", "-s", copy.name, *allowed], b"")
        principals = named.stdout.decode(errors="replace").splitlines()
        if named.returncode or not principals:
            raise SignatureError(
                f"it is signed by {key}, which is not among the allowed signers now",
                where=where,
                remedy=f"if you trust that key, add it to {signers.allowed}; a key whose time is "
                "over is not taken either",
            )
        verify = ["verify", *of_manifest, *allowed, "-I", principals[0]]
        done = _ssh_keygen(verify, manifest)
        if done.returncode:
            raise SignatureError(
                f"{signers.allowed} does not let {principals[0]} sign bundles with {key}",
                where=where,
                remedy=f"the namespace is {NAMESPACE}",
            )
        if signers.revoked:
            done = _ssh_keygen([*verify, "-r", str(signers.revoked)], manifest)
            if done.returncode:
                message = f"{key}, with which {principals[0]} signed it, is revoked"
                raise SignatureError(message, where=where)
    return Signed(principals[0], key, digest.of(manifest))


def _refuse_other_namespace(signature: bytes, where: str) -> None:
    """A signature that was made for something else, an e-mail or a commit, proves nothing here."""
    try:
        namespace = _namespace(signature)
    except ValueError as exc:
        raise SignatureError("this is no SSH signature", where=where) from exc
    if namespace != NAMESPACE.encode():
        raise SignatureError(
            f"the signature was made for {namespace.decode(errors='replace')!r}, not for the "
            f"manifest of a bundle",
            where=where,
        )


def _namespace(signature: bytes) -> bytes:
    """Out of the armor (OpenSSH, PROTOCOL.sshsig).  Raises ValueError."""
    armor = _ARMOR.fullmatch(signature)
    if not armor:
        raise ValueError("no armor")
    try:
        data = base64.b64decode(b"".join(armor[1].split()), validate=True)
    except binascii.Error as exc:
        raise ValueError("no base64") from exc
    if data[:6] != b"SSHSIG":
        raise ValueError("no signature")
    _, rest = _string(data[10:])  # the public key follows the version
    namespace, _ = _string(rest)
    return namespace


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string with its length before it, and what follows."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise ValueError("cut short")
    return data[4 : 4 + size], data[4 + size :]


def _ssh_keygen(arguments: list[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise LocalError(
            "ssh-keygen is not there, which makes and checks signatures",
            remedy="install openssh-client",
        )
    return subprocess.run(
        [program, "-Y", *arguments], input=stdin, capture_output=True, check=False
    )


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"
