"""The signature member: what OpenSSH makes of it, and what it changes in a bundle."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bundle_spec import verify_bundle
from tests.vectors import generate
from tests.vectors.forge import Forge
from tests.vectors.vector import places

NAMESPACE = "manifest@dpbundle"


def member(data: bytes, name: str) -> bytes:
    _, start, size = places(data)[name]
    return data[start : start + size]


def verified(folder: Path, manifest: bytes, signature: bytes, namespace: str = NAMESPACE) -> bool:
    """Whether ``ssh-keygen`` believes the signature, with the key of the vectors as the one that
    the operator trusts."""
    assert shutil.which("ssh-keygen"), "install OpenSSH: signatures are its own"
    (folder / "sig").write_bytes(signature)
    (folder / "allowed").write_text(f"signer {(generate.FOLDER / 'signer.pub').read_text()}")
    options = ["-f", "allowed", "-I", "signer", "-n", namespace, "-s", "sig"]
    command = ["ssh-keygen", "-Y", "verify", *options]
    done = subprocess.run(command, cwd=folder, input=manifest, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("name", ["signed", "everything"])
def test_the_signature_is_one_of_the_manifest(tmp_path: Path, name: str) -> None:
    """[F-13]"""
    data = generate.unpacked(f"valid/{name}", tmp_path).read_bytes()
    manifest, signature = member(data, "manifest.json"), member(data, "manifest.json.sig")
    assert verified(tmp_path, manifest, signature)
    assert not verified(tmp_path, manifest, signature, "file")
    assert not verified(tmp_path, manifest.replace(b"demo", b"Demo"), signature)


def test_signing_changes_nothing_before_it(tmp_path: Path) -> None:
    """[F-4] [F-13]  All up to the end of the manifest stays; END alone tells of the signature."""
    plain = generate.unpacked("valid/minimal", tmp_path).read_bytes()
    signed = generate.unpacked("valid/signed", tmp_path).read_bytes()
    end = places(plain)["END"][0]
    assert signed[:end] == plain[:end]
    assert places(signed)["manifest.json.sig"][0] == end
    before, after = (json.loads(member(data, "END")) for data in (plain, signed))
    assert before["signature"] is None
    assert after == before | {"signature": list(places(signed)["manifest.json.sig"][1:])}


def test_a_check_of_the_file_believes_no_key(tmp_path: Path) -> None:
    """[F-13] [F-16]  Whether a signature is worth anything is not the file's to say."""
    path = Forge(signature=b"no signature").write(tmp_path / "out.dpbundle")
    verify_bundle(path, read_data=True)
