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
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import LocalError, SignatureError

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
    fingerprint."""

    principal: str
    key: str

    def __str__(self) -> str:
        return f"{self.principal} ({self.key})"


class NotSigned(SignatureError):
    """There is no signature at all."""

    exit_code = 20


class NoSshKeygen(LocalError):
    """The program that makes and checks signatures is not on this machine."""


class WrongSignature(SignatureError):
    """What is there is no signature, or not one of this manifest."""

    exit_code = 21


class OtherPurpose(SignatureError):
    """The signature was made for something else, or the key may not sign bundles."""

    exit_code = 22


class UnknownSigner(SignatureError):
    """The key is not among those that the operator allows."""

    exit_code = 23


class ExpiredSigner(SignatureError):
    """The key is one of them, but not at this time."""

    exit_code = 24


class RevokedSigner(SignatureError):
    """The key was taken back."""

    exit_code = 25


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


def check(manifest: bytes, signature: bytes, signers: Signers, where: str) -> Signed:
    """Who made ``signature`` of ``manifest``.

    Raises a SignatureError for each thing that can be wrong with it, LocalError.
    """
    for file in (signers.allowed, signers.revoked):
        if file is not None and not file.is_file():
            raise LocalError("no such file", where=str(file))
    blob = _purpose(signature, where)
    with tempfile.NamedTemporaryFile(prefix="downpour-", suffix=".sig") as copy:
        copy.write(signature)
        copy.flush()
        of_manifest = ["-n", NAMESPACE, "-s", copy.name]
        done = _ssh_keygen(["check-novalidate", *of_manifest], manifest)
        if done.returncode:
            raise WrongSignature(
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
            line = _line_of(base64.b64encode(blob), signers.allowed)
            if line.startswith((b"ssh-", b"ecdsa-", b"sk-")):
                raise LocalError(
                    "this is a public key, not a list of allowed signers",
                    where=str(signers.allowed),
                    remedy="write a name before the key: ops@example.org ssh-ed25519 AAAA...",
                )
            if line:
                raise ExpiredSigner(
                    f"it is signed by {key}, whose time is over, or has not come",
                    where=where,
                    remedy=f"look at valid-before and valid-after in {signers.allowed}",
                )
            raise UnknownSigner(
                f"it is signed by {key}, which is not among the allowed signers",
                where=where,
                remedy=f"if you trust that key, add it to {signers.allowed}",
            )
        verify = ["verify", *of_manifest, *allowed, "-I", principals[0]]
        done = _ssh_keygen(verify, manifest)
        if done.returncode:
            raise OtherPurpose(
                f"{signers.allowed} does not let {principals[0]} sign bundles with {key}",
                where=where,
                remedy=f"the namespace is {NAMESPACE}",
            )
        if signers.revoked:
            done = _ssh_keygen([*verify, "-r", str(signers.revoked)], manifest)
            if done.returncode:
                message = f"{key}, with which {principals[0]} signed it, is revoked"
                raise RevokedSigner(message, where=where)
    return Signed(principals[0], key)


def _line_of(key: bytes, path: Path) -> bytes:
    """The line of an allowed signers file that has the key; empty if there is none."""
    return next((line for line in path.read_bytes().splitlines() if key in line), b"")


def _purpose(signature: bytes, where: str) -> bytes:
    """The public key, if it was made for a bundle.

    A signature that was made for something else, an e-mail or a commit, proves nothing here.
    """
    try:
        key, namespace = _key_and_namespace(signature)
    except ValueError as exc:
        raise WrongSignature("this is no SSH signature", where=where) from exc
    if namespace != NAMESPACE.encode():
        raise OtherPurpose(
            f"the signature was made for {namespace.decode(errors='replace')!r}, not for the "
            f"manifest of a bundle",
            where=where,
        )
    return key


def _key_and_namespace(signature: bytes) -> tuple[bytes, bytes]:
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
    key, rest = _string(data[10:])  # the public key follows the version
    namespace, _ = _string(rest)
    return key, namespace


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string with its length before it, and what follows."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise ValueError("cut short")
    return data[4 : 4 + size], data[4 + size :]


def _ssh_keygen(arguments: list[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise NoSshKeygen(
            "ssh-keygen is not there, which makes and checks signatures",
            remedy="install openssh-client",
        )
    return subprocess.run(
        [program, "-Y", *arguments], input=stdin, capture_output=True, check=False
    )


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"
