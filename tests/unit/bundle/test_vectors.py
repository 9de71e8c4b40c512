"""Every vector does what the tables of tests/vectors/README.md say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import check_structure, open_bundle, verify_bundle
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, Faults
from bundle_spec.form import digest
from bundle_spec.form.manifest_text import format_manifest, parse_manifest
from bundle_spec.model import AbandonedDisk, Manifest
from tests.vectors import generate, table

LEVELS = ["structure", "stored", "data"]
INVALID = table.invalid()

OLDER = {"keys-absent"}
"""Valid vectors without some keys that have a default.  A vector is never made again for a new
key: there will always be such bundles, and two are signed with a key that is gone."""


def check(path: Path, level: str) -> list[BundleError]:
    """The faults that a check of this level finds."""
    try:
        if level == "structure":
            check_structure(path)
        else:
            verify_bundle(path, read_data=level == "data")
    except BundleError as exc:
        faults = exc.faults if isinstance(exc, Faults) else [exc]
        return [fault for fault in faults if isinstance(fault, BundleError)]
    return []


def read_everything(path: Path) -> dict[str, str]:
    """The digests of what a reader hands out that checks nothing first."""
    with open_bundle(path) as bundle:
        found = {
            f"disks/{disk.id}": digest.of_stream(bundle.disk(disk.id).stream(10_000))
            for disk in bundle.manifest.disks
        }
        for file in bundle.manifest.files:
            found[file.path] = digest.of(bundle.read_file(file.path))
        return found


def test_the_files_are_those_that_the_generator_makes() -> None:
    assert generate.differences() == [], "run: python -m tests.vectors"


def test_they_stay_small() -> None:
    files = [path for path in generate.FOLDER.rglob("*.dpbundle*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2 * 2**20
    assert max(path.stat().st_size for path in files) < 16 * 2**10


def test_the_tables_name_every_vector_once() -> None:
    named = [f"invalid/{row.case}" for row in INVALID] + [f"valid/{n}" for n in table.valid()]
    assert sorted(named) == sorted(generate.vectors())


def test_every_code_has_a_vector() -> None:
    missing = {code.slug for code in Code} - {row.code for row in INVALID}
    # Told by a reader that is given the digest of the bundle that it should be.
    assert missing == {"other-bundle"}


@pytest.mark.parametrize("row", INVALID, ids=[row.case for row in INVALID])
def test_an_invalid_bundle(tmp_path: Path, row: table.Row) -> None:
    path = generate.unpacked(f"invalid/{row.case}", tmp_path)
    below = LEVELS[: LEVELS.index(row.level)]
    assert {level: check(path, level) for level in below} == {level: [] for level in below}
    codes = {fault.code for fault in check(path, row.level)}
    assert {code.slug if code else None for code in codes} == {row.code, *row.also}
    (code,) = (each for each in Code if each.slug == row.code)
    assert code.rule == row.rule
    assert LEVELS.index(row.level) <= LEVELS.index(code.level)
    for level in LEVELS[len(below) + 1 :]:
        assert code in {fault.code for fault in check(path, level)}


@pytest.mark.parametrize("row", INVALID, ids=[row.case for row in INVALID])
def test_no_wrong_byte_is_handed_out(tmp_path: Path, row: table.Row) -> None:
    """[F-18]"""
    path = generate.unpacked(f"invalid/{row.case}", tmp_path)
    right = generate.vectors()[f"invalid/{row.case}"].contents
    try:
        found = read_everything(path)
    except BundleError:
        return
    assert found.items() <= right.items()


@pytest.mark.parametrize("name", table.valid())
def test_a_valid_bundle(tmp_path: Path, name: str) -> None:
    """[M-10]  An abandoned disk is checked and not handed out."""
    path = generate.unpacked(f"valid/{name}", tmp_path)
    for level in LEVELS:
        assert check(path, level) == []
    assert read_everything(path) == generate.vectors()[f"valid/{name}"].contents
    with open_bundle(path) as bundle:
        for disk in bundle.manifest.abandoned:
            with pytest.raises(KeyError):
                bundle.disk(disk.id)


@pytest.mark.parametrize("name", table.valid())
def test_a_valid_manifest_is_written_as_it_was_read(tmp_path: Path, name: str) -> None:
    """[F-12] [M-1] [M-2] [M-7]"""
    data = stored_manifest(generate.unpacked(f"valid/{name}", tmp_path))
    manifest = parse_manifest(data, "manifest.json")
    again = format_manifest(manifest)
    if name in OLDER:
        assert without_new(json.loads(again), json.loads(data)) == json.loads(data)
    else:
        assert again == data, "a record has a new key with a default? name the vector in OLDER"
    assert parse_manifest(again, "manifest.json") == manifest


def without_new(value: Any, old: Any) -> Any:
    """``value`` without the keys that ``old`` has not."""
    if isinstance(value, dict) and isinstance(old, dict):
        return {key: without_new(value[key], old[key]) for key in value if key in old}
    if isinstance(value, list) and isinstance(old, list):
        return [without_new(*pair) for pair in zip(value, old, strict=True)]
    return value


def stored_manifest(path: Path) -> bytes:
    """Found as SPEC.md says, without the reader [F-14]."""
    parts = [path] if path.exists() else sorted(path.parent.glob(path.name + ".[0-9]*"))
    data = b"".join(part.read_bytes() for part in parts)
    offset, size = json.loads(data[-1536:-1024])["manifest"]
    return data[offset : offset + size]


def test_the_bundles_have_what_their_names_say(tmp_path: Path) -> None:
    """[M-5] [M-7] [M-9] [M-10] [M-20]"""

    def manifest(name: str) -> Manifest:
        return verify_bundle(generate.unpacked(f"valid/{name}", tmp_path)).manifest

    assert manifest("newer-minor-version").version == (1, 7)
    assert manifest("newer-minor-version").extra == {"later": {"a": 1}}
    assert manifest("unknown-keys").resources.ports[0].fixed_ips[0].extra.keys() == {"new"}
    empty = manifest("empty-disk").disks[0]
    assert (empty.size, empty.chunks, empty.list_sha256) == (0, 0, digest.of(b""))
    (broken,) = manifest("abandoned-within-chunk").abandoned
    assert isinstance(broken, AbandonedDisk)
    assert (broken.chunks, broken.size) == (2, 65536 + 777)
    again = manifest("abandoned-link-source").disks[0]
    (broken,) = manifest("abandoned-link-source").abandoned
    assert (again.shared, broken.shared) == (broken.stored, 0)
    many = manifest("links-1000").disks[0]
    assert many.shared == 1000 * many.stored
