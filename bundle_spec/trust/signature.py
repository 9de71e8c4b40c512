"""Make and check SSH signatures of a manifest [F-13], by ``ssh-keygen -Y``.

ssh-keygen is used so that every kind of key works, also one on hardware or in an agent.  The
operator lists the trusted keys in an allowed signers file (see ssh-keygen(1)); nothing in a bundle
can add one.
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
from bundle_spec.medium import local_error

NAMESPACE = "manifest@dpbundle"

_ARMOR = re.compile(
    rb"\s*-----BEGIN SSH SIGNATURE-----\s(.*)-----END SSH SIGNATURE-----\s*", re.DOTALL
)
_KEY = re.compile(r"with (\S+) key (\S+)")


@dataclass(frozen=True)
class Signers:
    """The signers whom the operator trusts.

    ``allowed``: an allowed signers file.  ``revoked``: a key revocation list, or a file of public
    keys.  Both as ssh-keygen takes them.
    """

    allowed: Path
    revoked: Path | None = None


@dataclass(frozen=True)
class Signed:
    """Who signed.  ``principal``: the name that the operator gave to the key.  ``key``: its kind
    and fingerprint, ``ED25519 SHA256:…``."""

    principal: str
    key: str

    def __str__(self) -> str:
        return f"{self.principal} ({self.key})"


class NotSigned(SignatureError):
    """The bundle has no signature."""

    exit_code = 20


class NoSshKeygen(LocalError):
    """The program that makes and checks signatures is not on this machine."""


class WrongSignature(SignatureError):
    """The signature is malformed, or is one of another manifest."""

    exit_code = 21


class OtherPurpose(SignatureError):
    """The signature was made in another namespace, or the key may not sign in that of bundles."""

    exit_code = 22


class UnknownSigner(SignatureError):
    """The key is not among those that the operator allows."""

    exit_code = 23


class ExpiredSigner(SignatureError):
    """The key is among those that the operator allows, but not at this time."""

    exit_code = 24


class RevokedSigner(SignatureError):
    """The operator has revoked the key."""

    exit_code = 25


def make(manifest: bytes, key: Path) -> bytes:
    """The armored signature of the stored bytes of a manifest.

    ``key``: a private key, or a public one whose private half an agent has.  Raises LocalError.
    """
    try:
        with key.open("rb"):
            pass
    except OSError as exc:
        raise local_error("cannot read the key to sign with", exc, key) from exc
    done = _ssh_keygen(["-Y", "sign", "-f", str(key), "-n", NAMESPACE], manifest)
    if done.returncode:
        raise LocalError(
            f"ssh-keygen does not sign with it: {_last_line(done)}",
            where=str(key),
            remedy="name a private SSH key, or a public one whose private half ssh-agent has",
        )
    return done.stdout


def check(manifest: bytes, signature: bytes, signers: Signers, where: str) -> Signed:
    """Who signed the stored bytes of a manifest.

    ``signature``: armored, as it is stored [F-13].  ``where``: the bundle, for messages.  In turn:

    1. it is an SSH signature, made in the namespace of bundles: else WrongSignature, OtherPurpose;
    2. it is one of this manifest: else WrongSignature;
    3. it was made by a key that the operator allows at this time: else UnknownSigner,
       ExpiredSigner;
    4. that key may sign in the namespace of bundles: else OtherPurpose;
    5. that key is not revoked: else RevokedSigner.

    Also raises LocalError for a file of ``signers`` that is missing or of another kind, and
    NoSshKeygen.
    """
    for file, whose in ((signers.allowed, "allowed"), (signers.revoked, "revoked")):
        if file is not None and not file.is_file():
            raise LocalError(f"there is no such file of {whose} signers", where=str(file))
    key_blob = _require_namespace(signature, where)
    with tempfile.NamedTemporaryFile(prefix="downpour-", suffix=".sig") as copy:
        copy.write(signature)
        copy.flush()
        evidence = _Evidence(manifest, copy.name, signers, where)
        key = evidence.require_made_of_manifest()
        principal = evidence.require_allowed_now(key, key_blob)
        signed = Signed(principal, key)
        evidence.require_allowed_purpose(signed)
        evidence.require_not_revoked(signed, key_blob)
    return signed


def _require_namespace(signature: bytes, where: str) -> bytes:
    """Step 1; returns the public key in the signature, as the SSH protocol encodes it.

    The namespace shows what was signed: a signature of an e-mail or a commit is refused.
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


