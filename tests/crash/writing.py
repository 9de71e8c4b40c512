"""A bundle that is written on a played machine, and the run that follows a power cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.errors import LocalError
from bundle_spec.model import Disk, Resources
from bundle_spec.read.parts import list_name, part_name
from tests.unit.bundle.samples import CHUNK, content, image, noise

NAME = "out.dpbundle"
RAW = {"a": noise(3 * CHUNK + 77, 1), "b": noise(2 * CHUNK, 2)}
RAW["c"] = RAW["a"][:CHUNK] + bytes(CHUNK) + RAW["b"][:CHUNK] + b"end"
NOTE = "kept since the beginning"


def write(
    path: Path,
    promise: Callable[[str], None] = lambda text: None,
    *,
    part_size: int | None = None,
    overwrite: bool = False,
) -> dict[str, int]:
    """Write all of RAW, or what is missing of it; returns how many bytes each disk still took.

    ``promise`` is called with what the writer has promised to keep.
    """
    taken = dict.fromkeys(RAW, 0)
    with BundleWriter(path, part_size=part_size, overwrite=overwrite, threads=1) as writer:
        if writer.recall("note") is None:
            writer.remember("note", NOTE)
            writer.keep_if_empty(True)
            writer.checkpoint()
        promise(f"note {writer.uuid}")
        ended = writer.ended_disks()
        left = {disk.label: disk for disk in writer.open_disks()}
        records: dict[str, Disk] = {}
        for label, raw in RAW.items():
            if label not in ended:
                disk = writer.resume_disk(left[label]) if label in left else None
                disk = disk or writer.disk("qcow2", size_hint=len(raw), label=label)
                taken[label] = len(raw) - disk.size
                for start in range(disk.size, len(raw), 50_000):
                    disk.write(raw[start : start + 50_000])
                records[label] = disk.finish()
                promise(f"disk {label}")
            else:
                records[label] = ended[label]
        writer.add_file("playbook/site.yml", b"---\n")
        images = tuple(image(record.id, label) for label, record in records.items())
        writer.finish(content(Resources(images=images)))
    promise("published")
    return taken


def first_name(path: Path, part_size: int | None) -> Path:
    """The file without which there is no bundle under the final name."""
    return path.with_name(part_name(path.name, 1)) if part_size else path


def check_bundle(path: Path) -> None:
    """Every byte of every disk is right."""
    with verify_bundle(path, read_data=True).open() as bundle:
        images = bundle.manifest.resources.images
        assert {each.id for each in images} == set(RAW)
        for each in images:
            assert b"".join(bundle.disk(each.disk_id).stream()) == RAW[each.id], each.id


def go_on(path: Path, promises: set[str], *, part_size: int | None, overwrite: bool) -> None:
    """What the next run must make of the files in ``path``'s folder after a cut."""
    if not overwrite and first_name(path, part_size).exists():
        check_bundle(path)  # never a wrong one under the final name
        with pytest.raises(LocalError, match="exists already"):
            write(path, part_size=part_size)
        assert not [each for each in names(path) if ".partial" in each], names(path)
        check_bundle(path)
        return
    assert overwrite or "published" not in promises, "the bundle is lost"
    named = first_name(path, part_size).exists()
    uuids = {each.split()[1] for each in promises if each.startswith("note ")}
    kept: list[str] = []
    taken = write(path, kept.append, part_size=part_size, overwrite=overwrite)
    if not (overwrite and named):  # else a bundle is there, and another one is asked for
        assert all(taken[label] == 0 for label in RAW if f"disk {label}" in promises), taken
        assert not uuids or kept[0] == f"note {uuids.pop()}"
    check_bundle(path)
    assert not [each for each in names(path) if ".partial" in each], names(path)
    if part_size:
        assert path.with_name(list_name(path.name)).exists()


def names(path: Path) -> list[str]:
    """The files beside the bundle, and itself."""
    return sorted(each.name for each in path.parent.iterdir())
