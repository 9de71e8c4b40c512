"""A bundle in parts: written so, or cut afterwards, and read without joining anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, open_bundle, verify_bundle
from bundle_spec.cli.alone import main
from bundle_spec.errors import BundleFaults, LocalError
from bundle_spec.text import parse_size
from bundle_spec.write.split import split_bundle
from tests.unit.bundle.samples import content, noise, write_bundle
from tests.unit.bundle.test_resume import RAW, check, go_on, kill, names

SIZE = 1_000_000
PARTS = [f"out.dpbundle.{number:03d}" for number in range(1, 12)] + ["out.dpbundle.parts"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.dpbundle"


def sha256sum(path: Path) -> None:
    command = ["sha256sum", "--strict", "-c", "out.dpbundle.parts"]
    subprocess.run(command, cwd=path.parent, check=True)


def test_a_bundle_that_is_written_in_parts(path: Path) -> None:
    """[S-1] [S-2]  No file is larger than asked for, and nothing else is left."""
    go_on(path, SIZE)
    assert names(path) == PARTS[:9] + PARTS[-1:]
    sizes = [path.with_name(name).stat().st_size for name in PARTS[:9]]
    assert sizes[:-1] == [SIZE] * 8
    assert 0 < sizes[-1] <= SIZE
    check(path)
    subprocess.run(
        ["sha256sum", "--strict", "-c", "out.dpbundle.parts"], cwd=path.parent, check=True
    )


def test_parts_are_the_bytes_of_the_bundle(path: Path, tmp_path: Path) -> None:
    """[S-1]  Cut afterwards; ``cat`` gives the bundle again, and the bundle itself stays."""
    write_bundle(path, *RAW.values())
    whole = path.read_bytes()
    folder = tmp_path / "medium"
    folder.mkdir()
    listed = split_bundle(path, SIZE, folder)
    assert listed == folder / "out.dpbundle.parts"
    assert path.read_bytes() == whole
    parts = sorted(folder.glob("out.dpbundle.[0-9]*"))
    assert b"".join(part.read_bytes() for part in parts) == whole
    verify_bundle(folder / "out.dpbundle", read_data=True)
    split_bundle(path, SIZE)
    assert path.read_bytes() == whole
    with pytest.raises(LocalError, match="exists already"):
        split_bundle(path, SIZE)


def test_a_cut_at_the_very_end(path: Path) -> None:
    """[S-1]  A part is never empty."""
    write_bundle(path, noise(300_000))
    size = path.stat().st_size // 2
    split_bundle(path, size)
    path.unlink()
    assert names(path) == ["out.dpbundle.001", "out.dpbundle.002", "out.dpbundle.parts"]
    verify_bundle(path, read_data=True)


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed_goes_on_in_its_parts(path: Path, seed: int) -> None:
    kill(path, "write", 0.05 * seed, SIZE)
    if not path.with_name("out.dpbundle.001").exists():
        go_on(path, SIZE)
    check(path)
    subprocess.run(
        ["sha256sum", "--strict", "-c", "out.dpbundle.parts"], cwd=path.parent, check=True
    )


def test_a_run_that_is_killed_while_it_verifies_its_parts(path: Path) -> None:
    kill(path, "verify", 0, SIZE)
    assert go_on(path, SIZE) == dict.fromkeys(RAW, 0)
    check(path)


@pytest.mark.parametrize("renamed", range(1, 9))
def test_a_run_that_is_killed_while_parts_get_their_names(
    path: Path, renamed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last part gets its name first, the first one last."""
    done: list[Path] = []
    replace = os.replace

    def stop_after(source: Path, target: Path) -> None:
        if len(done) == renamed:
            raise KeyboardInterrupt
        done.append(target)
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("bundle_spec.write.partial.os.replace", stop_after)
        with pytest.raises(KeyboardInterrupt):
            go_on(path, SIZE)
    assert not path.with_name("out.dpbundle.001").exists()
    assert go_on(path, SIZE) == dict.fromkeys(RAW, 0)
    assert names(path) == PARTS[:9] + PARTS[-1:]
    check(path)


def test_another_split_than_it_was_begun_with_is_told(path: Path) -> None:
    kill(path, "verify", 0, SIZE)
    for size, told in ((None, "--split"), (2 * SIZE, "--split 1000000")):
        before = names(path)
        with pytest.raises(LocalError, match=told):
            go_on(path, size)
        assert names(path) == before
    go_on(path, SIZE)
    check(path)


