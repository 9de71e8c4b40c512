"""The layout of a bundle: names of members, limits, canonical headers, the END block.

Pure: bytes in, bytes out.  Rule numbers are those of SPEC.md.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from bundle_spec.codes import Code, Place
from bundle_spec.errors import BundleError
from bundle_spec.form import codec

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

MAJOR: Final = 1
MINOR: Final = 0

MAGIC_NAME: Final = "dpbundle"
MAGIC: Final = b"dpbundle 1\n"
INDEX_NAME: Final = "INDEX"
MANIFEST_NAME: Final = "manifest.json"
SIGNATURE_NAME: Final = "manifest.json.sig"
END_NAME: Final = "END"
FILES_FOLDER: Final = "playbook/"
DIFFERENCES: Final = "differences"
"""The word in ``requires`` of a bundle that has chunks stored as differences [F-21]."""

BLOCK: Final = 512
END_SIZE: Final = BLOCK
TRAILER: Final = bytes(2 * BLOCK)
"""What follows the last member of every tar, and nothing follows it [F-1]."""

# Limits [F-17].  They bound what a reader allocates before it has checked a digest.
MIN_CHUNK_SIZE: Final = 64 * KIB
MAX_CHUNK_SIZE: Final = 16 * MIB
MAX_CHUNKS: Final = 2**20
MAX_TOTAL_CHUNKS: Final = 2**26
MAX_DISKS: Final = 9999
MAX_LINKS: Final = 1000
MAX_NAME: Final = 100
MAX_FILES: Final = 10_000
MAX_FILE_SIZE: Final = 16 * MIB
MAX_MANIFEST_SIZE: Final = 24 * MIB
MAX_MANIFEST_LINES: Final = 2**19
MAX_SIGNATURE_SIZE: Final = 64 * KIB

INDEX_ENTRY: Final = 12
"""Bytes of an INDEX entry: u64 offset of the data, u32 length, little-endian [F-11]."""


# --- chunks of a disk -------------------------------------------------------------------


def chunk_size_for(disk_format: str, size_hint: int | None) -> int:
    """The chunk size in bytes that a writer uses for a disk of about ``size_hint`` bytes [F-20].

    For qcow2 it is the cluster size of 64 KiB: larger chunks do not find repeated clusters.  For
    other formats see the measurements in docs/adr/0028.  An unknown size is taken as 1 TiB.
    """
    expected = 1024 * GIB if size_hint is None else size_hint
    size = 64 * KIB if disk_format == "qcow2" else MIB
    while size < MAX_CHUNK_SIZE and size * MAX_CHUNKS < expected:
        size *= 2
    return size


def chunk_count(size: int, chunk_size: int) -> int:
    """How many chunks a disk of ``size`` bytes has."""
    return -(-size // chunk_size)


def chunk_length(size: int, chunk_size: int, number: int) -> int:
    """The raw bytes of one chunk: only the last may be short."""
    return min(chunk_size, size - number * chunk_size)


def frame_bound(length: int) -> int:
    """The most bytes that the frame of ``length`` raw bytes may take [F-7]."""
    return length + length // 128 + BLOCK


def disk_id(ordinal: int) -> str:
    """``0001`` for the first capture attempt of a bundle."""
    return f"{ordinal:04d}"


def chunk_name(disk: str, number: int) -> str:
    """``disks/0001/00000/00f.zst``: 4,096 chunks to a directory [F-6]."""
    return f"disks/{disk}/{number >> 12:05x}/{number & 0xFFF:03x}.zst"


def list_name(disk: str) -> str:
    """The member with the digests of a disk's chunks [F-9]."""
    return f"disks/{disk}.sha256"


def list_line(digest: str, disk: str, number: int) -> bytes:
    """One line of a chunk list, as sha256sum writes and checks it."""
    return f"{digest}  {chunk_name(disk, number)}\n".encode()


LIST_LINE: Final = len(list_line("0" * 64, "0001", 0))
"""Bytes of every line of a chunk list: line n is found by multiplication."""

_CHUNK = re.compile(r"disks/([0-9]{4})/([0-9a-f]{5})/([0-9a-f]{3})\.zst")
_LINE = re.compile(rb"([0-9a-f]{64})  (disks/[0-9]{4}/[0-9a-f]{5}/[0-9a-f]{3}\.zst)\n")
_LIST = re.compile(r"disks/([0-9]{4})\.sha256")
_PATH_SEGMENT = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*")


def parse_chunk_name(name: str) -> tuple[str, int] | None:
    """The disk and the number of a chunk's name; None for any other name."""
    match = _CHUNK.fullmatch(name)
    return (match[1], int(match[2] + match[3], 16)) if match else None


def parse_list_line(line: bytes) -> tuple[str, str, int] | None:
    """Digest, disk and number of a chunk, of its line in a chunk list; None for anything else."""
    match = _LINE.fullmatch(line)
    chunk = parse_chunk_name(match[2].decode()) if match else None
    return (match[1].decode(), *chunk) if match and chunk else None


