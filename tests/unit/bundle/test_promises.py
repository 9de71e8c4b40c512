"""What readers, writers and records promise, and no single bundle can show."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

from bundle_spec import BundleWriter, model, open_bundle, verify_bundle
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults, UnsupportedBundle
from bundle_spec.form.frame import REFERENCE_SIZE, Decompressor, reference_of
from bundle_spec.progress import NullTask, Task
from tests.unit.bundle.samples import content
from tests.vectors import generate
from tests.vectors.forge import Forge, sha256, ustar

MIB = 2**20
INVALID = [name for name in generate.vectors() if name.startswith("invalid/")]


def test_another_major_version_is_named(tmp_path: Path) -> None:
    """[F-3]"""
    for number in (2, 10, 999_999_999):
        path = Forge(magic=b"dpbundle %d\n" % number).write(tmp_path / "next.dpbundle")
        for way in (verify_bundle, open_bundle):
            with pytest.raises(UnsupportedBundle, match=f"format version {number};") as caught:
                way(path)
            assert caught.value.code == Code.UNKNOWN_FORMAT


def test_a_reader_refuses_another_bundle_than_it_verified(tmp_path: Path) -> None:
    """[F-18]"""
    path = Forge().write(tmp_path / "out.dpbundle")
    verified = verify_bundle(path)
    Forge(files={}).write(path)
    with pytest.raises(BundleError) as caught:
        verified.open()
    assert caught.value.code == Code.OTHER_BUNDLE


def test_nothing_is_decompressed_before_its_digest_and_header_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[F-18]"""
    opened: list[tuple[bytes, int]] = []
    real = Decompressor.__call__

    def spy(self: Decompressor, data: bytes, due: int, prefix: bytes | None = None) -> bytes:
        opened.append((data, due))
        return real(self, data, due, prefix)

    monkeypatch.setattr(Decompressor, "__call__", spy)
    for name in INVALID:
        opened.clear()
        path = generate.unpacked(name, tmp_path)
        with contextlib.suppress(BundleError):
            verify_bundle(path, read_data=True)
        with contextlib.suppress(BundleError), open_bundle(path) as bundle:
            for disk in bundle.manifest.disks:
                bundle.disk(disk.id).read(0, disk.size)
        for data, due in opened:
            frame = data[REFERENCE_SIZE:] if reference_of(data) else data
            declared = zstandard.get_frame_parameters(frame)
            assert declared.content_size == due <= 16 * MIB
            assert declared.window_size <= 16 * MIB
            assert declared.has_checksum
            assert not declared.dict_id
            lists = b"".join(generate.vectors()[name].files.values())
            # One has its digests in upper case, which only a check of the whole file refuses.
            assert sha256(data).encode() in lists.lower()


READ_ALL = """
import resource, sys
from pathlib import Path
from bundle_spec import open_bundle, verify_bundle
from bundle_spec.errors import DownpourError

resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), resource.RLIM_INFINITY))
for path in map(Path, sys.argv[2:]):
    try:
        verify_bundle(path, read_data=True)
        raise SystemExit(f"{path} is taken")
    except DownpourError:
        pass
    try:
        with open_bundle(path) as bundle:
            for disk in bundle.manifest.disks:
                bundle.disk(disk.id).read(0, 2**20)
    except DownpourError:
        pass
"""


def test_no_bundle_takes_memory_or_names_of_files(tmp_path: Path) -> None:
    """[F-18]  All that is declared too large is refused in little memory, and nothing extracted."""
    here = tmp_path / "here"
    here.mkdir()
    paths = [sparse(tmp_path / "sparse.dpbundle")]
    for name in INVALID:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        paths.append(generate.unpacked(name, folder))
    command = [sys.executable, "-c", READ_ALL, str(600 * MIB), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(here.iterdir()) == []


def sparse(path: Path) -> Path:
    """A bundle without disks whose INDEX is 4 GiB of zero bytes."""
    size = 2**32
    forge = Forge(disks=[], files={})
    data = bytearray(forge.build())
    index = 1536

    def moved(value: dict[str, Any]) -> None:
        value["index"][1] = size
        value["manifest"][0] += size

    forge.end = moved
    tail = forge.build()[index:]
    with path.open("wb") as file:
        file.write(data[: index - 512] + ustar("INDEX", size))
        file.seek(size, os.SEEK_CUR)
        file.write(tail)
    with pytest.raises(BundleFaults) as caught:
        verify_bundle(path)
    (fault,) = caught.value.faults
    assert isinstance(fault, BundleError)
    assert fault.code == Code.INDEX_SIZE
    return path


def test_a_bundle_gets_its_name_when_it_is_synced_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[F-19]"""
    path = tmp_path / "out.dpbundle"
    events: list[str] = []

    class Watch:
        def task(self, label: str, total: int | None, unit: str) -> Task:
            events.append(label)
            return NullTask()

        def say(self, text: str) -> None:
            pass

        def note(self, text: str) -> None:
            pass

    def watched(name: str) -> None:
        real = getattr(os, name)

        def call(*args: Any) -> Any:
            events.append(f"{name} {Path(args[1]).name}" if name == "replace" else name)
            return real(*args)

        monkeypatch.setattr(os, name, call)

    watched("fsync")
    watched("replace")
    with BundleWriter(path, progress=Watch()) as writer:
        disk = writer.disk("raw")
        disk.write(b"disk")
        disk.finish()
        others = {each.name for each in tmp_path.iterdir()}
        assert others
        assert all(name.startswith("out.dpbundle.") for name in others)
        events.clear()
        writer.finish(content())
    named = events.index("replace out.dpbundle")
    assert "fsync" in events[: events.index("verify")]
    assert events.index("verify") < named
    assert "fsync" in events[named:], "the directory too"
    assert [each.name for each in tmp_path.iterdir()] == ["out.dpbundle"]


SECRET = re.compile(r"pass|token|secret|private|credential|user_data|cert|_key$|^key$")


def test_no_record_has_a_place_for_a_secret() -> None:
    """[M-18]"""
    records = [each for each in vars(model).values() if dataclasses.is_dataclass(each)]
    names = {field.name for record in records for field in dataclasses.fields(record)}
    assert len(names) > 80
    # User data is what a person gave to be carried, and is said to be.
    assert {name for name in names if SECRET.search(name)} == {"public_key", "user_data"}
