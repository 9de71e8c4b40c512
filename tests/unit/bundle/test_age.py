"""An encrypted bundle: an age file that any age opens, and no clear byte beside it, ever."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.errors import EncryptionError, LocalError, UnsupportedBundle
from bundle_spec.read.parts import find_parts
from bundle_spec.read.source import Source
from bundle_spec.trust import age
from tests.unit.bundle.samples import content, noise
from tests.unit.bundle.test_signing import keygen, public

MARK = b"a line that no compression hides, in a file of the bundle\n"


@pytest.fixture(scope="module")
def identity() -> Any:
    return pyrage.x25519.Identity.generate()


def write(path: Path, to: Sequence[Any], size: int = 300_000, **options: Any) -> str:
    """A bundle with MARK in it; the digest of its manifest."""
    with BundleWriter(path, encrypt_to=to, **options) as writer:
        disk = writer.disk("raw")
        disk.write(noise(size))
        disk.finish()
        writer.add_file("playbook/mark.txt", MARK)
        return writer.finish(content()).manifest_sha256


def decrypted(path: Path, identity: Any, out: Path) -> Path:
    """By pyrage itself, the parts one after the other as ``cat`` gives them."""
    data = b"".join(part.read_bytes() for part in find_parts(path))
    out.write_bytes(pyrage.decrypt(data, [identity]))
    return out


def test_what_age_makes_of_it_is_the_bundle(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "b.dpbundle.age"
    digest = write(path, [identity.to_public()])
    assert path.read_bytes().startswith(age.MAGIC)
    assert MARK not in path.read_bytes()
    clear = decrypted(path, identity, tmp_path / "clear")
    assert MARK in clear.read_bytes()
    assert verify_bundle(clear, read_data=True).manifest_sha256 == digest
    with pytest.raises(UnsupportedBundle, match=r"^[^(]*: not a bundle but an age file"):
        verify_bundle(path)


def test_parts_are_parts_of_the_age_file(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "b.dpbundle.age"
    write(path, [identity.to_public()], part_size=1 << 16)
    assert len(find_parts(path)) > 4
    assert not path.exists()
    sums = subprocess.run(
        ["sha256sum", "-c", "b.dpbundle.age.parts"], cwd=tmp_path, capture_output=True, check=False
    )
    assert sums.returncode == 0, sums.stdout
    verify_bundle(decrypted(path, identity, tmp_path / "clear"))


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_several_recipients_and_ssh_keys(tmp_path: Path, identity: Any, kind: str) -> None:
    key = keygen(tmp_path / "key", kind)
    listed = tmp_path / "recipients"
    listed.write_text(f"# ours\n{identity.to_public()}\n\n")
    path = tmp_path / "b.dpbundle.age"
    write(path, age.recipients([public(key), str(listed)]))
    for each in (identity, *age.identities(key)):
        verify_bundle(decrypted(path, each, tmp_path / "clear"))


def test_a_passphrase_opens_the_key_that_decrypts(tmp_path: Path) -> None:
    recipient, data = age.passphrase_key("correct horse")
    key = tmp_path / "b.key"
    key.write_bytes(data)
    path = tmp_path / "b.dpbundle.age"
    write(path, [recipient])
    (found,) = age.identities(key, "correct horse")
    verify_bundle(decrypted(path, found, tmp_path / "clear"))
    with pytest.raises(EncryptionError, match="wrong passphrase for this key file"):
        age.identities(key, "wrong horse")
    with pytest.raises(EncryptionError, match="needs its passphrase"):
        age.identities(key)


# Nothing in clear


def test_no_clear_byte_and_no_digest_of_one_is_on_the_medium_at_any_time(
    tmp_path: Path, identity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium, private = tmp_path / "medium", tmp_path / "private"
    medium.mkdir()
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    seen: set[str] = set()

    def look() -> None:
        for each in medium.rglob("*"):
            seen.add(each.name)
            assert MARK not in each.read_bytes()

    with BundleWriter(medium / "b.age", encrypt_to=[identity.to_public()]) as writer:
        disk = writer.disk("raw")
        for _ in range(4):
            disk.write(noise(200_000))
            writer.checkpoint()
            look()
        disk.finish()
        writer.add_file("playbook/mark.txt", MARK)
        look()
        writer.finish(content())
    look()
    # The uuid is random, and the names of the objects in the cloud have it too.
    assert seen == {"b.age.partial", "b.age.partial.uuid", "b.age"}
    assert not any(private.iterdir())


@pytest.mark.parametrize("how", ["left", "killed"])
def test_a_run_that_stops_leaves_nothing_to_go_on_with(
    tmp_path: Path, identity: Any, how: str
) -> None:
    path = tmp_path / "b.age"
    if how == "left":
        with BundleWriter(path, encrypt_to=[identity.to_public()]) as writer:
            writer.disk("raw").write(noise(3 << 20))
        assert writer.kept is None
        assert not any(tmp_path.iterdir())
    else:
        script = """
