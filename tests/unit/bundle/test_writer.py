"""What the writer refuses, and what it leaves behind when it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from tests.unit.bundle.samples import CHUNK, content, noise, write_bundle


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.dpbundle"


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def test_nothing_stays_of_a_bundle_that_holds_nothing_yet(path: Path) -> None:
    with BundleWriter(path) as writer:
        writer.disk("qcow2", size_hint=1).write(noise(CHUNK - 1))
        assert "out.dpbundle.partial" in names(path)
    assert names(path) == []
    assert writer.kept is None


def test_a_finished_bundle_stands_alone(path: Path) -> None:
    write_bundle(path, b"x")
    assert names(path) == ["out.dpbundle"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_not_overwritten_unless_asked(path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(LocalError, match="exists already"):
        BundleWriter(path)
    assert path.read_bytes() == b"precious"
    with BundleWriter(path, overwrite=True) as writer:
        assert path.read_bytes() == b"precious"
        writer.finish(content())
    verify_bundle(path)


def test_a_file_that_came_meanwhile_is_not_overwritten(path: Path) -> None:
    with BundleWriter(path) as writer:
        path.write_bytes(b"precious")
        with pytest.raises(LocalError, match="exists already"):
            writer.finish(content())
    assert path.read_bytes() == b"precious"


def test_two_runs_do_not_write_one_file(path: Path) -> None:
    with BundleWriter(path) as writer:
        with pytest.raises(LocalError, match="another run writes this bundle"):
            BundleWriter(path)
        writer.finish(content())
    verify_bundle(path)


def test_what_a_killed_run_left_is_taken_over(path: Path) -> None:
    path.with_name("out.dpbundle.partial").write_bytes(noise(5000))
    path.with_name("out.dpbundle.partial.index").write_bytes(b"junk")
    write_bundle(path, b"x")
    assert names(path) == ["out.dpbundle"]


def test_a_link_in_the_place_of_the_partial_file_is_not_followed(path: Path) -> None:
    precious = path.with_name("precious")
    precious.write_bytes(b"precious")
    path.with_name("out.dpbundle.partial").symlink_to(precious)
    with pytest.raises(LocalError):
        BundleWriter(path)
    assert precious.read_bytes() == b"precious"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="there is no such directory"):
        BundleWriter(tmp_path / "none" / "out.dpbundle")


def test_a_full_disk_is_told_to_everyone_who_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BundleWriter(path) as writer:
        other = writer.disk("raw")
        disk = writer.disk("raw")
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, writer._store._file._sink._fds[0])
        os.close(full)
        with pytest.raises(LocalError, match="No space left on device") as caught:
            disk.write(noise(100 * 2**20))
        assert caught.value.where == f"{path}.partial"
        with pytest.raises(LocalError, match="No space left"):
            other.finish()
        disk.abandon()
        other.abandon()
        with pytest.raises(LocalError, match="No space left"):
            writer.finish(content())
    assert names(path) == []


def test_bytes_that_the_medium_changed_are_seen_before_the_file_has_its_name(path: Path) -> None:
    with BundleWriter(path) as writer:
        disk = writer.disk("raw")
        disk.write(noise(3 * 2**20))
        disk.finish()
        writer._store._file._file.flush()
        with writer._store._file.path.open("r+b") as file:
            file.seek(2**20)
            file.write(b"rot")
        for _ in range(2):
            with pytest.raises(
                BundleError, match="damaged: not what its line in the chunk list says"
            ):
                writer.finish(content())
    assert names(path) == []


@pytest.mark.parametrize(
    "name",
    [
        "site.yml",
        "/etc/passwd",
        "playbook/../x",
        "playbook/./x",
        "playbook//x",
        "playbook/",
        "playbook/-x",
        "playbook/ä",
        "playbook/a b",
        "playbook/" + "x" * 100,
    ],
)
def test_names_that_a_file_cannot_have(path: Path, name: str) -> None:
    with BundleWriter(path) as writer, pytest.raises(ValueError, match=r"name|outside"):
        writer.add_file(name, b"")


def test_a_file_is_added_once(path: Path) -> None:
    with BundleWriter(path) as writer:
        writer.add_file("playbook/a", b"")
        with pytest.raises(ValueError, match="twice"):
            writer.add_file("playbook/a", b"")


def test_misuse_is_told(path: Path) -> None:
    with BundleWriter(path) as writer:
        disk = writer.disk("raw")
        with pytest.raises(RuntimeError, match="disks still open: 0001"):
            writer.finish(content())
        disk.finish()
        with pytest.raises(RuntimeError, match="is closed"):
            disk.write(b"x")
        with pytest.raises(RuntimeError, match="is closed"):
            disk.finish()
        writer.finish(content())
        with pytest.raises(RuntimeError, match="is closed"):
            writer.finish(content())
    verify_bundle(path)
