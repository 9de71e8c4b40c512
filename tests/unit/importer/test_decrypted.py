"""An encrypted bundle is in clear only where the user says, only as long as it must be."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyrage
import pytest

from bundle_spec import verify_bundle
from bundle_spec.errors import BundleError, BundleFaults, EncryptionError, LocalError, UsageError
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import age
from bundle_spec.trust.provenance import ANYBODY, Candidate
from downpour_import import cli
from downpour_import.playbook.settings import bundle_of, load_settings
from downpour_import.recreate import Context
from downpour_import.recreate.upload import open_own_bundle
from downpour_import.source.decrypted import Keys, in_clear
from downpour_import.source.opening import admit
from downpour_import.source.unpack import data_file
from tests.unit.bundle.test_age import write


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "identity"
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    (tmp_path / "place").mkdir()
    return Keys(identity=path, place=tmp_path / "place")


@pytest.fixture
def bundle(tmp_path: Path, keys: Keys) -> Path:
    path = tmp_path / "out.dpbundle.age"
    assert keys.identity
    text = keys.identity.read_text().splitlines()[0].split()[-1]
    write(path, [pyrage.x25519.Recipient.from_str(text)])
    return path


def left(keys: Keys) -> list[Path]:
    assert keys.place
    return [*keys.place.iterdir()] if keys.place.exists() else []


def test_it_is_there_as_long_as_it_is_needed(bundle: Path, keys: Keys) -> None:
    with in_clear(BundleFiles(bundle), keys, NULL) as files:
        clear = files.path
        assert (clear.name, files.folders) == ("out.dpbundle", ())
        assert stat.S_IMODE(clear.stat().st_mode) == 0o600
        assert stat.S_IMODE(clear.parent.stat().st_mode) == 0o700
        assert clear.parent.parent == keys.place
    assert left(keys) == []


def test_it_goes_when_the_command_fails(bundle: Path, keys: Keys) -> None:
    with pytest.raises(KeyboardInterrupt), in_clear(BundleFiles(bundle), keys, NULL):
        raise KeyboardInterrupt
    assert left(keys) == []


def test_what_a_killed_run_left_goes_and_what_a_running_one_needs_stays(
    bundle: Path, keys: Keys
) -> None:
    assert keys.place
    killed, running = (keys.place / f".downpour-clear-{name}" for name in ("killed", "running"))
    for each in (killed, running):
        each.mkdir(mode=0o700)
        (each / "out.dpbundle").write_bytes(b"in clear")
    (keys.place / "mine").write_text("mine")
    lock = os.open(running, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with in_clear(BundleFiles(bundle), keys, NULL):
        assert not killed.exists()
    assert sorted(left(keys)) == [running, keys.place / "mine"]
    os.close(lock)


def test_a_directory_that_another_run_took_for_a_leftover_is_made_again(
    bundle: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like one until it is locked."""
    made: list[Path] = []

    def mkdtemp(prefix: str, dir: Path) -> str:
        made.append(dir / f"{prefix}{len(made)}")
        made[-1].mkdir(mode=0o700)
        if len(made) == 1:
            made[0].rmdir()
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with in_clear(BundleFiles(bundle), keys, NULL) as files:
        assert files.path.parent == made[1]
    assert left(keys) == []


def test_a_place_that_is_not_there_is_not_made(bundle: Path, keys: Keys, tmp_path: Path) -> None:
    nowhere = Keys(identity=keys.identity, place=tmp_path / "not" / "mounted")
    with pytest.raises(LocalError, match="no such directory"):
        in_clear(BundleFiles(bundle), nowhere, NULL).__enter__()
    assert not (tmp_path / "not").exists()