def parse_list_name(name: str) -> str | None:
    """The disk of a chunk list's name; None for any other name."""
    match = _LIST.fullmatch(name)
    return match[1] if match else None


def file_path_fault(path: str) -> str | None:
    """Why ``path`` cannot be the name of a file of a bundle [M-12]; None when it can."""
    if not path.startswith(FILES_FOLDER):
        return f"a file lies outside {FILES_FOLDER}"
    if len(path) > MAX_NAME:
        return f"a name is longer than {MAX_NAME} bytes"
    for segment in path.split("/"):
        if segment in (".", "..") or not _PATH_SEGMENT.fullmatch(segment):
            return f"{segment!r} cannot be a part of a name"
    return None


# --- canonical headers ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Header:
    """What a canonical header says.  ``link`` is the target's name, for a hard link."""

    name: str
    size: int
    link: str = ""


_OWNER = b"0000644\0" + b"0000000\0" * 2
_MTIME = b"0" * 11 + b"\0"
_MAGIC = b"ustar\x0000"
_REST = bytes(BLOCK - 265)
_FIXED_SUM = sum(_OWNER) + sum(_MTIME) + sum(_MAGIC) + 8 * ord(" ")


def header(name: str, size: int, link: str = "") -> bytes:
    """The 512 bytes of the only ustar header that a member of this name and size may have [F-2].

    Raises ValueError for a name or size that ustar cannot hold.
    """
    name_field, link_field = name.encode("ascii"), link.encode("ascii")
    if not 0 < len(name_field) <= MAX_NAME or len(link_field) > MAX_NAME or size >> 33:
        raise ValueError(f"{name!r} of {size} bytes has no ustar header")
    if b"\0" in name_field + link_field:  # tar ends a name at a NUL: the rest would be hidden
        raise ValueError(f"{name!r} cannot be a name")
    size_field = b"%011o\0" % size
    kind = b"1" if link else b"0"
    checksum = _FIXED_SUM + sum(name_field) + sum(link_field) + sum(size_field) + kind[0]
    return b"".join(
        (
            name_field.ljust(100, b"\0"),
            _OWNER,
            size_field,
            _MTIME,
            b"%06o\0 " % checksum,
            kind,
            link_field.ljust(100, b"\0"),
            _MAGIC,
            _REST,
        )
    )


def parse_header(block: bytes) -> Header | None:
    """The header in ``block``, or None when it is not canonical in every byte [F-2]."""
    try:
        parsed = Header(
            block[:100].rstrip(b"\0").decode("ascii"),
            int(block[124:135], 8),
            block[157:257].rstrip(b"\0").decode("ascii"),
        )
        return parsed if block == header(parsed.name, parsed.size, parsed.link) else None
    except ValueError:
        return None


def padded(size: int) -> int:
    """``size`` rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def padding(size: int) -> bytes:
    """The zero bytes that fill the last block of ``size`` bytes."""
    return bytes(-size % BLOCK)


# --- END --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """The data of a member: its offset in the file and its length, in bytes."""

    offset: int
    size: int

    @property
    def next_header(self) -> int:
        """Where the header of the member after this one begins."""
        return self.offset + padded(self.size)


def member_place(name: str, span: Span) -> Place:
    """The place of a member for its faults: its name, and the offset of its header."""
    return Place(name, span.offset - BLOCK)


@dataclass(frozen=True, slots=True)
class End:
    """The END block [F-14]: what a reader needs to find everything else."""

    index: Span
    manifest: Span
    signature: Span | None
    manifest_sha256: str


def encode_end(end: End) -> bytes:
    """The 512 bytes of the END member."""
    value = {
        "format": "dpbundle",
        "index": [end.index.offset, end.index.size],
        "manifest": [end.manifest.offset, end.manifest.size],
        "manifest_sha256": end.manifest_sha256,
        "signature": [end.signature.offset, end.signature.size] if end.signature else None,
        "version": MAJOR,
    }
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return text.encode("ascii").ljust(END_SIZE - 1) + b"\n"


def decode_end(data: bytes, where: str) -> End:
    """The END block in ``data``.  Raises BundleError unless it is canonical in every byte."""
    try:
        value = codec.loads(data, where)
    except BundleError as exc:
        raise BundleError(exc.message, where=where, code=Code.END) from exc
    try:
        end = End(
            _span(value["index"]),
            _span(value["manifest"]),
            None if value["signature"] is None else _span(value["signature"]),
            sha256_text(value["manifest_sha256"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise BundleError(
            "the END block does not say what it must", where=where, code=Code.END
        ) from exc
    if encode_end(end) != data:
        raise BundleError("the END block is not canonical", where=where, code=Code.END)
    return end


def _span(value: object) -> Span:
    match value:
        # true and false are integers in Python, and JSON writes them as they were read.
        case [int(offset), int(size)] if bool not in (type(offset), type(size)):
            if 0 <= offset < 2**63 and 0 <= size < 2**33:
                return Span(offset, size)
    raise ValueError(value)


_SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256_text(value: object) -> str:
    """``value`` when it is a digest as the format writes it [M-11].  Raises ValueError."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError(value)
    return value
