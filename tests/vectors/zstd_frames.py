"""Zstandard frames made by hand from RFC 8878, so that no release of a library changes them.

Blocks are raw or of one repeated byte; what only a compressor can make is kept as text in
``compressed.py``.  Every part of a frame can be made wrong on purpose.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence

MAGIC = b"\x28\xb5\x2f\xfd"
MAX_BLOCK = 128 * 1024

RAW, RLE, COMPRESSED, RESERVED = range(4)


def block(kind: int, size: int, content: bytes, *, last: bool = False) -> bytes:
    """One block.  ``size``: of its content, or the times that the byte of an RLE block stands."""
    return (size << 3 | kind << 1 | last).to_bytes(3, "little") + content


def blocks_of(raw: bytes) -> bytes:
    """``raw`` in as few blocks as there may be; none of them is compressed."""
    found = bytearray()
    for start in range(0, len(raw), MAX_BLOCK):
        piece = raw[start : start + MAX_BLOCK]
        last = start + len(piece) == len(raw)
        same = piece.count(piece[0]) == len(piece)
        found += block(RLE if same else RAW, len(piece), piece[:1] if same else piece, last=last)
    return bytes(found)


def raw_blocks(raw: bytes, sizes: Sequence[int]) -> bytes:
    """``raw`` in raw blocks of these sizes, of which none is the last of a frame."""
    found, start = b"", 0
    for size in sizes:
        found += block(RAW, size, raw[start : start + size])
        start += size
    return found


def header(size: int | None, *, window: int | None = None, flags: int = 4, field: int = 0) -> bytes:
    """A frame header that declares ``size`` bytes; None: no size.

    ``window``: the byte that describes the window; None: the frame is one segment.  ``flags``
    of the descriptor: 4 the checksum, 8 reserved, 16 unused, 1 a dictionary ID of one byte.
    ``field``: bytes that the size takes, 0: as few as can be.
    """
    one = window is None
    fields = {0: b""} if size is None else _size_fields(size, one_segment=one)
    width = min(fields) if field == 0 else field
    code = {0: 0, 1: 0, 2: 1, 4: 2, 8: 3}[width]
    descriptor = bytes([code << 6 | one << 5 | flags])
    return (
        MAGIC
        + descriptor
        + (b"" if window is None else bytes([window]))
        + (b"\x07" if flags & 1 else b"")
        + fields[width]
    )


def _size_fields(size: int, *, one_segment: bool) -> dict[int, bytes]:
    """Width in bytes -> how a size is written so; RFC 8878, 3.1.1.1.4."""
    found = {}
    if size < 2**8 and one_segment:
        found[1] = bytes([size])
    if 2**8 <= size < 2**16 + 2**8:
        found[2] = struct.pack("<H", size - 2**8)
    if size < 2**32:
        found[4] = struct.pack("<I", size)
    found[8] = struct.pack("<Q", size)
    return found


def frame(raw: bytes) -> bytes:
    """The simplest frame of ``raw``: one segment, with size and checksum [F-7]."""
    return header(len(raw)) + blocks_of(raw) + checksum(raw)


def checksum(raw: bytes) -> bytes:
    """The low four bytes of XXH64 with seed 0, as they end a frame."""
    return struct.pack("<I", xxh64(raw) & 0xFFFFFFFF)


_PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_MASK = 2**64 - 1


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK


@functools.lru_cache(maxsize=64)
def xxh64(data: bytes) -> int:
    """XXH64 with seed 0, as its specification has it.  About 10 MiB a second."""
    one, two, three, four, five = _PRIMES
    whole = len(data) - len(data) % 32
    if whole:
        lanes = [(one + two) & _MASK, two, 0, -one & _MASK]
        for stripe in struct.iter_unpack("<4Q", memoryview(data)[:whole]):
            lanes = [
                _rotate((lane + value * two) & _MASK, 31) * one & _MASK
                for lane, value in zip(lanes, stripe, strict=True)
            ]
        found = sum(map(_rotate, lanes, (1, 7, 12, 18))) & _MASK
        for lane in lanes:
            found = ((found ^ _rotate(lane * two & _MASK, 31) * one & _MASK) * one + four) & _MASK
    else:
        found = five
    found = (found + len(data)) & _MASK
    rest = data[whole:]
    while len(rest) >= 8:
        value = _rotate(int.from_bytes(rest[:8], "little") * two & _MASK, 31) * one & _MASK
        found = (_rotate(found ^ value, 27) * one + four) & _MASK
        rest = rest[8:]
    if len(rest) >= 4:
        value = int.from_bytes(rest[:4], "little") * one & _MASK
        found = (_rotate(found ^ value, 23) * two + three) & _MASK
        rest = rest[4:]
    for byte in rest:
        found = _rotate(found ^ byte * five & _MASK, 11) * one & _MASK
    found = (found ^ found >> 33) * two & _MASK
    found = (found ^ found >> 29) * three & _MASK
    return found ^ found >> 32