@dataclass(frozen=True)
class _Evidence:
    """What steps 2 to 5 check.  ``file``: the name of a file that holds the signature."""

    manifest: bytes
    file: str
    signers: Signers
    where: str

    def require_made_of_manifest(self) -> str:
        """Step 2; returns the kind and the fingerprint of the key."""
        done = _ssh_keygen(["-Y", "check-novalidate", *self._of_manifest()], self.manifest)
        if done.returncode:
            raise WrongSignature(
                "the signature is not one of this manifest",
                where=self.where,
                remedy="the manifest or the signature was changed: ask for the bundle again",
            )
        match = _KEY.search(done.stdout.decode(errors="replace"))
        return " ".join(match.groups()) if match else "unknown"

    def require_allowed_now(self, key: str, key_blob: bytes) -> str:
        """Step 3; returns the name that the operator gave to the key."""
        allowed = str(self.signers.allowed)
        done = _ssh_keygen(["-Y", "find-principals", "-s", self.file, "-f", allowed], b"")
        principals = done.stdout.decode(errors="replace").splitlines()
        if done.returncode or not principals:
            raise self._not_allowed_now(key, key_blob)
        return principals[0]

    def _not_allowed_now(self, key: str, key_blob: bytes) -> LocalError | SignatureError:
        """The reason why the key is not allowed now, which ssh-keygen does not give."""
        allowed = self.signers.allowed
        line = _line_of(base64.b64encode(key_blob), allowed)
        if line.startswith((b"ssh-", b"ecdsa-", b"sk-")):
            return LocalError(
                "this is a public key, not a list of allowed signers",
                where=str(allowed),
                remedy="write a name before the key: ops@example.org ssh-ed25519 AAAA...",
            )
        if line:
            return ExpiredSigner(
                f"it is signed by {key}, whose time is over, or has not come",
                where=self.where,
                remedy=f"look at valid-before and valid-after in {allowed}",
            )
        return UnknownSigner(
            f"it is signed by {key}, which is not among the allowed signers",
            where=self.where,
            remedy=f"if you trust that key, add it to {allowed}",
        )

    def require_allowed_purpose(self, signed: Signed) -> None:
        """Step 4."""
        if _ssh_keygen(self._verify(signed), self.manifest).returncode:
            raise OtherPurpose(
                f"{self.signers.allowed} does not let {signed.principal} sign bundles with "
                f"{signed.key}",
                where=self.where,
                remedy=f"the namespace is {NAMESPACE}",
            )

    def require_not_revoked(self, signed: Signed, key_blob: bytes) -> None:
        """Step 5."""
        revoked = self.signers.revoked
        if revoked is None:
            return
        if _ssh_keygen([*self._verify(signed), "-r", str(revoked)], self.manifest).returncode:
            if not _is_listed(key_blob, revoked):
                # ssh-keygen takes every key for revoked then.
                raise LocalError(
                    "this is neither a key revocation list nor a list of public keys",
                    where=str(revoked),
                    remedy="restore it: until then no signature is accepted",
                )
            message = f"{signed.key}, with which {signed.principal} signed it, is revoked"
            raise RevokedSigner(message, where=self.where)

    def _of_manifest(self) -> list[str]:
        return ["-n", NAMESPACE, "-s", self.file]

    def _verify(self, signed: Signed) -> list[str]:
        """The arguments of ``ssh-keygen`` for steps 4 and 5."""
        allowed = str(self.signers.allowed)
        return ["-Y", "verify", *self._of_manifest(), "-f", allowed, "-I", signed.principal]


def _line_of(key: bytes, path: Path) -> bytes:
    """The line of an allowed signers file that has the key, in base64; empty if there is none."""
    return next((line for line in path.read_bytes().splitlines() if key in line), b"")


def _is_listed(key: bytes, revoked: Path) -> bool:
    """Whether a list of revoked signers has the public key: one line each, or as a KRL."""
    encoded = base64.b64encode(key)
    if _line_of(encoded, revoked):
        return True
    kind, _ = _ssh_string(key)
    asked = ["-Q", "-f", str(revoked), "/dev/stdin"]
    return _ssh_keygen(asked, b"%s %s\n" % (kind, encoded)).returncode == 1


def _key_and_namespace(signature: bytes) -> tuple[bytes, bytes]:
    """The public key and the namespace in an armored signature (OpenSSH, PROTOCOL.sshsig).

    Raises ValueError for anything else.
    """
    armor = _ARMOR.fullmatch(signature)
    if not armor:
        raise ValueError("no armor")
    try:
        data = base64.b64decode(b"".join(armor[1].split()), validate=True)
    except binascii.Error as exc:
        raise ValueError("no base64") from exc
    if data[:6] != b"SSHSIG":
        raise ValueError("no signature")
    key, rest = _ssh_string(data[10:])  # the public key follows the version
    namespace, _ = _ssh_string(rest)
    return key, namespace


def _ssh_string(data: bytes) -> tuple[bytes, bytes]:
    """A string, whose length stands before it in four bytes, and the rest.  Raises ValueError."""
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
    return subprocess.run([program, *arguments], input=stdin, capture_output=True, check=False)


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last line that the program wrote to stderr; where there is none, its exit code."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"
