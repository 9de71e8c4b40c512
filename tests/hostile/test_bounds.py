"""What a bundle may cost before it is refused, or known to be whole: the table of SECURITY.md."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundle_spec.check.disk_check import LinkCounts
from bundle_spec.form.layout import (
    MAX_DISKS,
    MAX_FILES,
    MAX_LINKS,
    MAX_MANIFEST_LINES,
    MAX_MANIFEST_SIZE,
    MAX_NAME,
)
from bundle_spec.form.yaml_reader import BY_HAND
from downpour_import.playbook.data import LIMIT as RECORDS_LIMIT
from downpour_import.playbook.settings import LIMIT as SETTINGS_LIMIT
from tests.hostile.cost import cost
from tests.hostile.reading import READERS
from tests.vectors.forge import Forge, ForgedDisk, canonical

MOST_MEMORY = 300
"""MiB."""


def _fill(key: str, value: Callable[[int], Any], lines_each: int) -> Callable[[Any], None]:
    """What puts under ``key`` as many values as a manifest has lines for."""

    def fill(manifest: dict[str, Any]) -> None:
        manifest[key] = []
        room = MAX_MANIFEST_LINES - canonical(manifest).count(b"\n") - 3
        manifest[key] = value(room // lines_each)

    return fill


def _keypairs(count: int) -> dict[str, Any]:
    names = (f"{number}" for number in range(count))
    return {"keypairs": [{"id": name, "name": name, "public_key": ""} for name in names]}


def _texts(letter: str) -> Callable[[Any], None]:
    def fill(manifest: dict[str, Any]) -> None:
        manifest["tool"] = letter
        manifest["tool"] += "x" * (MAX_MANIFEST_SIZE - len(canonical(manifest)))

    return fill


def _nested(manifest: dict[str, Any]) -> None:
    value: Any = 0
    for _ in range(30):
        value = [value]
    manifest["later"] = value


MANIFESTS: dict[str, Callable[[Any], None]] = {
    "as many empty lists": _fill("later", lambda count: [[] for _ in range(count)], 1),
    "as many objects": _fill("later", lambda count: [{"a": 0} for _ in range(count)], 3),
    "as many keys": _fill("later", lambda count: {f"{n:x}": 0 for n in range(count)}, 1),
    "as many resources": _fill("resources", _keypairs, 5),
    "the longest text": _texts("x"),
    "the longest text with one rare letter": _texts("\U0001f600"),
    "the deepest nesting": _nested,
}


def _manifest(fill: Callable[[Any], None]) -> Callable[[], Forge]:
    return lambda: Forge(disks=[], files={}, manifest=fill)


def _most_disks() -> Forge:
    return Forge(disks=[ForgedDisk(f"{n:04d}", b"x") for n in range(1, MAX_DISKS + 1)])


def _most_files() -> Forge:
    return Forge(disks=[], files={f"playbook/{n:05d}": b"" for n in range(MAX_FILES)})


def _longest_name() -> Forge:
    return Forge(files={"playbook/".ljust(MAX_NAME, "x"): b""})


def _most_links() -> Forge:
    disk = ForgedDisk(raw=bytes(65536) * (MAX_LINKS + 1))
    disk.frames[1:] = [0] * MAX_LINKS
    return Forge(disks=[disk])


EDGES: dict[str, Callable[[], Forge]] = {
    **{name: _manifest(fill) for name, fill in MANIFESTS.items()},
    "as many disks": _most_disks,
    "as many files": _most_files,
    "the longest name": _longest_name,
    "as many links": _most_links,
}


@pytest.mark.parametrize("command", ["verify", "show"])
@pytest.mark.parametrize("name", EDGES)
def test_a_bundle_at_a_limit_is_whole_within_bounded_memory(
    name: str, command: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "edge.dpbundle"
    bundle.write_bytes(EDGES[name]().build())
    took = cost("bundle_spec", [command, bundle])
    assert took.exit_code == 0, took.stderr[-2000:]
    assert took.memory <= MOST_MEMORY
    assert len(took.stdout) <= 8 * MAX_MANIFEST_SIZE


def _one_line(values: str) -> Callable[[bytes], bytes]:
    """What makes of a manifest a small one with ``values`` again and again, on one line."""
    return lambda data: b'{"a":[%s]}\n' % (values.encode() * (MAX_MANIFEST_SIZE // len(values)))


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "one line of empty lists": _one_line("[],"),
    "one line of objects": _one_line('{"a":0},'),
    "one line of open lists": _one_line("["),
    "one line of texts": _one_line('"",'),
    "one text without an end": lambda data: b'{"a":"' + b"\\" * MAX_MANIFEST_SIZE,
    "a number of millions of digits": lambda data: b'{"a":' + b"9" * (MAX_MANIFEST_SIZE - 9) + b"}",
    "a fraction of millions of digits": lambda data: b'{"a":0.%s}' % (b"9" * 2**24),
    "a key that stands twice": lambda data: b'{"%s":0,"%s":0}' % ((b"k" * 2**23,) * 2),
    "more lines": lambda data: b"[\n" * MAX_MANIFEST_LINES,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_manifest_is_refused_within_bounds(name: str, tmp_path: Path) -> None:
    bundle = tmp_path / "hostile.dpbundle"
    bundle.write_bytes(Forge(disks=[], files={}, manifest_bytes=HOSTILE[name]).build())
    took = cost("bundle_spec", ["verify", bundle], seconds=30)
    assert took.exit_code == 4
    assert took.memory <= MOST_MEMORY
    assert len(took.stdout + took.stderr) < 2000


def test_chunks_that_a_small_file_claims_take_no_memory(tmp_path: Path) -> None:
    def claim(manifest: dict[str, Any]) -> None:
        (disk,) = manifest["disks"]
        chunks = 2**20
        manifest["disks"] = [
            {**disk, "id": f"{n:04d}", "chunks": chunks, "size": 65536 * chunks}
            for n in range(1, 64)
        ]

    bundle = tmp_path / "claims.dpbundle"
    forge = Forge(disks=[ForgedDisk(raw=b"x")], files={}, manifest=claim)
    bundle.write_bytes(forge.build())
    took = cost("bundle_spec", ["verify", bundle], seconds=30)
    assert took.exit_code == 4
    assert took.memory <= 100


def test_the_links_of_a_chunk_take_a_byte_or_two() -> None:
    chunks = 2**18
    tracemalloc.start()
    counts = LinkCounts()
    for number in range(0, chunks, 256):
        counts.add_stored(number)
        for _ in range(255):
            counts.add_link(number)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert counts.get(0) == 255
    assert taken <= 2 * chunks


def _as_many_values(kind: str) -> bytes:
    return b"a: [" + b"0," * (LIMITS[kind].values - 10) + b"]\n"


def _as_many_keys(kind: str) -> bytes:
    return b"".join(b"k%x: 0\n" % number for number in range(LIMITS[kind].values // 2 - 10))


def _more_values(kind: str) -> bytes:
    return b"a: [" + b"0," * (LIMITS[kind].values + 10) + b"]\n"


def _as_many_bytes(kind: str) -> bytes:
    return b"a: '" + "ü".encode() * (LIMITS[kind].bytes // 2 - 10) + b"'\n"


LIMITS = {
    "mapping": BY_HAND,
    "resource file": BY_HAND,
    "settings.yml": SETTINGS_LIMIT,
    "resources.yml": RECORDS_LIMIT,
}


MOST_MEMORY_OF_YAML = {
    "mapping": 150,
    "resource file": 150,
    "settings.yml": 200,
    "resources.yml": 500,
}
"""MiB."""


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("content", [_as_many_values, _as_many_keys, _as_many_bytes, _more_values])
def test_a_yaml_file_at_a_limit_is_answered_within_bounds(
    kind: str, content: Callable[[str], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "file.yml"
    path.write_bytes(content(kind))
    took = cost("tests.hostile.reading", [kind, path], seconds=60)
    # Of these only the form of resources.yml is read apart from its records.
    is_read = kind == "resources.yml" and content is not _more_values
    assert (took.exit_code == 0) == is_read
    assert took.memory <= MOST_MEMORY_OF_YAML[kind]