def test_beginning_anew_with_another_split_leaves_nothing_of_the_old_one(path: Path) -> None:
    kill(path, "verify", 0, SIZE)
    with BundleWriter(path, resume=False) as writer:
        assert names(path)[0] == "out.dpbundle.partial"
        writer.finish(content())
    assert names(path) == ["out.dpbundle"]


def test_a_run_with_other_parts_that_still_goes_on_is_left_alone(path: Path) -> None:
    with BundleWriter(path, part_size=SIZE) as writer:
        disk = writer.disk("raw")
        for resume in (True, False):
            with pytest.raises(LocalError, match="locked"):
                BundleWriter(path, resume=resume)
        disk.write(RAW["a"])
        disk.finish()
        writer.finish(content())
    verify_bundle(path, read_data=True)


def test_parts_of_another_bundle_are_not_overwritten(path: Path) -> None:
    other = path.with_name("out.dpbundle.007")
    other.write_bytes(b"precious")
    for size in (None, SIZE):
        with pytest.raises(LocalError, match="exists already"):
            go_on(path, size)
    assert names(path) == ["out.dpbundle.007"]
    assert other.read_bytes() == b"precious"


def test_parts_on_several_media(path: Path, tmp_path: Path) -> None:
    """[S-3]"""
    go_on(path, SIZE)
    media = [tmp_path / f"medium{number}" for number in range(3)]
    for number, name in enumerate(names(path)):
        if name.startswith("out"):
            media[number % 3].mkdir(exist_ok=True)
            shutil.move(path.with_name(name), media[number % 3] / name)
    with pytest.raises(BundleFaults) as caught:
        verify_bundle(media[0] / "out.dpbundle", media[2:])
    missing = {str(fault.where) for fault in caught.value.faults}
    assert "out.dpbundle.002" in missing
    assert {fault.code.slug for fault in caught.value.faults} == {"part-missing"}  # type: ignore[attr-defined]
    verify_bundle(media[0] / "out.dpbundle.001", media[1:], read_data=True)
    with open_bundle(media[1] / "out.dpbundle", [media[0], media[2]]) as bundle:
        assert b"".join(bundle.disk("0001").stream()) == RAW["a"]


def test_swapped_stale_and_cut_parts_are_named(path: Path) -> None:
    """[S-3] [S-4]"""
    go_on(path, SIZE)
    one, two = (path.with_name(f"out.dpbundle.{number:03d}") for number in (3, 4))
    first, second = one.read_bytes(), two.read_bytes()

    def named(again: str) -> dict[str, str]:
        """Only the parts that are to blame must be copied again."""
        with pytest.raises(BundleFaults) as caught:
            verify_bundle(path)
        assert f"(copy {again} again" in str(caught.value)
        assert str(caught.value).count("copy") == 1
        faults = [fault.as_json() for fault in caught.value.faults]  # type: ignore[attr-defined]
        return {each["where"]: each["message"] for each in faults if "part-" in each["code"]}

    one.write_bytes(second)
    two.write_bytes(first)
    assert named(f"{one.name}, {two.name}") == {
        one.name: f"it holds the bytes of {two.name}: the parts are swapped",
        two.name: f"it holds the bytes of {one.name}: the parts are swapped",
    }
    one.write_bytes(first)
    two.write_bytes(noise(SIZE, 9))
    assert list(named(two.name)) == [two.name]
    two.write_bytes(second[:-512])
    assert list(named(two.name)) == [str(two)]
    two.write_bytes(second)
    check(path)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4G", 4 * 10**9), ("700M", 7 * 10**8), ("4GiB", 2**32), ("65536", 65536), ("1Ti", 2**40)],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "4g", "4 G", "-1G", "4.7G", "4iB", "٤G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_parts_that_are_too_small_are_not_written(path: Path) -> None:
    """[F-17]"""
    with pytest.raises(ValueError, match="too small"):
        BundleWriter(path, part_size=65535)
    assert names(path) == []


def test_the_command(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bundle(path, *RAW.values())
    assert main(["split", str(path), "1M"]) == 0
    assert capsys.readouterr().out == f"{path}.parts: 9 parts; the bundle itself stays\n"
    for words, code in ((["12"], 2), (["4X"], 2), (["100K"], 12)):
        assert main(["split", str(path), *words]) == code
    assert "exists already" in capsys.readouterr().err
