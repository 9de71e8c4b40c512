"""Does a disk image need another file?  For each format that can, what in it says so.

Every function takes an image of its format and returns what is wrong as a clause for "a qcow2
that …", or None for an image that holds all of its bytes itself.  What is not understood is wrong.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

_CUT = "is cut short"
_KIB = 1 << 10


class Bytes(Protocol):
    """Some bytes that can be read at any place; ``size``: how many."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int, /) -> bytes:
        """The bytes from ``offset``; fewer than ``length`` at the end."""
        ...


# --- qcow2: QEMU's docs/interop/qcow2.rst ---

_DATA_FILE_BIT = 1 << 2
_KNOWN_BITS = 0b11111
"""Incompatible features: dirty, corrupt, external data file, compression type, extended L2."""

_DATA_FILE_NAME = 0x44415441
_EXTENSIONS = 64 * _KIB
"""Header extensions lie in the first cluster; this is more of it than any writer fills."""


def qcow2(disk: Bytes) -> str | None:
    head = disk.read(0, 104)
    if len(head) < 72:
        return _CUT
    version, backing = struct.unpack_from(">IQ", head, 4)
    if version not in (2, 3):
        return f"has the version {version}, which is not known"
    if backing:
        return "names a backing file, a file of the cloud's own hosts"
    if version == 2:
        return None
    if len(head) < 104:
        return _CUT
    (features,) = struct.unpack_from(">Q", head, 72)
    (header_length,) = struct.unpack_from(">I", head, 100)
    if not 104 <= header_length <= _KIB:
        return "has a header of an unknown length"
    if features & ~_KNOWN_BITS:
        return "needs features that are not known"
    if features & _DATA_FILE_BIT or _DATA_FILE_NAME in _extensions(disk, header_length):
        return "names a data file, a file of the cloud's own hosts"
    return None


