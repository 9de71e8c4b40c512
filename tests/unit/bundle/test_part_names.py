"""The reader's side of split bundles: which files are parts, and which of them is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle_spec import verify_bundle
from bundle_spec.codes import Code, Place
from bundle_spec.errors import BundleError, BundleFaults, DownpourError, LocalError
from bundle_spec.form import digest
from bundle_spec.read.parts import format_list, part_name
from tests.vectors.forge import Forge

NAMES = ["out.dpbundle", "büro 東京.dpbundle", "line\u2028sep\x0b\x85.dpbundle", "\udcff.dpbundle"]
"""The last one is no UTF-8."""


def split(path: Path, size: int = 5000, *, listed: bool = True) -> list[Path]:
    """A bundle in parts of ``size`` bytes, with their list."""
    data = Forge().build()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    digests = {}
    for number, piece in enumerate(pieces, 1):
        part = path.with_name(part_name(path.name, number))
        part.write_bytes(piece)
        digests[part.name] = digest.of(piece)
    if listed:
        path.with_name(path.name + ".parts").write_bytes(format_list(digests))
    return [path.with_name(name) for name in digests]


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_may_have_any_name(tmp_path: Path, name: str) -> None:
    """[S-1] [S-2]"""
    split(tmp_path / name)
    verify_bundle(tmp_path / name, read_data=True)
    verify_bundle(tmp_path / (name + ".parts"))


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("gone", [0, 1])
def test_the_part_that_is_missing_is_named(tmp_path: Path, gone: int, listed: bool) -> None:
    """[S-3]  Also the first one, and without a list."""
    path = tmp_path / "out.dpbundle"
    parts = split(path, listed=listed)
    assert len(parts) == 3
    parts[gone].unlink()
    for way in (path, parts[2]):
        with pytest.raises(BundleError, match=f"{parts[gone].name}: this part is missing"):
            verify_bundle(way)


def test_parts_in_several_directories_and_under_several_names(tmp_path: Path) -> None:
    """[S-3]"""
    path = tmp_path / "out.dpbundle"
    parts = split(path)
    for number, part in enumerate(parts[1:]):
        (tmp_path / str(number)).mkdir()
        part.rename(tmp_path / str(number) / part.name)
    folders = [tmp_path / "0", tmp_path / "1"]
    for way in (path, parts[0], path.with_name("out.dpbundle.parts")):
        with verify_bundle(way, folders, read_data=True).open() as bundle:
            assert bundle.read_file("playbook/site.yml") == b"---\n"
    with pytest.raises(LocalError, match="cannot look for parts"):
        verify_bundle(path, [tmp_path / "none"])
    with pytest.raises(LocalError, match="No such file"):
        verify_bundle(tmp_path / "none" / "out.dpbundle")


def test_the_list_does_not_decide_whether_a_bundle_is_whole(tmp_path: Path) -> None:
    """[S-4]  It is asked which part is to blame, and only when something is wrong."""
    path = tmp_path / "out.dpbundle"
    parts = split(path)
    path.with_name("out.dpbundle.parts").write_bytes(
        format_list({part.name: "0" * 64 for part in parts})
    )
    verify_bundle(path, read_data=True)
    parts[1].write_bytes(b"x" + parts[1].read_bytes()[1:])
    with pytest.raises(BundleFaults) as caught:
        verify_bundle(path)
    blamed = [fault.where for fault in caught.value.faults if code_of(fault) is Code.PART_DIGEST]
    assert blamed == [part.name for part in parts]
    places = [fault.where for fault in caught.value.faults if isinstance(fault.where, Place)]
    assert places
    for place in places:
        assert place.part == parts[place.offset // 5000].name, "where its member begins"


def code_of(fault: DownpourError) -> Code | None:
    return fault.code if isinstance(fault, BundleError) else None


def test_a_list_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    """[F-18]"""
    path = tmp_path / "out.dpbundle"
    split(path)
    with path.with_name("out.dpbundle.parts").open("ab") as file:
        file.truncate(2**40)
    with pytest.raises(BundleError, match="not the list of the parts"):
        verify_bundle(path)
