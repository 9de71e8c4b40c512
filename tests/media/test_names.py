"""What downpour itself puts on a medium has names that FAT, exFAT and NTFS take, in any case."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

from bundle_spec import BundleWriter
from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from bundle_spec.progress import NULL
from bundle_spec.trust.signing import sign_bundle
from downpour_import.source.unpack import unpack
from downpour_import.state import directory
from tests.crash import importing, writing
from tests.media.log import Names
from tests.media.system import System
from tests.unit.bundle.samples import content, noise, write_bundle
from tests.unit.bundle.test_signing import keygen
from tests.unit.importer import test_trust

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(\..*)?")
"""Of Windows, whatever follows a dot."""

_FORBIDDEN = re.compile(r'[\x00-\x1f"*/:<>?\\|\x7f]|[. ]$')


def check_names(paths: Iterable[str]) -> None:
    """Each is legal, and no two are one where case does not count."""
    distinct = set(paths)
    for path in distinct:
        for part in PurePosixPath(path).parts:
            assert not _FORBIDDEN.search(part), path
            assert not _RESERVED.fullmatch(part), path
            assert len(part.encode("utf-16-le")) <= 2 * 255, path
    assert len({path.casefold() for path in distinct}) == len(distinct)


def named(system: System) -> set[str]:
    """Whatever ever had a name below the root."""
    return {step.path for step in system.steps if isinstance(step, Names)}


@pytest.mark.parametrize("part_size", [None, 70_000])
def test_names_that_a_bundle_has_while_it_is_written(place: Path, part_size: int | None) -> None:
    system = System(place)
    with system.played():
        writing.write(place / "Out.dpbundle", part_size=part_size)
    assert len(named(system)) > 3
    check_names(named(system))


def test_names_of_signing_unpacking_and_an_import(place: Path) -> None:
    medium = place / "medium"
    medium.mkdir()
    write_bundle(medium / "b.dpbundle", noise(1000))
    key = keygen(place / "key")
    opened = test_trust.open_source(test_trust.write_bundle(place / "c.dpbundle"), NULL)
    system = System(medium)
    with system.played():
        sign_bundle(medium / "b.dpbundle", key)
        unpack(opened, medium / "unpacked")
        importing.run(medium / "state", lambda promise: None)
    assert {"b.dpbundle.tail", "unpacked/playbook/site.yml", "state/uuids.csv"} <= named(system)
    check_names(named(system))


def test_parts_do_not_replace_those_of_a_name_in_another_case(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.write(place / "out.dpbundle", part_size=70_000)

    def exists(path: Path) -> bool:
        return path.name.casefold() in {each.name.casefold() for each in path.parent.iterdir()}

    monkeypatch.setattr(Path, "exists", exists)
    with pytest.raises(LocalError, match="exists already"):
        writing.write(place / "OUT.dpbundle", part_size=70_000)
    writing.check_bundle(place / "out.dpbundle")


def test_a_file_system_that_gives_files_to_another_user_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT that is mounted for one user, and written to by root; NFS that trusts no root."""
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(LocalError, match=r"gives what is made on it to the user \d+: run as"):
        BundleWriter(place / writing.NAME)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z"])
def test_a_clock_in_another_century_changes_nothing(
    place: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that is stored counts seconds: headers have no time, and moments are texts."""
    seconds = 0.0 if at.startswith("1970") else 2.0**31
    monkeypatch.setattr("time.time", lambda: seconds)
    with BundleWriter(place / writing.NAME) as writer:
        finished = writer.finish(content().__class__(**{**vars(content()), "created": at}))
    assert finished.manifest.created == at
    directory.save_targets(place, {Ref("network", "n"): "t"})
    assert directory.load_targets(place)
