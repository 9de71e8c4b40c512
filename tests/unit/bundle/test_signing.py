"""Signatures by the real ssh-keygen: made, checked, and refused each for its own reason [F-13]."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.errors import LocalError
from bundle_spec.progress import NullProgress
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import signature
from bundle_spec.trust.provenance import Provenance, Trust, check_provenance
from bundle_spec.trust.signature import (
    NAMESPACE,
    ExpiredSigner,
    NotSigned,
    OtherPurpose,
    RevokedSigner,
    Signed,
    Signers,
    UnknownSigner,
    WrongSignature,
)
from tests.unit.bundle.samples import content, noise

WHO = "ops@example.org"


def keygen(path: Path, kind: str = "ed25519") -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a comment", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keygen(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keygen(tmp_path_factory.mktemp("keys") / "other")


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


def check_bundle(path: Path, folders: tuple[Path, ...], signers: Signers) -> Signed:
    """Whose signature it bears."""
    provenance = check_provenance(
        BundleFiles(path, folders), Trust(signers=signers, require_signature=True)
    )
    assert provenance.signed is not None
    return provenance.signed


@pytest.fixture
def allow(tmp_path: Path) -> Callable[..., Signers]:
    def write(*keys: Path, options: str = "", who: str = WHO) -> Signers:
        path = tmp_path / "allowed"
        path.write_text("".join(f"{who} {options} {public(each)}\n" for each in keys))
        return Signers(path)

    return write


def write(path: Path, key: Path | None, part_size: int | None = None) -> Path:
    sign = partial(signature.make, key=key) if key else None
    with BundleWriter(path, sign=sign, part_size=part_size) as writer:
        disk = writer.disk("raw")
        disk.write(noise(200_000))
        disk.finish()
        writer.finish(content())
    return path


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_signed_bundle_is_whole_and_says_who_signed_it(
    tmp_path: Path, kind: str, allow: Callable[..., Signers]
) -> None:
    key = keygen(tmp_path / kind, kind)
    path = write(tmp_path / "b.dpbundle", key)
    verify_bundle(path)
    signed = check_bundle(path, (), allow(key))
    assert signed.principal == WHO
    assert signed.key.split()[0] == kind.upper()
    assert "SHA256:" in signed.key


def test_ssh_keygen_alone_finds_it_right(
    tmp_path: Path, key: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    with tarfile.open(path) as tar:
        for name in ("manifest.json", "manifest.json.sig"):
            member = tar.extractfile(name)
            assert member is not None
            (tmp_path / name).write_bytes(member.read())
    command = ["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", WHO]
    command += ["-f", str(allow(key).allowed), "-s", str(tmp_path / "manifest.json.sig")]
    done = subprocess.run(
        command, input=(tmp_path / "manifest.json").read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_agent_signs_for_a_public_key(
    tmp_path: Path,
    key: Path,
    allow: Callable[..., Signers],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    socket = tmp_path / "agent"
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL
    ) as agent:
        try:
            deadline = time.monotonic() + 20
            while not socket.exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
            subprocess.run(["ssh-add", "-q", str(key)], check=True)
            alone = tmp_path / "alone.pub"
            alone.write_text(public(key) + "\n")
            path = write(tmp_path / "b.dpbundle", alone)
        finally:
            agent.terminate()
    assert check_bundle(path, (), allow(key)).principal == WHO


def test_parts_are_signed_like_a_file(
    tmp_path: Path, key: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", key, part_size=1 << 16)
    assert not path.exists()
    assert check_bundle(path, (), allow(key)).principal == WHO


def test_a_bundle_without_a_signature(
    tmp_path: Path, key: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", None)
    with pytest.raises(NotSigned, match="not signed"):
        check_bundle(path, (), allow(key))


def test_a_key_that_is_not_allowed(
    tmp_path: Path, key: Path, other: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    with pytest.raises(UnknownSigner, match="not among the allowed signers") as caught:
        check_bundle(path, (), allow(other))
    assert "ED25519 SHA256:" in caught.value.message


def test_a_key_whose_time_is_over(tmp_path: Path, key: Path, allow: Callable[..., Signers]) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    with pytest.raises(ExpiredSigner, match="whose time is over"):
        check_bundle(path, (), allow(key, options='valid-before="20200101"'))


def test_a_public_key_is_no_list_of_signers(tmp_path: Path, key: Path) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    with pytest.raises(LocalError, match="write a name before the key"):
        check_bundle(path, (), Signers(key.with_name(f"{key.name}.pub")))


def test_a_key_that_is_allowed_for_something_else(
    tmp_path: Path, key: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    with pytest.raises(OtherPurpose, match=r"does not let ops@example\.org sign bundles"):
        check_bundle(path, (), allow(key, options='namespaces="git"'))
    assert check_bundle(path, (), allow(key, options=f'namespaces="{NAMESPACE}"'))


def test_a_key_that_was_revoked(tmp_path: Path, key: Path, allow: Callable[..., Signers]) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    revoked = tmp_path / "revoked"
    revoked.write_text(public(key) + "\n")
    with pytest.raises(RevokedSigner, match="is revoked"):
        check_bundle(path, (), Signers(allow(key).allowed, revoked))


@pytest.mark.parametrize("content", [b"nonsense\n", b"\xff\1\2", b"SSHKRL\n\0 cut short"])
def test_a_broken_list_of_revoked_keys_is_told_as_one(
    content: bytes, tmp_path: Path, key: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    revoked = tmp_path / "revoked"
    revoked.write_bytes(content)
    with pytest.raises(LocalError, match="neither a key revocation list nor"):
        check_bundle(path, (), Signers(allow(key).allowed, revoked))


def test_a_key_in_a_binary_list_of_revoked_keys(
    tmp_path: Path, key: Path, other: Path, allow: Callable[..., Signers]
) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    for revoked in (key, other):
        krl = tmp_path / f"krl-{revoked.name}"
        subprocess.run(["ssh-keygen", "-q", "-k", "-f", krl, f"{revoked}.pub"], check=True)
    assert check_bundle(path, (), Signers(allow(key).allowed, tmp_path / f"krl-{other.name}"))
    with pytest.raises(RevokedSigner, match="is revoked"):
        check_bundle(path, (), Signers(allow(key).allowed, tmp_path / f"krl-{key.name}"))


def test_a_signature_of_another_bundle_or_for_another_purpose_or_none(
    tmp_path: Path, key: Path, allow: Callable[..., Signers]
) -> None:
    signers = allow(key)
    of_another = signature.make(b"another manifest", key)
    with pytest.raises(WrongSignature, match="not one of this manifest"):
        signature.check(b"this manifest", of_another, signers, "b")
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "git"],
        input=b"this manifest",
        capture_output=True,
        check=True,
    )
    with pytest.raises(OtherPurpose, match="made for 'git', not for the manifest"):
        signature.check(b"this manifest", done.stdout, signers, "b")
    armor = b"-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n"
    for nothing in (b"", b"x", armor % b"AAAA", armor % b"!", armor % b"U1NIU0lH", of_another[:80]):
        with pytest.raises(WrongSignature, match="this is no SSH signature"):
            signature.check(b"this manifest", nothing, signers, "b")


def test_a_key_that_cannot_sign_is_told_when_it_is_asked(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot read the key to sign with"):
        signature.make(b"", tmp_path / "none")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(LocalError, match="ssh-keygen does not sign with it"):
        signature.make(b"", tmp_path / "text")


def test_files_that_are_not_there(tmp_path: Path, key: Path, allow: Callable[..., Signers]) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    none = tmp_path / "none"
    without = {"allowed": Signers(none), "revoked": Signers(allow(key).allowed, none)}
    for what, signers in without.items():
        with pytest.raises(LocalError, match=f"no such file of {what} signers"):
            check_bundle(path, (), signers)


def test_a_machine_without_ssh_keygen(
    tmp_path: Path, key: Path, allow: Callable[..., Signers], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "b.dpbundle", key)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(LocalError, match="ssh-keygen is not there"):
        check_bundle(path, (), allow(key))
    # Where a signature is only welcome it is said, loudly, and nobody is believed.
    notes: list[str] = []

    class Notes(NullProgress):
        def say(self, text: str) -> None:
            notes.append(text)

    assert check_provenance(BundleFiles(path), Trust(signers=allow(key)), Notes()) == Provenance()
    assert notes == [
        "warning: the signature is NOT checked: ssh-keygen is not there, which makes and checks "
        "signatures (install openssh-client)"
    ]
