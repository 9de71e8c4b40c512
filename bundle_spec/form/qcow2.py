"""Read a qcow2 header: the size that a guest sees.

Layout: QEMU's docs/interop/qcow2.rst.
"""

from __future__ import annotations

HEADER_SIZE = 32
"""Bytes of an image's start that ``virtual_size`` needs."""

MAGIC = b"QFI\xfb"


def virtual_size(start: bytes) -> int | None:
    """The size in bytes of the disk that a guest sees, of a qcow2 that begins with ``start``."""
    if len(start) < HEADER_SIZE or not start.startswith(MAGIC):
        return None
    return int.from_bytes(start[24:32], "big")
