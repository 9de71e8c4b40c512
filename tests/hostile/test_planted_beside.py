"""What somebody laid beside a file that is written: a bundle, its key, its signature."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from bundle_spec import BundleWriter
from bundle_spec.errors import LocalError
from bundle_spec.private import claim_database
from bundle_spec.progress import NULL
from bundle_spec.trust.signing import sign_bundle
from downpour_cloud import CloudOptions
from downpour_export.key_file import KeyFile
from downpour_export.options import ExportOptions
from downpour_import.source.unpack import unpack
from tests.hostile.planting import (
    IN_THE_WAY,
    PLANTS,
    Plant,
    plant_dangling_link,
    plant_link,
    untouched,
)
from tests.unit.bundle.test_signing import keygen
from tests.unit.importer.test_trust import open_source, write_bundle

pytestmark = pytest.mark.usefixtures("nothing_hangs")


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(
    "suffix", [".partial", ".partial.journal", ".partial.journal-journal", ".partial.journal-wal"]
)
def test_an_export_writes_through_no_planted_file(
    tmp_path: Path, other: Path, plant: Plant, suffix: str
) -> None:
    path = tmp_path / "out.dpbundle"
    plant(tmp_path / f"out.dpbundle{suffix}", other)
    with pytest.raises(LocalError, match=IN_THE_WAY):
        BundleWriter(path)
    untouched(other)
    assert not path.exists()


def test_an_unfinished_bundle_of_another_user_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.dpbundle"
    with BundleWriter(path) as writer:
        writer.keep_if_empty(True)
        writer.remember("key", "value")
        writer.checkpoint()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(LocalError, match=r"belongs to another user .*choose another name"):
        BundleWriter(path)


def test_nobody_else_reads_what_lies_beside_an_unfinished_bundle(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with BundleWriter(tmp_path / "out.dpbundle") as writer:
            writer.remember("key", "value")
            writer.checkpoint()
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert {"out.dpbundle.partial.journal", "out.dpbundle.partial.index"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_a_database_keeps_no_planted_pages(tmp_path: Path, other: Path) -> None:
    (tmp_path / "db-wal").symlink_to(other)
    with pytest.raises(OSError, match="symbolic link"):
        claim_database(tmp_path / "db")
    assert not (tmp_path / "db").exists()


@pytest.mark.parametrize("plant", [plant_link, plant_dangling_link])
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_key_file_of_a_bundle_goes_through_no_link(
    tmp_path: Path, other: Path, plant: Plant, overwrite: bool
) -> None:
    (tmp_path / "passphrase").write_text("correct horse\n")
    key = tmp_path / "out.age.key"
    plant(key, other)
    options = ExportOptions(
        resource_file=tmp_path / "export.yml",
        bundle=tmp_path / "out.age",
        cloud=CloudOptions(),
        overwrite=overwrite,
        passphrase_file=tmp_path / "passphrase",
    )
    if not overwrite:
        with pytest.raises(LocalError, match="exists already"):
            KeyFile.of(options)
        untouched(other)
        return
    with KeyFile.of(options) as made:
        made.publish()
        assert not key.is_symlink()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    untouched(other)


@pytest.mark.parametrize("plant", PLANTS)
def test_signing_takes_no_planted_tail(tmp_path: Path, other: Path, plant: Plant) -> None:
    path = write_bundle(tmp_path / "b.dpbundle")
    before = path.read_bytes()
    plant(tmp_path / "b.dpbundle.tail", other)
    with pytest.raises(LocalError, match=IN_THE_WAY):
        sign_bundle(path, keygen(tmp_path / "key"))
    assert path.read_bytes() == before
    untouched(other)


def test_what_unpack_writes_into_a_directory_of_all_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "by-hand"
    folder.mkdir(mode=0o755)
    unpack(open_source(write_bundle(tmp_path / "b.dpbundle"), NULL), folder)
    assert json.loads((folder / "manifest.json").read_bytes())
    for each in folder.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each
