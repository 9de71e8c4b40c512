"""The readers of bytes that somebody else wrote.  A DownpourError is an answer, nothing else is."""

from __future__ import annotations

import atexit
import contextlib
import io
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from bundle_spec import verify_bundle
from bundle_spec.errors import DownpourError
from bundle_spec.form import codec
from bundle_spec.form.frame import Decompressor, FrameError, content_size, frame_fault
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.manifest_text import format_manifest, parse_manifest
from bundle_spec.read.parts import part_name, read_list
from bundle_spec.read.source import Source
from bundle_spec.show.summary import summarise
from bundle_spec.show.summary_text import render
from bundle_spec.trust import age
from downpour_export import resource_file
from downpour_import.playbook.data import decode_data, parse_data
from downpour_import.playbook.settings import load_settings
from downpour_import.preflight import mapping

Target = Callable[[bytes], object]

LARGEST = 1 << 16
"""Bytes that the fuzzer makes at most; also the largest frame that is opened."""
LONGEST = 1 << 19
"""Characters of what a thousand faults are told in."""


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="downpour-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _file(data: bytes, name: str) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


@cache
def _identity() -> Any:
    import pyrage

    return pyrage.x25519.Identity.generate()


def bundle(data: bytes) -> None:
    path = _file(data, "out.dpbundle")
    with contextlib.suppress(DownpourError):
        render(summarise(path))
    verify_bundle(path, read_data=True)


def manifest(data: bytes) -> None:
    parsed = parse_manifest(data, "manifest.json")
    assert format_manifest(parsed), "what is read can be written"
    list(graph_faults(parsed))


def frame(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        size = content_size(data)
        if size <= LARGEST and frame_fault(data, size) is None:
            assert len(Decompressor()(data, size)) == size


def part_list(data: bytes) -> None:
    path = _file(data, "list.dpbundle.parts").with_suffix("")
    names = list(read_list(path))
    assert names == [part_name(path.name, number) for number in range(1, len(names) + 1)]


def age_file(data: bytes) -> None:
    with Source(_file(age.MAGIC + data, "out.dpbundle.age")) as source:
        age.decrypt(source, io.FileIO(_folder() / "clear", "wb"), [_identity()])


def records(data: bytes) -> None:
    decode_data(parse_data(data, "resources.yml"), "resources.yml")


def settings(data: bytes) -> None:
    load_settings(_file(data, "settings.yml"))


def mappings(data: bytes) -> None:
    mapping.load(_file(data, "mapping.yml"))


def resources(data: bytes) -> None:
    resource_file.load(_file(data, "export.yml"))


def json_text(data: bytes) -> None:
    value = codec.loads(data, "json")
    with contextlib.suppress(UnicodeEncodeError):  # half of a surrogate pair
        assert codec.loads(codec.dumps(value), "json") == value


TARGETS: dict[str, Target] = {
    "bundle": bundle,
    "manifest": manifest,
    "frame": frame,
    "part-list": part_list,
    "age": age_file,
    "records": records,
    "settings": settings,
    "mapping": mappings,
    "resource-file": resources,
    "json": json_text,
}


def run(name: str, data: bytes) -> None:
    """Have a reader read ``data``.  Raises what is no answer."""
    told = ""
    try:
        TARGETS[name](data)
    except DownpourError as exc:
        told = str(exc)
    assert len(told) <= LONGEST
