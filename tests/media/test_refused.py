"""What a file system cannot do is told in one sentence, before anything is captured."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundle_spec import BundleWriter
from bundle_spec.errors import LocalError
from bundle_spec.medium import is_of_medium, local_error
from bundle_spec.read.source import Source
from bundle_spec.write.split import split_bundle
from downpour_import.state import directory
from tests.crash import writing
from tests.media.faults import check_told
from tests.media.system import Call, Fault, System, refusal
from tests.unit.bundle.samples import noise, write_bundle


def told(folder: Path, fault: Fault, part_size: int | None = None) -> LocalError:
    """The error of an export to such a medium."""
    with System(folder, fault).played(), pytest.raises(LocalError) as caught:
        writing.write(folder / writing.NAME, part_size=part_size)
    check_told(caught.value)
    return caught.value


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_not_another_run(place: Path, code: int) -> None:
    def no_locks(call: Call) -> OSError | None:
        return refusal(code) if call.what == "lock" else None

    assert "cannot lock" in told(place, no_locks).message
    assert list(place.iterdir()) == []
    with (
        System(place, no_locks).played(),
        pytest.raises(LocalError, match="cannot lock"),
        directory.locked(place),
    ):
        pass


def test_a_file_system_that_takes_no_large_file_names_the_option_that_helps(place: Path) -> None:
    """FAT32 has at most 4 GiB; here it is 300,000 bytes, and parts of less fit."""
    sizes: dict[str, int] = {}

    def small(call: Call) -> OSError | None:
        if call.what == "write":
            sizes[call.path] = sizes.get(call.path, 0) + call.size
        return refusal(errno.EFBIG) if sizes.get(call.path, 0) > 300_000 else None

    error = told(place, small)
    assert error.remedy
    assert "--split 4000M" in error.remedy
    sizes.clear()
    with System(place, small).played():
        with BundleWriter(place / writing.NAME, resume=False) as writer:
            assert writer.has_earlier_run
        writing.write(place / writing.NAME, part_size=70_000)
    writing.check_bundle(place / writing.NAME)


def test_disks_that_may_not_fit_into_a_file_are_told_before_they_are_read(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_fat(fd: int, offset: int, whence: int) -> int:
        if offset >= 2**32:
            raise refusal(errno.EINVAL)
        return seek(fd, offset, whence)

    seek = os.lseek
    monkeypatch.setattr(os, "lseek", of_fat)
    with BundleWriter(place / writing.NAME) as writer:
        writer.require_room_for(2**32 - 1)
        with pytest.raises(LocalError, match=r"takes no file of 4\.0 GiB") as caught:
            writer.require_room_for(2**32)
    assert "--split 4000M" in str(caught.value.remedy)
    with BundleWriter(place / writing.NAME, part_size=2**20) as writer:
        writer.require_room_for(2**50)
    monkeypatch.undo()
    with BundleWriter(place / writing.NAME) as writer:
        writer.require_room_for(2**50)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG])
def test_a_name_that_the_medium_does_not_take_is_told(place: Path, code: int) -> None:
    """``a:b.dpbundle`` on FAT, NTFS or exFAT."""
    error = told(place, lambda call: refusal(code) if call.what == "create" else None)
    assert "name" in str(error.remedy)


def test_a_name_that_only_the_journal_makes_too_long_is_told_first(place: Path) -> None:
    path = place / ("n" * 236 + ".dpbundle")
    with pytest.raises(LocalError, match="File name too long") as caught:
        BundleWriter(path)
    check_told(caught.value)
    assert list(place.iterdir()) == []


def test_a_read_only_medium_says_so_before_anything_is_read(place: Path) -> None:
    def read_only(call: Call) -> OSError | None:
        return refusal(errno.EROFS) if call.what in ("create", "write") else None

    assert "mount it for writing" in str(told(place, read_only).remedy)


def test_a_medium_that_gives_less_than_it_is_asked_for_is_asked_again(place: Path) -> None:
    """A network file system may; each read and write is cut to 1,000 bytes."""
    path = place / "short.dpbundle"
    write_bundle(path, noise(70_000))

    def short(call: Call) -> int | None:
        return 1000 if call.what in ("read", "write") and "journal" not in call.path else None

    with System(place, short).played():
        split_bundle(path, 70_000)
        with Source(path) as source:
            data = source.read(0, source.size)
    assert data == path.read_bytes()
    assert len(list(place.glob("short.dpbundle.00?"))) == -(-len(data) // 70_000)


def test_only_what_a_file_system_says_is_taken_for_it() -> None:
    class ConnectionTrouble(OSError):
        pass

    assert is_of_medium(refusal(errno.EIO))
    assert not is_of_medium(ConnectionTrouble(errno.EIO, "of a library"))
    assert not is_of_medium(ConnectionResetError(errno.ECONNRESET, "reset"))
    assert local_error("it failed", OSError("no number"), "x").message == "it failed: no number"


@pytest.mark.parametrize("arguments", [["show"], ["verify", "--json"]])
def test_an_output_that_cannot_be_written_is_no_fault_of_downpour(
    place: Path, arguments: list[str]
) -> None:
    write_bundle(place / "b.dpbundle", noise(1000))
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bundle_spec", *arguments, str(place / "b.dpbundle")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
    assert done.returncode == LocalError.exit_code, done.stderr
    assert "stdout: cannot write the output: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
