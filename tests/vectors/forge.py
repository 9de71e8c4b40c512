"""A second, naive writer, straight from SPEC.md, that can also do wrong on purpose.

It shares no code with bundle_spec, so a bundle of it that the reader accepts is also evidence
that SPEC.md tells what the code does.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from tests.vectors import zstd_frames

CHUNK = 65536
UUID = "6d3f1c1e-0000-4000-8000-000000000001"

SECTIONS = """keypairs address_groups security_groups networks subnets routers ports trunks images
volumes volume_snapshots server_groups servers floating_ips""".split()
REFERENCES = """flavors networks subnets images volume_types availability_zones keypairs
qos_policies""".split()

Json = dict[str, Any]


def ustar(
    name: str,
    size: int,
    link: str = "",
    *,
    mode: bytes = b"0000644\0",
    uid: bytes = b"0000000\0",
    size_field: bytes | None = None,
    mtime: bytes = b"00000000000\0",
    kind: bytes | None = None,
    rest: bytes = bytes(247),
) -> bytes:
    """A header; a canonical one [F-2] where nothing but the first three is given."""
    fields = [
        name.encode().ljust(100, b"\0"),
        mode,
        uid,
        b"0000000\0",
        size_field or f"{size:011o}\0".encode(),
        mtime,
        b"        ",
        kind or (b"1" if link else b"0"),
        link.encode().ljust(100, b"\0"),
        b"ustar\0",
        b"00",
        rest,
    ]
    fields[6] = f"{sum(b''.join(fields)):06o}\0 ".encode()
    return b"".join(fields)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def frame(raw: bytes, *, level: int = 1, checksum: bool = True, size: bool = True) -> bytes:
    """A frame as this release of libzstd makes it: not for vectors."""
    return zstandard.ZstdCompressor(
        level=level, write_checksum=checksum, write_content_size=size, write_dict_id=False
    ).compress(raw)


def canonical(value: Json) -> bytes:
    """Canonical JSON [M-2]."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


@dataclass
class Member:
    """``data``, or a hard link to the member ``link``."""

    name: str
    data: bytes = b""
    link: str = ""
    header: bytes | None = None

    def blob(self) -> bytes:
        head = self.header or ustar(self.name, len(self.data), self.link)
        return head + self.data + bytes(-len(self.data) % 512)


@dataclass
class ForgedDisk:
    """A disk of the bytes ``raw``.

    ``frames``: for each chunk its frame, the name of the chunk that it is a link to, or the
    number of that chunk if it is one of the same disk.
    """

    id: str = "0001"
    raw: bytes = b""
    frames: list[bytes | str | int] = field(default_factory=list)
    chunk_size: int = CHUNK
    abandoned: bool = False
    more: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        starts = range(0, len(self.raw), self.chunk_size)
        self.frames = self.frames or [
            zstd_frames.frame(self.raw[start : start + self.chunk_size]) for start in starts
        ]

    def chunk(self, number: int) -> str:
        return f"disks/{self.id}/{number >> 12:05x}/{number & 4095:03x}.zst"

    @property
    def list(self) -> str:
        return f"disks/{self.id}.sha256"

    def member(self, number: int) -> Member:
        found = self.frames[number]
        if isinstance(found, bytes):
            return Member(self.chunk(number), found)
        return Member(
            self.chunk(number), link=found if isinstance(found, str) else self.chunk(found)
        )


def sample_disk() -> ForgedDisk:
    """Four chunks, the third a link to the first, the last one short."""
    disk = ForgedDisk(raw=b"A" * CHUNK + b"B" * CHUNK + b"A" * CHUNK + b"tail")
    disk.frames[2] = 0
    return disk


