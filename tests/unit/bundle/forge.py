"""A second, naive writer, straight from SPEC.md, that can also do wrong on purpose.

It shares no code with bundle_spec but the model-free constants below, so a bundle of it that
the reader accepts is also evidence that SPEC.md tells what the code does.
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

CHUNK = 65536


def ustar(name: str, size: int, link: str = "", mode: bytes = b"0000644\0") -> bytes:
    """A canonical header [F-2]."""
    fields = [
        name.encode().ljust(100, b"\0"),
        mode,
        b"0000000\0",
        b"0000000\0",
        f"{size:011o}\0".encode(),
        b"00000000000\0",
        b"        ",
        b"1" if link else b"0",
        link.encode().ljust(100, b"\0"),
        b"ustar\0",
        b"00",
        bytes(247),
    ]
    fields[6] = f"{sum(b''.join(fields)):06o}\0 ".encode()
    return b"".join(fields)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def frame(raw: bytes, *, level: int = 1, checksum: bool = True, size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(
        level=level, write_checksum=checksum, write_content_size=size, write_dict_id=False
    ).compress(raw)


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
class Forge:
    """One disk of four chunks, the third a link to the first, and one file: whole as it stands.

    A test changes one thing: a frame, the members (``members``), the manifest (``manifest``),
    INDEX (``index``), the END block (``end``), or the bytes at last (``file``).
    """

    raw: bytes = b"A" * CHUNK + b"B" * CHUNK + b"A" * CHUNK + b"tail"
    frames: list[bytes | int] = field(default_factory=list)
    members: Callable[[list[Member]], None] = lambda members: None
    manifest: Callable[[dict[str, Any]], None] = lambda value: None
    manifest_bytes: Callable[[bytes], bytes] = lambda data: data
    lines: Callable[[list[str]], None] = lambda lines: None
    index: Callable[[list[tuple[int, int]]], None] = lambda entries: None
    end: Callable[[dict[str, Any]], None] = lambda value: None
    magic: bytes = b"dpbundle 1\n"
    signature: bytes | None = None

    def __post_init__(self) -> None:
        parts = [self.raw[start : start + CHUNK] for start in range(0, len(self.raw), CHUNK)]
        self.frames = [frame(part) for part in parts]
        if parts[2:3] == parts[:1]:
            self.frames[2] = 0

    @staticmethod
    def chunk(number: int) -> str:
        return f"disks/0001/{number >> 12:05x}/{number & 4095:03x}.zst"

    def stored(self, number: int) -> bytes:
        found = self.frames[number]
        return self.stored(found) if isinstance(found, int) else found

    def build(self) -> bytes:
        lines = [f"{sha256(self.stored(n))}  {self.chunk(n)}\n" for n in range(len(self.frames))]
        self.lines(lines)
        chunk_list = "".join(lines).encode()
        site = b"---\n"
        members = [
            *(
                Member(self.chunk(n), link=self.chunk(each))
                if isinstance(each, int)
                else Member(self.chunk(n), each)
                for n, each in enumerate(self.frames)
            ),
            Member("disks/0001.sha256", chunk_list),
            Member("playbook/site.yml", site),
        ]
        self.members(members)
        out = bytearray(Member("dpbundle", self.magic).blob())
        places: dict[str, tuple[int, int]] = {}
        for member in members:
            place = (len(out) + 512, len(member.data))
            places.setdefault(member.name, places.get(member.link, place) if member.link else place)
            out += member.blob()
        names = [self.chunk(n) for n in range(len(self.frames))]
        names += ["disks/0001.sha256", "playbook/site.yml"]
        entries = [places.get(name, (0, 0)) for name in names]
        self.index(entries)
        index = b"".join(struct.pack("<QI", *entry) for entry in entries)
        value = {
            "format": "dpbundle",
            "version": [1, 0],
            "requires": [],
            "uuid": "6d3f1c1e-0000-4000-8000-000000000001",
            "created": "2026-01-02T03:04:05Z",
            "tool": "forge",
            "source": {
                "auth_url": "http://source:5000/v3",
                "region": None,
                "project_id": "p1",
                "project_name": "demo",
            },
            "disks": [
                {
                    "id": "0001",
                    "disk_format": "raw",
                    "size": len(self.raw),
                    "sha256": sha256(self.raw),
                    "chunk_size": CHUNK,
                    "chunks": len(self.frames),
                    "list_sha256": sha256(chunk_list),
                    "stored": sum(len(f) for f in self.frames if isinstance(f, bytes)),
                    "shared": sum(len(self.stored(f)) for f in self.frames if isinstance(f, int)),
                }
            ],
            "files": [{"path": "playbook/site.yml", "size": len(site), "sha256": sha256(site)}],
            "index_sha256": sha256(index),
        }
        self.manifest(value)
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
        data = self.manifest_bytes(text.encode())
        tail = {"index": [len(out) + 512, len(index)]}
        out += Member("INDEX", index).blob()
        tail["manifest"] = [len(out) + 512, len(data)]
        out += Member("manifest.json", data).blob()
        if self.signature is not None:
            tail["signature"] = [len(out) + 512, len(self.signature)]
            out += Member("manifest.json.sig", self.signature).blob()
        end: dict[str, Any] = {
            "format": "dpbundle",
            "signature": None,
            **tail,
            "manifest_sha256": sha256(data),
            "version": 1,
        }
        self.end(end)
        block = json.dumps(end, sort_keys=True, separators=(",", ":")).encode()
        out += Member("END", block.ljust(511) + b"\n").blob()
        return bytes(out + bytes(1024))

    def write(self, path: Path) -> Path:
        path.write_bytes(self.build())
        return path