def _extensions(disk: Bytes, at: int) -> Iterator[int]:
    """The types of the header extensions, which begin ``at`` the end of the header."""
    area = disk.read(0, _EXTENSIONS)
    while at + 8 <= len(area):
        kind, length = struct.unpack_from(">II", area, at)
        if kind == 0:
            return
        yield kind
        at += 8 + -(-length // 8) * 8


# --- VMDK: VMware's Virtual Disk Format 1.1 ---

_SECTOR = 512
_AT_END = (1 << 64) - 1
_DESCRIPTOR_SIZE = 64 * _KIB
"""More than any writer makes of the text; it ends with a zero byte before."""

_CREATE_TYPE = r'createtype *= *"(?:monolithicsparse|streamoptimized)"'
_EXTENT = re.compile(r'(?:rw|rdonly) \d+ sparse "[^"/\\]*"')
_LINES = re.compile(
    r"|#.*|ddb\.(?!nativeparent).*|(?:version|encoding|cid|isnativesnapshot) *=.*"
    rf'|parentcid *= *"?ffffffff"?|{_CREATE_TYPE}|{_EXTENT.pattern}'
)
"""What a line of the text may be; a parent, another file and what is not known are not among it."""


def vmdk(disk: Bytes) -> str | None:
    header = disk.read(0, _SECTOR)
    if len(header) < _SECTOR:
        return _CUT
    capacity, descriptor, directory = (
        struct.unpack_from("<Q", header, at)[0] for at in (12, 28, 56)
    )
    # QEMU takes one without a capacity for a text that names extents; it looks for the text in
    # the second sector, wherever the header has it.
    if not capacity or descriptor != 1:
        return "has no description where it must be"
    if directory == _AT_END and not _same_at_end(disk, header):
        return "has another header at its end"
    return _text_fault(disk.read(_SECTOR, _DESCRIPTOR_SIZE))


def _same_at_end(disk: Bytes, header: bytes) -> bool:
    """Whether the footer, which replaces the header, says the same but for where the grains are."""
    if disk.size % _SECTOR or disk.size < 4 * _SECTOR:
        return False
    footer = disk.read(disk.size - 2 * _SECTOR, _SECTOR)
    (directory,) = struct.unpack_from("<Q", footer, 56)
    return footer[:48] == header[:48] and directory != _AT_END


def _text_fault(area: bytes) -> str | None:
    data, end, _ = area.partition(b"\0")
    if not end or not data.isascii():
        return "has a description that cannot be read"
    text = data.decode("ascii").lower()
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        if not _LINES.fullmatch(line):
            return f"says {line[:60]!r} of itself: only one file without a parent is taken"
    # Some readers find these words wherever they stand, also in a comment.
    if "parentfilenamehint" in text or text.count("parentcid") > 1:
        return "names a parent, a file of the cloud's own hosts"
    if text.count("createtype") != 1 or sum(1 for line in lines if _EXTENT.fullmatch(line)) != 1:
        return "does not say that it is one file"
    return None


# --- VHD: Microsoft's Virtual Hard Disk Image Format Specification ---

_FIXED, _DYNAMIC, _DIFFERENCING = 2, 3, 4


def vhd(disk: Bytes) -> str | None:
    ends = disk.read(0, 512), disk.read(max(disk.size - 512, 0), 512)
    footers = [each for each in ends if each.startswith(b"conectix") and len(each) == 512]
    if not footers:
        return "has no footer"
    for footer in footers:
        (kind,) = struct.unpack_from(">I", footer, 60)
        if kind == _DIFFERENCING:
            return "names a parent, a file of the cloud's own hosts"
        if kind not in (_FIXED, _DYNAMIC):
            return f"has the type {kind}, which is not known"
    return None


# --- VHDX: Microsoft's [MS-VHDX] ---

_METADATA = UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E").bytes_le
_PARENT_LOCATOR = UUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C").bytes_le
_FILE_PARAMETERS = UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B").bytes_le
_HAS_PARENT = 1 << 1
_MOST_ENTRIES = 2047


def vhdx(disk: Bytes) -> str | None:
    headers = [disk.read(at * _KIB, 80) for at in (64, 128)]
    headers = [each for each in headers if each.startswith(b"head") and len(each) == 80]
    if not headers:
        return "has no header"
    # What a log holds is written over the metadata when the image is opened.
    if any(each[48:64] != bytes(16) for each in headers):
        return "has a log that was not written out"
    places = {place for at in (192, 256) for place in _metadata_places(disk, at * _KIB)}
    if not places:
        return "has no metadata"
    return next(filter(None, (_metadata_fault(disk, place) for place in sorted(places))), None)


def _metadata_places(disk: Bytes, table: int) -> Iterator[int]:
    """Where the metadata lie that a region table leads to."""
    area = disk.read(table, 64 * _KIB)
    if len(area) < 16 or not area.startswith(b"regi"):
        return
    (count,) = struct.unpack_from("<I", area, 8)
    for at in range(16, 16 + 32 * min(count, _MOST_ENTRIES), 32):
        if area[at : at + 16] == _METADATA and at + 32 <= len(area):
            yield struct.unpack_from("<Q", area, at + 16)[0]


def _metadata_fault(disk: Bytes, place: int) -> str | None:
    area = disk.read(place, 64 * _KIB)
    if len(area) < 32 or not area.startswith(b"metadata"):
        return "has no metadata where they must be"
    (count,) = struct.unpack_from("<H", area, 10)
    entries = [area[at : at + 32] for at in range(32, 32 + 32 * count, 32)]
    if count > _MOST_ENTRIES or any(len(entry) < 32 for entry in entries):
        return _CUT
    for entry in entries:
        if entry.startswith(_PARENT_LOCATOR):
            return "names a parent, a file of the cloud's own hosts"
        if entry.startswith(_FILE_PARAMETERS):
            item = disk.read(place + struct.unpack_from("<I", entry, 16)[0], 8)
            if len(item) < 8 or struct.unpack_from("<I", item, 4)[0] & _HAS_PARENT:
                return "has a parent, a file of the cloud's own hosts"
    return None


# --- VDI: QEMU's block/vdi.c ---

_DYNAMIC_VDI, _STATIC_VDI = 1, 2
_VDI_VERSION = 0x00010001


def vdi(disk: Bytes) -> str | None:
    header = disk.read(0, 512)
    if len(header) < 512:
        return _CUT
    version, _, kind = struct.unpack_from("<III", header, 68)
    if version != _VDI_VERSION or kind not in (_DYNAMIC_VDI, _STATIC_VDI):
        return f"has the version {version:#x} and the type {kind}, which are not known"
    if header[0x1A8:0x1C8] != bytes(32):
        return "belongs to another image"
    return None
