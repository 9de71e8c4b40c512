"""Bundles that are whole by their digests and wrong by one rule: of the tail and the manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import open_bundle, verify_bundle
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults, UnsupportedBundle
from tests.unit.bundle.test_forged import refused
from tests.vectors.forge import Forge

ENDS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "an unknown key": (lambda end: end.update(more=1), "not canonical"),
    "a missing key": (lambda end: end.pop("signature") and None, "does not say what it must"),
    "an offset as text": (lambda end: end.update(index="0"), "does not say what it must"),
    "a negative offset": (lambda end: end.update(index=[-512, 0]), "does not say what it must"),
    "true for one": (lambda end: end.update(manifest=[True, True]), "does not say|do not follow"),
    "another digest": (lambda end: end.update(manifest_sha256="0" * 64), "not the digest"),
    "no digest": (lambda end: end.update(manifest_sha256="X"), "does not say what it must"),
    "another format": (lambda end: end.update(format="zip"), "not canonical"),
    "another version": (lambda end: end.update(version=2), "not canonical"),
    "members apart": (lambda end: end["index"].__setitem__(0, 1536), "do not follow each other"),
    "a huge manifest": (lambda end: end["manifest"].__setitem__(1, 2**30), "over the limit"),
    "a huge signature": (lambda end: end.update(signature=[2**20, 2**20]), "over the limit"),
    "no such signature": (lambda end: end.update(signature=[1536, 20]), "do not follow each"),
}


@pytest.mark.parametrize("name", ENDS)
def test_end_blocks(tmp_path: Path, name: str) -> None:
    """[F-14]"""
    edit, message = ENDS[name]
    refused(tmp_path, Forge(end=edit), message)


def test_false_is_no_size(tmp_path: Path) -> None:
    """[F-14]  Of an INDEX of no bytes ``false`` would be written as it was read."""
    forge = Forge(disks=[], files={}, end=lambda end: end["index"].__setitem__(1, False))
    refused(tmp_path, forge, "does not say what it must")


def test_a_signature_lies_between_manifest_and_end(tmp_path: Path) -> None:
    """[F-4] [F-13]"""
    path = Forge(signature=b"signed").write(tmp_path / "signed.dpbundle")
    verify_bundle(path, read_data=True)
    data = path.read_bytes()
    place = data.index(b"signed")
    path.write_bytes(data[: place + 6] + b"!" + data[place + 7 :])
    with pytest.raises(BundleError, match=r"manifest\.json\.sig at \d+: bytes in the padding"):
        verify_bundle(path)
    path.write_bytes(data[: place - 512] + data[place + 512 :])
    with pytest.raises(BundleError, match="do not follow each other"):
        verify_bundle(path)


def test_a_file_of_the_next_major_version(tmp_path: Path) -> None:
    path = Forge(magic=b"dpbundle 2\n").write(tmp_path / "next.dpbundle")
    with pytest.raises(UnsupportedBundle, match="format version 2; this reader knows 1"):
        verify_bundle(path)


def disk(**change: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["disks"][0].update(change)


def site(**change: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["files"][0].update(change)


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no disks": (lambda value: value.pop("disks") and None, "36 bytes|72 bytes where"),
    "a key missing": (lambda value: value.pop("uuid") and None, "the key 'uuid' is missing"),
    "a size as text": (disk(size="1"), "expected an integer"),
    "a negative size": (disk(size=-1, chunks=0), "-1 is less than 0"),
    "chunks too few": (disk(chunks=3), "do not make 3 chunks"),
    "an odd chunk size": (disk(chunk_size=65537), "not a power of two"),
    "a chunk size of zero": (disk(chunk_size=0), "not a power of two"),
    "a huge chunk size": (disk(chunk_size=2**40, chunks=1), "not a power of two"),
    "an id upwards": (disk(id="../1"), "not an id"),
    "an id of zero": (disk(id="0000"), "not an id"),
    "a digest in upper case": (disk(sha256="A" * 64), "sha256 is not a SHA-256"),
    "an INDEX digest": (lambda value: value.update(index_sha256=""), "not a SHA-256"),
    "a uuid": (lambda value: value.update(uuid="1"), "not a UUID"),
    "a disk twice": (lambda v: v["disks"].append(v["disks"][0]), "two disks have the id 0001"),
    "a file outside": (site(path="disks/x"), "outside playbook/"),
    "a file upwards": (site(path="playbook/../x"), "cannot be a part of a name"),
    "an absolute file": (site(path="/playbook/x"), "outside playbook/"),
    "an empty part": (site(path="playbook//x"), "cannot be a part of a name"),
    "an option as a name": (site(path="playbook/-rf"), "cannot be a part of a name"),
    "a line break": (site(path="playbook/a\nb"), "cannot be a part of a name"),
    "a huge file": (site(size=2**40), "out of bounds"),
    "a file twice": (lambda v: v["files"].append(v["files"][0]), "stands twice"),
    "a file in another case": (
        lambda v: v["files"].insert(0, {**v["files"][0], "path": "playbook/SITE.yml"}),
        "stands twice",
    ),
    "a file and a folder": (
        lambda v: v["files"].append({**v["files"][0], "path": "playbook/site.yml/x"}),
        "a file and a directory",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(tmp_path: Path, name: str) -> None:
    """[M-8] to [M-13]"""
    edit, message = MANIFESTS[name]
    refused(tmp_path, Forge(manifest=edit), message)


def test_a_manifest_that_is_not_canonical(tmp_path: Path) -> None:
    """[M-2]"""
    forge = Forge(manifest_bytes=lambda data: data.replace(b": ", b":  ", 1))
    refused(tmp_path, forge, "not canonical JSON")
    refused(tmp_path, Forge(manifest_bytes=lambda data: data + b"\n"), "not canonical JSON")
    forge = Forge(manifest_bytes=lambda data: data.replace(b'"demo"', b"-0"))
    refused(tmp_path, forge, "not canonical JSON")


def test_a_fault_of_the_text_has_the_code_of_its_rule(tmp_path: Path) -> None:
    """[M-2] [M-3] [M-5]"""
    forges = {
        Code.UTF8: Forge(manifest_bytes=lambda data: b"\xef\xbb\xbf" + data),
        Code.JSON: Forge(manifest_bytes=lambda data: data.replace(b'"demo"', rb'"\ud800"')),
        Code.VERSION_FORM: Forge(manifest=lambda value: value.update(version=[True, 0])),
    }
    for code, forge in forges.items():
        with pytest.raises(BundleFaults) as caught:
            verify_bundle(forge.write(tmp_path / "forged.dpbundle"))
        assert [fault.code for fault in caught.value.faults] == [code]  # type: ignore[attr-defined]


def test_a_version_that_this_reader_does_not_know(tmp_path: Path) -> None:
    """[M-5]"""
    path = tmp_path / "forged.dpbundle"
    Forge(manifest=lambda value: value.update(version=[2, 7])).write(path)
    with pytest.raises(UnsupportedBundle, match=r"version 2; this reader knows 1"):
        verify_bundle(path)
    Forge(manifest=lambda value: value.update(version="1")).write(path)
    with pytest.raises(BundleError, match="is not \\[major, minor\\]"):
        verify_bundle(path)


def test_a_newer_minor_version_is_read_and_its_keys_survive(tmp_path: Path) -> None:
    """[M-5] [M-7]"""
    forge = Forge(manifest=lambda value: value.update(version=[1, 9], new={"a": 1}))
    verified = verify_bundle(forge.write(tmp_path / "newer.dpbundle"))
    assert verified.manifest.extra == {"new": {"a": 1}}


def test_features_that_this_reader_does_not_know_are_named(tmp_path: Path) -> None:
    """[M-6]"""
    forge = Forge(manifest=lambda value: value.update(requires=["sets", "moon"]))
    path = forge.write(tmp_path / "forged.dpbundle")
    with pytest.raises(UnsupportedBundle, match="does not know: moon, sets"):
        open_bundle(path)