@dataclass
class Forge:
    """One disk of four chunks, and one file: whole as it stands.

    A test changes one thing: a frame, the members (``members``), a chunk list (``lines``), the
    manifest (``manifest``), INDEX (``index``), the tail (``tail``), or the END block (``end``,
    and ``end_bytes`` for its 512 bytes).  INDEX and the chunk lists follow the frames that the
    disks have, whatever ``members`` makes of them.  ``full``: the manifest has all keys.
    """

    disks: list[ForgedDisk] = field(default_factory=lambda: [sample_disk()])
    files: dict[str, bytes] = field(default_factory=lambda: {"playbook/site.yml": b"---\n"})
    members: Callable[[list[Member]], object] = lambda members: None
    manifest: Callable[[Json], object] = lambda value: None
    manifest_bytes: Callable[[bytes], bytes] = lambda data: data
    lines: Callable[[list[str]], object] = lambda lines: None
    index: Callable[[list[tuple[int, int]]], object] = lambda entries: None
    tail: Callable[[list[Member]], object] = lambda members: None
    end: Callable[[Json], object] = lambda value: None
    end_bytes: Callable[[bytes], bytes] = lambda data: data
    magic: bytes = b"dpbundle 1\n"
    signature: bytes | None = None
    full: bool = False

    @staticmethod
    def chunk(number: int) -> str:
        """The name of a chunk of the first disk."""
        return ForgedDisk("0001").chunk(number)

    @property
    def frames(self) -> list[bytes | str | int]:
        """Those of the first disk."""
        return self.disks[0].frames

    @property
    def raw(self) -> bytes:
        """The bytes of the first disk."""
        return self.disks[0].raw

    def build(self) -> bytes:
        own = {
            disk.chunk(number): disk.member(number)
            for disk in self.disks
            for number in range(len(disk.frames))
        }
        lists = {disk.list: self._list(disk, own) for disk in self.disks}
        members = [*self._body(own, lists)]
        self.members(members)
        out = bytearray(Member("dpbundle", self.magic).blob())
        places: dict[str, tuple[int, int]] = {}
        for member in members:
            if not member.link:
                places.setdefault(member.name, (len(out) + 512, len(member.data)))
            out += member.blob()
        sealed = [disk for disk in self.disks if not disk.abandoned]
        sealed += [disk for disk in self.disks if disk.abandoned]
        names = [
            name
            for disk in sealed
            for name in [*(disk.chunk(n) for n in range(len(disk.frames))), disk.list]
        ]
        entries = [places.get(_target(name, own), (0, 0)) for name in [*names, *sorted(self.files)]]
        self.index(entries)
        index = b"".join(struct.pack("<QI", *entry) for entry in entries)
        value = self._manifest(own, lists, sha256(index))
        self.manifest(value)
        data = self.manifest_bytes(canonical(value))
        self._append_tail(out, index, data)
        return bytes(out + bytes(1024))

    def _list(self, disk: ForgedDisk, own: dict[str, Member]) -> bytes:
        lines = [
            f"{sha256(own[_target(name, own)].data)}  {name}\n"
            for name in map(disk.chunk, range(len(disk.frames)))
        ]
        if disk is self.disks[0]:
            self.lines(lines)
        return "".join(lines).encode()

    def _body(self, own: dict[str, Member], lists: dict[str, bytes]) -> list[Member]:
        members = []
        for disk in self.disks:
            members += [own[disk.chunk(number)] for number in range(len(disk.frames))]
            members.append(Member(disk.list, lists[disk.list]))
        return [*members, *(Member(path, data) for path, data in sorted(self.files.items()))]

    def _manifest(self, own: dict[str, Member], lists: dict[str, bytes], index: str) -> Json:
        records: dict[bool, list[Json]] = {False: [], True: []}
        for disk in self.disks:
            chunks = [own[disk.chunk(number)] for number in range(len(disk.frames))]
            record = {
                "id": disk.id,
                "size": len(disk.raw),
                "chunk_size": disk.chunk_size,
                "chunks": len(chunks),
                "list_sha256": sha256(lists[disk.list]),
                "stored": sum(len(each.data) for each in chunks),
                "shared": sum(len(own[_target(m.name, own)].data) for m in chunks if m.link),
            }
            if not disk.abandoned:
                record |= {"disk_format": "raw", "sha256": sha256(disk.raw)}
                record |= {"virtual_size": None, "capture": None} if self.full else {}
            records[disk.abandoned].append(record | disk.more)
        value: Json = {
            "format": "dpbundle",
            "version": [1, 0],
            "requires": [],
            "uuid": UUID,
            "created": "2026-01-02T03:04:05Z",
            "tool": "forge",
            "source": {
                "auth_url": "http://source:5000/v3",
                "region": None,
                "project_id": "p1",
                "project_name": "demo",
            },
            "disks": records[False],
            "files": [
                {"path": path, "size": len(data), "sha256": sha256(data)}
                for path, data in sorted(self.files.items())
            ],
            "index_sha256": index,
        }
        if self.full or records[True]:
            value["abandoned"] = records[True]
        if self.full:
            value |= {
                "resources": {section: [] for section in SECTIONS},
                "references": {section: [] for section in REFERENCES},
                "omissions": [],
            }
        return value

    def _append_tail(self, out: bytearray, index: bytes, manifest: bytes) -> None:
        tail = [Member("INDEX", index), Member("manifest.json", manifest)]
        if self.signature is not None:
            tail.append(Member("manifest.json.sig", self.signature))
        sealed = Member("END", bytes(512))
        tail.append(sealed)
        self.tail(tail)
        places, position = {}, len(out)
        for member in tail:
            places[member.name] = [position + 512, len(member.data)]
            position += len(member.blob())
        end: Json = {
            "format": "dpbundle",
            "index": places["INDEX"],
            "manifest": places["manifest.json"],
            "manifest_sha256": sha256(manifest),
            "signature": places.get("manifest.json.sig"),
            "version": 1,
        }
        self.end(end)
        block = json.dumps(end, separators=(",", ":")).encode()
        sealed.data = self.end_bytes(block.ljust(511) + b"\n")
        out += b"".join(member.blob() for member in tail)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.build())
        return path


def _target(name: str, own: dict[str, Member]) -> str:
    """The chunk with data that a chunk leads to; of any other member its own name."""
    while (member := own.get(name)) and member.link in own:
        name = member.link
    return name