import os, sys, pyrage
from pathlib import Path
from bundle_spec import BundleWriter
from tests.unit.bundle.samples import noise
to = [pyrage.x25519.Recipient.from_str(sys.argv[2])]
writer = BundleWriter(Path(sys.argv[1]), encrypt_to=to)
disk = writer.disk("raw")
disk.write(noise(12 << 20))
disk.finish()
os.kill(os.getpid(), 9)
"""
        command = [sys.executable, "-c", script, str(path), str(identity.to_public())]
        done = subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
        assert done.returncode == -9
        assert (tmp_path / "b.age.partial").read_bytes().startswith(age.MAGIC)
        assert not (tmp_path / "b.age.partial.journal").exists()
    # The next run begins anew, and is whole.
    write(path, [identity.to_public()])
    verify_bundle(decrypted(path, identity, tmp_path / "clear"))


def test_an_unfinished_bundle_in_clear_is_told_and_goes_only_when_asked(
    tmp_path: Path, identity: Any
) -> None:
    path, to = tmp_path / "b.dpbundle", [identity.to_public()]
    with BundleWriter(path) as writer:
        disk = writer.disk("raw")
        disk.write(noise(1 << 20))
        disk.finish()
    assert writer.kept
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(LocalError, match=r"not encrypted.*--fresh"):
        BundleWriter(path, encrypt_to=to)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    write(path, to, resume=False)
    assert [each.name for each in tmp_path.iterdir()] == ["b.dpbundle"]


def test_a_full_medium_is_told_as_it_is(
    tmp_path: Path, identity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_some = os.write
    path = tmp_path / "b.age"

    def full(fd: int, data: Any) -> int:
        if path.name in os.readlink(f"/proc/self/fd/{fd}"):
            raise OSError(28, os.strerror(28))
        return write_some(fd, data)

    with BundleWriter(path, encrypt_to=[identity.to_public()]) as writer:
        disk = writer.disk("raw")
        monkeypatch.setattr(os, "write", full)

        def go_on() -> None:
            for _ in range(40):
                disk.write(noise(1 << 20))
                writer.checkpoint()

        with pytest.raises(LocalError, match="No space left on device"):
            go_on()
    assert not any(tmp_path.iterdir())


def test_a_medium_that_does_not_hold_what_was_written_is_told(
    tmp_path: Path, identity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.age"
    finish = age.Encryptor.finish

    def rot(encryptor: age.Encryptor) -> None:
        finish(encryptor)
        with path.with_name("b.age.partial").open("r+b") as file:
            file.seek(5000)
            file.write(b"rot")

    monkeypatch.setattr(age.Encryptor, "finish", rot)
    with pytest.raises(LocalError, match="does not hold what was written"):
        write(path, [identity.to_public()])
    assert not any(tmp_path.iterdir())


# Keys that are none


@pytest.mark.parametrize(
    "text", ["age1nonsense", "ssh-ed25519 AAAA", "me@example.org", "", "x" * 9]
)
def test_what_is_no_recipient_is_told(text: str) -> None:
    with pytest.raises(EncryptionError, match="no recipient"):
        age.recipients([text])


@pytest.mark.parametrize("kind", ["ssh", "age", "age behind a passphrase"])
def test_a_private_key_is_called_one_and_never_shown(
    tmp_path: Path, identity: Any, kind: str
) -> None:
    path = tmp_path / "far-side"
    if kind == "ssh":
        keygen(path, "ed25519")
    else:
        text = f"# created: today\n# public key: {identity.to_public()}\n{identity}\n"
        locked = pyrage.passphrase.encrypt(text.encode(), "secret")
        path.write_bytes(text.encode() if kind == "age" else locked)
    with pytest.raises(EncryptionError, match=f"^{path}: this is a private key") as caught:
        age.recipients([str(path)])
    assert ("far-side.pub" in str(caught.value)) == (kind == "ssh")
    secrets = [line for line in path.read_bytes().splitlines() if not line.startswith(b"#")]
    assert not any(line.decode(errors="replace") in str(caught.value) for line in secrets)
    with pytest.raises(EncryptionError, match=r"^--encrypt-to: this is a private key") as caught:
        age.recipients([str(identity)])
    assert str(identity) not in str(caught.value)


def test_a_line_that_is_no_recipient_is_told_by_its_number(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "recipients"
    path.write_text(f"# ours\n{identity.to_public()}\nhunter2\n")
    with pytest.raises(EncryptionError, match=f"^{path}:3: this is no recipient") as caught:
        age.recipients([str(path)])
    assert "hunter2" not in str(caught.value)


def test_key_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(LocalError, match="cannot read the identity: No such file"):
        age.identities(path)
    with pytest.raises(LocalError, match="cannot read the passphrase: No such file"):
        age.passphrase_of(path)
    for data in (b"", b"# nothing\n", b"AGE-SECRET-KEY-1X\n", b"\xff\xfe", b"-----BEGIN X-----\n"):
        path.write_bytes(data)
        with pytest.raises(EncryptionError, match="no identity"):
            age.identities(path)
    path.write_text("# nobody\n")
    with pytest.raises(EncryptionError, match="no recipient in it"):
        age.recipients([str(path)])
    path.write_text("\n")
    with pytest.raises(EncryptionError, match="the passphrase is empty"):
        age.passphrase_of(path)


# Decrypting


def clear(path: Path, *keys: Any) -> bytes:
    class Out(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            out.extend(data)
            return len(data)

    out = bytearray()
    with Source(path, find_parts(path)) as source:
        age.decrypt(source, Out(), keys)
    return bytes(out)


def test_the_wrong_key_and_every_change_are_refused(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "b.age"
    write(path, [identity.to_public()])
    whole = path.read_bytes()
    assert clear(path, identity) == pyrage.decrypt(whole, [identity])
    with pytest.raises(EncryptionError, match="none of the identities"):
        clear(path, pyrage.x25519.Identity.generate())
    header = whole.index(b"\n---") + 60
    changes = {
        "flipped": whole[:90_000] + bytes([whole[90_000] ^ 1]) + whole[90_001:],
        "cut": whole[:-1],
        "cut between pieces": whole[: header + 16 + 2 * 65552],
        "longer": whole + b"\0",
        "header": whole[:30] + b"x" + whole[31:],
        "pieces swapped": (
            whole[:header] + whole[header + 65552 : header + 131104] + whole[header:][:65552]
        ),
    }
    for data in changes.values():
        path.write_bytes(data)
        with pytest.raises(EncryptionError, match=r"not what was encrypted|none of the identities"):
            clear(path, identity)
