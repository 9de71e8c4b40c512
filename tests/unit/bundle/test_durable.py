"""A file is replaced whole or not at all, whatever fails on the way."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import durable
from bundle_spec.durable import BY_UMASK, write_atomically


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    old = os.umask(0o027)
    yield
    os.umask(old)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def left(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path.parent.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_new_file_is_the_owners_own_unless_it_is_said_otherwise(path: Path) -> None:
    write_atomically(path, b"new")
    assert (left(path), mode(path)) == ({"file": b"new"}, 0o600)
    write_atomically(path, b"newer", mode=BY_UMASK)
    assert (left(path), mode(path)) == ({"file": b"newer"}, 0o640)


def test_the_mode_of_the_old_file_stays_where_that_is_asked_for(path: Path) -> None:
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_atomically(path, b"new", keep_mode=True)
    assert (left(path), mode(path)) == ({"file": b"new"}, 0o666)
    path.chmod(0o400)
    write_atomically(path, b"newer")
    assert (left(path), mode(path)) == ({"file": b"newer"}, 0o600)


def test_where_no_mode_can_stay_the_one_that_was_named_is_taken(path: Path) -> None:
    write_atomically(path, b"new", mode=BY_UMASK, keep_mode=True)
    assert mode(path) == 0o640


def test_a_symbolic_link_is_replaced_and_not_followed(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"old")
    path.symlink_to(other)
    write_atomically(path, b"new")
    assert not path.is_symlink()
    assert left(path) == {"file": b"new", "other": b"old"}


def test_the_bytes_the_name_and_the_folder_are_synced_in_this_order(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"old")
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(fd: int) -> None:
        where = Path(os.readlink(f"/proc/self/fd/{fd}"))
        if where.is_dir():
            steps.append("folder")
        else:
            assert where.parent == path.parent, "a rename is atomic within one file system only"
            steps.append(f"{where.read_bytes().decode()}, {path.read_bytes().decode()} there")
        fsync(fd)

    def watched_replace(source: Any, target: Any) -> None:
        steps.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    write_atomically(path, b"new")
    assert steps == ["new, old there", "replace", "folder"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_stops_before_the_rename_leaves_the_old_file_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: BaseException
) -> None:
    path.write_bytes(b"old")

    def fail(*args: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(type(failure)):
            write_atomically(path, b"new")
    assert left(path) == {"file": b"old"}


def test_a_folder_that_cannot_be_synced_is_told_and_the_new_file_stands(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"old")
    fsync = os.fsync

    def fail(fd: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{fd}")).is_dir():
            raise OSError(5, "Input/output error")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_atomically(path, b"new")
    assert left(path) == {"file": b"new"}


def test_a_folder_that_is_not_there_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(path / "file", b"new")


def test_what_a_kill_left_is_removed_where_it_is_surely_ours(tmp_path: Path) -> None:
    def lay(name: str, age: float = 3600) -> Path:
        path = tmp_path / name
        path.write_text("half")
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    left = lay(".downpour-0123456789abcdef")
    young = lay(".downpour-1123456789abcdef", age=5)
    held = lay(".downpour-2123456789abcdef")
    others = [lay(".downpour-notes"), lay(".downpour-0123456789abcdef.txt")]
    link = tmp_path / ".downpour-3123456789abcdef"
    link.symlink_to(others[0])
    fifo = tmp_path / ".downpour-4123456789abcdef"
    os.mkfifo(fifo)
    with open(held) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        durable.remove_abandoned(tmp_path)
    assert not left.exists()
    assert all(os.path.lexists(path) for path in (young, held, *others, link, fifo))
    durable.remove_abandoned(tmp_path)
    assert not held.exists()
    durable.remove_abandoned(tmp_path / "nowhere")


def test_a_file_is_held_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "ABANDONED_AFTER", -3600)
    sync = os.fsync

    def look(fd: int) -> None:
        durable.remove_abandoned(tmp_path)
        sync(fd)

    monkeypatch.setattr(os, "fsync", look)
    durable.write_atomically(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
