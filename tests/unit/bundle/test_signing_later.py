"""A finished bundle is signed in its place; whatever happens meanwhile, it is not lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import bundle_spec.cli.alone
import downpour_import.cli
from bundle_spec import verify_bundle
from bundle_spec.errors import LocalError
from bundle_spec.read.envelope import END_AND_TRAILER
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import signing
from bundle_spec.trust.provenance import Trust, check_provenance
from bundle_spec.trust.signature import NotSigned, Signers, UnknownSigner
from bundle_spec.trust.signing import sign_bundle
from bundle_spec.write.split import split_bundle
from tests.unit.bundle.samples import noise, write_bundle
from tests.unit.bundle.test_signing import keygen, public

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keygen(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "b.dpbundle"
    write_bundle(path, noise(100_000))
    return path


def signers(folder: Path, key: Path) -> Signers:
    allowed = folder / "allowed"
    allowed.write_text(f"ops {public(key)}\n")
    return Signers(allowed)


class Killed(BaseException):
    pass


def test_a_signed_bundle_is_whole_and_all_before_the_signature_stays(
    path: Path, key: Path, tmp_path: Path
) -> None:
    before = path.read_bytes()
    digest = sign_bundle(path, key)
    assert verify_bundle(path, read_data=True).manifest_sha256 == digest
    trust = Trust(signers=signers(tmp_path, key), require_signature=True)
    signed = check_provenance(BundleFiles(path), trust).signed
    assert signed is not None
    assert signed.principal == "ops"
    end = before.rindex(b"END\0")
    assert path.read_bytes()[:end] == before[:end]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["allowed", "b.dpbundle"]


def test_a_signature_is_replaced_only_when_somebody_says_so(
    path: Path, key: Path, tmp_path: Path
) -> None:
    other = keygen(tmp_path / "other")
    sign_bundle(path, other)
    before = path.read_bytes()
    with pytest.raises(LocalError, match="signed already"):
        sign_bundle(path, key)
    assert path.read_bytes() == before
    sign_bundle(path, key, overwrite=True)
    trust = Trust(signers=signers(tmp_path, key), require_signature=True)
    assert check_provenance(BundleFiles(path), trust).signed
    verify_bundle(path)


@pytest.mark.parametrize("moment", ["before", "half", "after"])
def test_a_kill_at_any_moment_is_mended_by_the_same_command(
    path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moment: str
) -> None:
    replace = signing._replace

    def killed(path: Path, start: int, tail: bytes) -> None:
        if moment == "half":
            with path.open("r+b") as file:
                file.seek(start)
                file.write(tail[:700])
        if moment == "after":
            replace(path, start, tail)
        raise Killed

    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(signing, "_replace", killed)
        with pytest.raises(Killed):
            sign_bundle(path, key)
    assert (tmp_path / "b.dpbundle.tail").exists()
    assert (path.read_bytes() == before) == (moment == "before")
    sign_bundle(path, key)
    verify_bundle(path)
    assert check_provenance(
        BundleFiles(path), trust=Trust(signers=signers(tmp_path, key), require_signature=True)
    ).signed
    assert not (tmp_path / "b.dpbundle.tail").exists()


def test_a_full_medium_leaves_the_bundle_as_it_was(
    path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    replace = signing._replace
    calls: list[int] = []

    def full(path: Path, start: int, tail: bytes) -> None:
        calls.append(len(tail))
        if len(calls) == 1:
            with path.open("r+b") as file:
                file.seek(start)
                file.write(tail[:700])
            raise OSError(28, os.strerror(28))
        replace(path, start, tail)

    before = path.read_bytes()
    monkeypatch.setattr(signing, "_replace", full)
    with pytest.raises(LocalError, match="cannot sign the bundle: No space left"):
        sign_bundle(path, key)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["b.dpbundle"]


@pytest.mark.parametrize("what", ["a file of the user's", "of another bundle"])
def test_what_is_not_of_this_bundle_is_left_where_it_is(
    path: Path, key: Path, tmp_path: Path, what: str
) -> None:
    kept = tmp_path / "b.dpbundle.tail"
    if what == "of another bundle":
        other = tmp_path / "other.dpbundle"
        write_bundle(other, noise(70_000))
        data = other.read_bytes()
        kept.write_bytes(data[-END_AND_TRAILER:])
    else:
        kept.write_text("notes")
    before = (path.read_bytes(), kept.read_bytes())
    with pytest.raises(LocalError, match="not what signing the bundle left"):
        sign_bundle(path, key)
    assert (path.read_bytes(), kept.read_bytes()) == before


def test_parts_are_signed_before_they_are_cut(path: Path, key: Path, tmp_path: Path) -> None:
    split_bundle(path, 1 << 16)
    path.unlink()
    for name in (path, tmp_path / "b.dpbundle.001"):
        with pytest.raises(LocalError, match="in parts"):
            sign_bundle(name, key)


def test_a_key_that_does_not_sign_changes_nothing(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(LocalError, match="cannot read the key"):
        sign_bundle(path, tmp_path / "none")
    assert path.read_bytes() == before


def test_an_encrypted_bundle_is_to_be_signed_before(path: Path, key: Path, capsys: Capture) -> None:
    path.write_bytes(b"age-encryption.org/v1\n" + path.read_bytes())
    assert bundle_spec.cli.alone.main(["sign", str(path), str(key)]) == 2
    assert "sign it before it is encrypted" in capsys.readouterr().err


def test_the_command_signs_and_verify_and_show_say_who(
    path: Path, key: Path, tmp_path: Path, capsys: Capture
) -> None:
    allowed = str(signers(tmp_path, key).allowed)
    verify = ["verify", "--allowed-signers", allowed, "--require-signature"]
    assert bundle_spec.cli.alone.main([*verify, str(path)]) == NotSigned.exit_code
    assert bundle_spec.cli.alone.main(["sign", str(path), str(key)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: signed\nmanifest sha256 ")
    for main in (bundle_spec.cli.alone.main, downpour_import.cli.main):
        assert main([*verify, str(path)]) == 0
        assert "; signed by ops (ED25519 SHA256:" in capsys.readouterr().out
        assert main(["verify", str(path)]) == 0
        assert "; there is a signature, it was not checked" in capsys.readouterr().out
        assert main([*verify, "--json", str(path)]) == 0
        assert json.loads(capsys.readouterr().out)["signed"]["principal"] == "ops"
        assert main(["show", str(path)]) == 0
        assert "there is one; it was not checked" in capsys.readouterr().out
        assert main(["show", "--allowed-signers", allowed, str(path)]) == 0
        assert "by ops (ED25519 SHA256:" in capsys.readouterr().out
        assert main(["show", "--json", "--allowed-signers", allowed, str(path)]) == 0
        assert json.loads(capsys.readouterr().out)["signed_by"]["principal"] == "ops"
        (tmp_path / "others").write_text(f"ops {public(keygen(tmp_path / main.__module__))}\n")
        for command in ("verify", "show"):
            code = main([command, "--allowed-signers", str(tmp_path / "others"), str(path)])
            assert code == UnknownSigner.exit_code
            assert capsys.readouterr().out == ""
        assert main(["verify", "--expect-digest", "0" * 64, str(path)]) == 5
        assert main(["verify", "--expect-digest", "zz", str(path)]) == 2
        assert main(["verify", "--require-signature", str(path)]) == 2
        capsys.readouterr()
