"""For any disks, in any pieces, in any order: what goes in comes out."""

from __future__ import annotations

import contextlib
import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.errors import BundleError
from bundle_spec.form import codec
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.layout import Header, header, parse_header
from bundle_spec.form.manifest_text import format_manifest, parse_manifest
from tests.property.strategies import JSON, examples
from tests.unit.bundle.samples import CHUNK, content
from tests.vectors.forge import Forge

# A disk as runs of chunks of few contents, and a last short one: repeats are what matters.
DISK = st.tuples(
    st.lists(st.tuples(st.sampled_from(b"\0AB"), st.integers(1, 5)), max_size=5),
    st.binary(max_size=50),
)


def raw_bytes(disk: tuple[list[tuple[int, int]], bytes]) -> bytes:
    runs, tail = disk
    return b"".join(bytes([letter]) * (CHUNK * count) for letter, count in runs) + tail


FORMATS = st.sampled_from(["qcow2", "raw"])


@examples(20)
@given(
    disks=st.lists(st.tuples(FORMATS, DISK.map(raw_bytes), st.booleans()), max_size=4),
    pieces=st.lists(st.integers(1, 3 * CHUNK), max_size=5).map(lambda each: [*each, CHUNK]),
    data=st.data(),
)
def test_disks_written_in_turns_come_out_whole(
    disks: list[tuple[str, bytes, bool]], pieces: list[int], data: st.DataObject
) -> None:
    """Disks of both chunk sizes; those with ``False`` break off, and others may link to them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.dpbundle"
        with BundleWriter(path, threads=2) as writer:
            open_disks = [
                (writer.disk(disk_format, size_hint=1), memoryview(raw), ends)
                for disk_format, raw, ends in disks
            ]
            turn = 0
            while any(rest for _, rest, _ in open_disks):
                for number, (disk, rest, ends) in enumerate(open_disks):
                    size = pieces[turn % len(pieces)]
                    disk.write(rest[:size])
                    open_disks[number] = (disk, rest[size:], ends)
                    turn += 1
            for disk, _, ends in data.draw(st.permutations(open_disks)):
                if ends:
                    disk.finish()
                else:
                    disk.abandon()
            writer.finish(content())
        verified = verify_bundle(path, read_data=True)
        left = {disk.id: disk for disk in verified.manifest.abandoned}
        with verified.open() as bundle:
            for number, (_, raw, ends) in enumerate(disks, 1):
                disk_id = f"{number:04d}"
                if not ends:
                    assert left.pop(disk_id).size <= len(raw)
                    continue
                reader = bundle.disk(disk_id)
                assert b"".join(reader.stream(100_000)) == raw
                offset = data.draw(st.integers(0, len(raw)))
                length = data.draw(st.integers(0, len(raw)))
                assert reader.read(offset, length) == raw[offset : offset + length]
        assert not left


NAME = st.text("abcdefghijklmnopqrstuvwxyz0123456789/.", min_size=1, max_size=100)


@given(name=NAME, size=st.integers(0, 2**33 - 1), link=st.just("") | NAME)
def test_headers_are_read_as_they_were_written(name: str, size: int, link: str) -> None:
    assert parse_header(header(name, size, link)) == Header(name, size, link)


@given(block=st.binary(min_size=512, max_size=512))
def test_any_block_is_a_canonical_header_or_none(block: bytes) -> None:
    found = parse_header(block)
    assert found is None or header(found.name, found.size, found.link) == block


@given(position=st.integers(0, 511), byte=st.integers(1, 255))
def test_no_bit_of_a_header_is_free(position: int, byte: int) -> None:
    block = bytearray(header("disks/0001/00000/00f.zst", 77))
    block[position] ^= byte
    found = parse_header(bytes(block))
    assert found is None


@given(value=JSON)
def test_canonical_json_is_read_back(value: Any) -> None:
    data = codec.dumps(value)
    assert codec.loads(data, "x") == value
    assert codec.dumps(codec.loads(data, "x")) == data


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within ``value``."""
    found = [path] if path else []
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(child, (*path, key))
    return found


BUNDLE = Forge().build()
OFFSET, SIZE = json.loads(BUNDLE[-1536:-1024])["manifest"]
MANIFEST = codec.encode(parse_manifest(BUNDLE[OFFSET : OFFSET + SIZE], "x"))
ODD = JSON | st.sampled_from([-1, 2**63, 10**30, 0.5, True, "", "0001", [[]], {"": {}}])


@examples(500)
@given(place=st.sampled_from(places(MANIFEST)), odd=ODD)
def test_any_value_anywhere_in_a_manifest_is_taken_or_refused(
    place: tuple[Any, ...], odd: Any
) -> None:
    value = copy.deepcopy(MANIFEST)
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    try:
        manifest = parse_manifest(codec.dumps(value), "x")
    except BundleError:
        return
    list(graph_faults(manifest))
    assert parse_manifest(format_manifest(manifest), "x") == manifest


@given(data=st.binary(max_size=200))
def test_parsing_never_fails_in_its_own_way(data: bytes) -> None:
    with contextlib.suppress(BundleError):
        codec.loads(data, "x")
