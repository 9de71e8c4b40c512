"""What the order of an import decides by itself: where a proposal goes, what settings hold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from downpour_cloud import CloudOptions
from downpour_import.options import ImportOptions, effective_settings
from downpour_import.preflight.proposal import propose
from downpour_import.source.unpack import unpack
from tests.split import split
from tests.unit.importer.test_trust import open_source, write_bundle


def test_a_proposal_never_replaces_a_persons_work(tmp_path: Path) -> None:
    first = propose("flavors: {a: b}\n", tmp_path)
    assert propose("flavors: {a: b}\n", tmp_path) == first
    first.write_text("flavors: {a: mine}\n")
    second = propose("flavors: {a: b}\n", tmp_path)
    assert second != first
    assert first.read_text() == "flavors: {a: mine}\n"
    assert second.read_text() == "flavors: {a: b}\n"


@pytest.mark.parametrize("name", ["b.dpbundle", "b.dpbundle.parts", "b.dpbundle.001"])
def test_a_split_bundle_has_one_state_however_it_is_named(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    split(write_bundle(Path("b.dpbundle")), [Path("media/1"), Path("media/2")], 1 << 13)
    options = ImportOptions(
        source=BundleFiles(Path("media/1") / name, (Path("media/2"),)),
        cloud=CloudOptions(cloud="target"),
    )
    opened = open_source(options.source.path, NULL, options.source.folders)
    settings = effective_settings(options, opened.settings)
    assert settings.state == str(tmp_path / "b.target")
    # The playbook runs in another directory.
    assert settings.bundle == str(tmp_path / "media/1" / name)
    assert settings.parts == (str(tmp_path / "media/2"),)
    unpack(opened, tmp_path / "out")
    by_hand = dataclasses.replace(options, source=BundleFiles(tmp_path / "out"))
    own = open_source(by_hand.source.path, NULL).settings
    settings = effective_settings(by_hand, own)
    assert settings.state == str(tmp_path / "out" / "state")
    assert settings.parts == (str(tmp_path / "media/2"),)


def test_a_whole_bundle_keeps_the_name_of_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, state in (("b.dpbundle", "b.target"), ("b.tar", "b.tar.target")):
        options = ImportOptions(
            source=BundleFiles(write_bundle(Path(name))), cloud=CloudOptions(cloud="target")
        )
        settings = effective_settings(options, open_source(options.source.path, NULL).settings)
        assert settings.state == str(tmp_path / state)