def test_what_is_not_encrypted_stays_where_it_is(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.dpbundle"):
        with in_clear(BundleFiles(path, (tmp_path,)), Keys(), NULL) as found:
            assert found == BundleFiles(path, (tmp_path,))


def test_without_a_key_or_a_place_it_is_told_what_is_missing(bundle: Path, keys: Keys) -> None:
    def asked_for(some: Keys) -> list[str]:
        with pytest.raises(UsageError, match="is encrypted") as caught:
            in_clear(BundleFiles(bundle), some, NULL).__enter__()
        return re.findall("--[a-z-]+", str(caught.value))

    assert asked_for(Keys()) == ["--identity", "--decrypt-to"]
    assert asked_for(Keys(identity=keys.identity)) == ["--decrypt-to"]
    assert asked_for(Keys(place=keys.place)) == ["--identity"]
    assert left(keys) == []


def test_room_is_asked_for_before_anything_is_written(
    bundle: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    monkeypatch.setattr(age, "decrypt", None)
    with pytest.raises(LocalError, match=r"takes .* KiB, and 10 B are free"):
        in_clear(BundleFiles(bundle), keys, NULL).__enter__()
    assert left(keys) == []


@pytest.mark.parametrize("fault", ["wrong key", "changed"])
def test_what_cannot_be_decrypted_leaves_nothing(
    bundle: Path, keys: Keys, tmp_path: Path, fault: str
) -> None:
    if fault == "changed":
        data = bytearray(bundle.read_bytes())
        data[-100] ^= 1
        bundle.write_bytes(data)
    else:
        other = tmp_path / "other"
        other.write_text(str(pyrage.x25519.Identity.generate()))
        keys = Keys(identity=other, place=keys.place)
    with pytest.raises(EncryptionError):
        in_clear(BundleFiles(bundle), keys, NULL).__enter__()
    assert left(keys) == []


def test_the_commands_take_it(
    bundle: Path, keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--identity", str(keys.identity), "--decrypt-to", str(keys.place)]
    assert cli.main(["verify", *options, "--read-data", str(bundle)]) == 0
    assert "whole, also the contents" in capsys.readouterr().out
    assert cli.main(["show", "--json", *options, str(bundle)]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["disks"] == 1
    assert cli.main(["verify", str(bundle)]) == UsageError.exit_code
    assert "--identity FILE" in capsys.readouterr().err
    assert cli.main(["unpack", str(bundle), str(tmp_path / "dir")]) == UsageError.exit_code
    assert "age -d -i" in capsys.readouterr().err
    wrong = ["--identity", str(bundle), "--decrypt-to", str(keys.place)]
    assert cli.main(["verify", *wrong, str(bundle)]) == EncryptionError.exit_code
    assert left(keys) == []


def test_every_message_names_the_file_that_was_named(
    bundle: Path, keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not the decrypted copy, which is gone when a person reads it."""
    options = ["--identity", str(keys.identity), "--decrypt-to", str(keys.place), str(bundle)]
    assert cli.main(["verify", *options]) == 0
    assert cli.main(["show", *options]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{bundle}: whole")
    assert f"{bundle}: NOT verified" in told.out
    for command in ("verify", "show"):
        assert cli.main([command, "--json", *options]) == 0
        assert json.loads(capsys.readouterr().out)["path"] == str(bundle)
    for words in (["verify"], ["show"], ["plan", "--cloud", "target"]):
        assert cli.main([*words, "--expect-digest", "ab" * 32, *options]) != 0
        told = capsys.readouterr()
        assert ".downpour-clear-" not in told.out + told.err
    damaged = tmp_path / "clear"
    assert keys.identity
    with in_clear(BundleFiles(bundle), keys, NULL) as files:
        damaged.write_bytes(files.path.read_bytes()[:-512])
    with pytest.raises(BundleFaults, match=rf"^{bundle} is not a whole bundle[^:]*\n  {bundle}: "):
        verify_bundle(BundleFiles(damaged, copy_of=bundle))


def test_a_playbook_that_reads_a_decrypted_copy_names_the_encrypted_bundle(
    bundle: Path, keys: Keys, tmp_path: Path
) -> None:
    with in_clear(BundleFiles(bundle), keys, NULL) as files:
        path = tmp_path / "settings.yml"
        path.write_bytes(data_file(admit(Candidate(files, ANYBODY), NULL).settings))
        again = bundle_of(load_settings(path))
        assert (again.path, again.shown) == (files.path, bundle)
        another = SimpleNamespace(bundle=again, manifest_sha256=None, bundle_uuid="another")
        with pytest.raises(BundleError, match=f"^{bundle}: this is another bundle"):
            open_own_bundle(cast(Context, another))


def test_parts_are_found_where_they_lie(tmp_path: Path, keys: Keys) -> None:
    assert keys.identity
    to: Any = pyrage.x25519.Recipient.from_str(keys.identity.read_text().split()[3])
    path = tmp_path / "parts" / "out.dpbundle.age"
    path.parent.mkdir()
    write(path, [to], part_size=1 << 16)
    two = tmp_path / "two"
    two.mkdir()
    shutil.move(path.with_name(path.name + ".002"), two)
    with in_clear(BundleFiles(path, (two,)), keys, NULL) as clear:
        assert clear.path.name == "out.dpbundle"
    # One that is missing is told by whoever opens what is there.
    with in_clear(BundleFiles(path), keys, NULL) as same:
        assert same.path == path
