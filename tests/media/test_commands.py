"""A medium that fails under the other commands: each says so, and the same command goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from bundle_spec import open_bundle, verify_bundle
from bundle_spec.errors import LocalError
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from bundle_spec.show.summary import summarise
from bundle_spec.trust.signing import sign_bundle
from bundle_spec.write.split import split_bundle
from downpour_import.source.decrypted import Keys, in_clear
from downpour_import.source.unpack import unpack
from tests.crash import importing
from tests.media.faults import try_faults
from tests.unit.bundle import test_age
from tests.unit.bundle.samples import noise, write_bundle
from tests.unit.bundle.test_signing import keygen
from tests.unit.importer import test_trust

NAME = "out.dpbundle"
RAW = noise(300_000)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that a small bundle has several of."""
    monkeypatch.setattr("bundle_spec.read.source.PIECE", 50_000)


def lay(folder: Path) -> None:
    write_bundle(folder / NAME, RAW)


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def nothing_kept(folder: Path, promises: set[str]) -> None:
    assert names(folder) == {NAME}
    verify_bundle(folder / NAME)


READERS: dict[str, Callable[[Path], object]] = {
    "verify": lambda path: verify_bundle(path, read_data=True),
    "show": lambda path: summarise(BundleFiles(path)),
    "read a disk": lambda path: [*open_bundle(path).disk("0001").stream()],
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_reader_says_that_the_medium_fails_and_not_that_the_bundle_is_damaged(
    place: Path, read: Callable[[Path], object]
) -> None:
    try_faults(place, lambda folder, promise: read(folder / NAME), nothing_kept, lay=lay)


def test_a_disk_that_could_not_be_saved_leaves_no_file(place: Path) -> None:
    def save(folder: Path, promise: Callable[[str], None]) -> None:
        with open_bundle(folder / NAME) as bundle:
            bundle.disk("0001").save(folder / "disk")

    def go_on(folder: Path, promises: set[str]) -> None:
        (folder / "disk").unlink(missing_ok=True)  # a medium that was gone could not remove it
        save(folder, promises.add)
        assert (folder / "disk").read_bytes() == RAW

    try_faults(place, save, go_on, lay=lay)


def test_a_bundle_that_could_not_be_split_is_split_by_the_same_command(place: Path) -> None:
    def go_on(folder: Path, promises: set[str]) -> None:
        listed = folder / f"{NAME}.parts"
        if not (folder / f"{NAME}.001").exists():
            split_bundle(folder / NAME, 70_000)
        verify_bundle(listed, read_data=True)
        verify_bundle(folder / NAME, read_data=True)
        assert not [each for each in names(folder) if each.endswith(".partial")]

    try_faults(place, lambda folder, promise: split_bundle(folder / NAME, 70_000), go_on, lay=lay)


def test_a_bundle_that_could_not_be_signed_is_whole_after_the_same_command(place: Path) -> None:
    key = keygen(place / "key")

    def go_on(folder: Path, promises: set[str]) -> None:
        sign_bundle(folder / NAME, key, overwrite=True)
        verify_bundle(folder / NAME)
        with pytest.raises(LocalError, match="signed already"):
            sign_bundle(folder / NAME, key)
        left = {each for each in names(folder) if not each.startswith(".downpour-")}
        assert left == {NAME}

    try_faults(place, lambda folder, promise: sign_bundle(folder / NAME, key), go_on, lay=lay)


def test_what_could_not_be_unpacked_is_unpacked_by_the_same_command(place: Path) -> None:
    source = place / "source"
    source.mkdir()
    opened = test_trust.open_source(test_trust.write_bundle(source / NAME), NULL)

    def go_on(folder: Path, promises: set[str]) -> None:
        if (folder / "unpacked").exists() and names(folder / "unpacked"):
            # The medium was gone, so that what lay there could not be removed.
            with pytest.raises(LocalError, match="not empty"):
                unpack(opened, folder / "unpacked")
            return
        unpack(opened, folder / "unpacked")
        assert (folder / "unpacked" / "manifest.json").read_bytes()

    try_faults(place, lambda folder, promise: unpack(opened, folder / "unpacked"), go_on)


def test_what_could_not_be_decrypted_leaves_no_clear_byte(place: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (place / "identity").write_text(f"{identity}\n")
    test_age.write(place / "out.age", [identity.to_public()])

    def decrypt(folder: Path, promise: Callable[[str], None]) -> None:
        keys = Keys(identity=place / "identity", place=folder)
        with in_clear(BundleFiles(place / "out.age"), keys, NULL) as files:
            verify_bundle(files.path)

    def go_on(folder: Path, promises: set[str]) -> None:
        decrypt(folder, promises.add)
        assert names(folder) == set()

    try_faults(place, decrypt, go_on)


def test_an_import_says_what_failed_and_its_state_goes_on(place: Path) -> None:
    try_faults(
        place,
        lambda folder, promise: importing.run(folder / "a" / "state", promise),
        lambda folder, promises: importing.start(folder / "a" / "state", promises),
    )
