"""Read a qcow2 header: the size that a guest sees, and whether the image needs another file.

An image that names another file must never reach an image service, which could then read a file
of its own host into the tenant's image (CVE-2024-32498).

Layout: QEMU's docs/interop/qcow2.rst.
"""

from __future__ import annotations

import struct

HEADER_SIZE = 80
"""Bytes of an image's start that ``foreign_file`` needs."""

_MAGIC = b"QFI\xfb"
_EXTERNAL_DATA = 1 << 2


def virtual_size(start: bytes) -> int | None:
    """The size in bytes of the disk that a guest sees, of a qcow2 that begins with ``start``."""
    if len(start) < 32 or not start.startswith(_MAGIC):
        return None
    return int.from_bytes(start[24:32], "big")


def foreign_file(start: bytes) -> str | None:
    """Which other file a qcow2 that begins with ``start`` needs: ``backing file``, ``data file``.

    None for one that needs no other file, and for anything that is not qcow2.
    """
    if len(start) < 16 or not start.startswith(_MAGIC):
        return None
    version, backing_offset = struct.unpack_from(">IQ", start, 4)
    if backing_offset:
        return "backing file"
    if version >= 3 and len(start) >= HEADER_SIZE:
        (incompatible,) = struct.unpack_from(">Q", start, 72)
        if incompatible & _EXTERNAL_DATA:
            return "data file"
    return None
