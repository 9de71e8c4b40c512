"""What the bytes of a disk are, whatever its record says, and whether they may be uploaded.

A service of a cloud looks at an image and takes it for what it looks like.  One that names another
file then has that file of the service's own host read into a tenant's disk (CVE-2015-5163,
CVE-2022-47951, CVE-2024-32498).  So only these may be uploaded: bytes that nothing takes for more
than bytes, and images of a known format that are as their record says and are proven to need no
other file.

The formats are those that QEMU tells by an image's first bytes (its block drivers' ``probe``).
"""

from __future__ import annotations

import re

from bundle_spec.form import self_contained
from bundle_spec.form.qcow2 import MAGIC as QCOW
from bundle_spec.form.self_contained import Bytes

START_SIZE = 4096
"""Bytes of a disk's start that ``kind`` and ``fault_of_start`` need."""

RAW = "raw"

_KINDS = (
    (0, QCOW, "qcow2"),
    (0, b"QED\0", "qed"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk3"),
    (0, b"conectix", "vhd"),
    (0, b"vhdxfile", "vhdx"),
    (64, b"\x7f\x10\xda\xbe", "vdi"),
    (0, b"WithoutFreeSpace", "parallels"),
    (0, b"WithouFreSpacExt", "parallels"),
    (0, b"Bochs Virtual HD Image", "bochs"),
    (0, b"#!/bin/sh\n#V2.0 Format\n", "cloop"),
)
"""(offset, what stands there, name of the format)"""

_VMDK_TEXT = re.compile(
    rb"# ?disk descriptorfile|(?:#[^\n]*\n| *\r?\n)*version=\d|[\t\n\r -~]*createtype *=", re.I
)
"""A VMDK that is a text and names its extents: as VMware writes it, as QEMU tells it, and as
OpenStack's inspector of formats does."""

_PLAIN = frozenset("raw iso gpt luks ami aki ari".split())
"""Disk formats of Glance that a cloud passes on as they are."""

_ARCHIVES = frozenset("ova ovf docker".split())
"""Container formats whose bytes are a package around disks, which no hypervisor opens."""

_CONTAINERS = _ARCHIVES | frozenset("bare ami aki ari".split())

_CHECKS = {
    "qcow2": self_contained.qcow2,
    "vmdk": self_contained.vmdk,
    "vhd": self_contained.vhd,
    "vhdx": self_contained.vhdx,
    "vdi": self_contained.vdi,
}
"""Disk format of Glance -> why an image of that format may need another file, None if it cannot."""


def kind(start: bytes) -> str:
    """The format that a disk which begins with ``start`` is taken for; ``raw`` for no other, and
    ``qcow2 and vdi`` where it depends on who looks.

    A fixed VHD is raw but for its end.
    """
    names = [name for at, magic, name in _KINDS if start.startswith(magic, at)]
    if _VMDK_TEXT.match(start[:START_SIZE]):
        names.append("vmdk text")
    return " and ".join(names) or RAW


def fault(disk: Bytes, disk_format: str, container_format: str) -> str | None:
    """Why ``disk`` may not be uploaded with these formats of Glance, as a sentence that begins with
    "it"; None if it may.  Reads less than 1 MiB of it, and what it raises is the disk's."""
    start = disk.read(0, START_SIZE)
    found = fault_of_start(start, disk_format, container_format)
    if found or disk_format not in _CHECKS or _is_archive(start, container_format):
        return found
    reason = _CHECKS[disk_format](disk)
    return reason and f"it is a {disk_format} that {reason}"


def fault_of_start(start: bytes, disk_format: str, container_format: str) -> str | None:
    """The same, as far as a disk's first bytes tell it."""
    found = kind(start)
    said = f"it is said to be {disk_format[:40]!r}"
    if container_format not in _CONTAINERS:
        return f"it lies in a container {container_format[:40]!r}, which hides what it is"
    if found != RAW and found not in _CHECKS:
        return f"it begins as {found}, which may need other files"
    if _is_archive(start, container_format):
        return None
    if disk_format in _PLAIN:
        return f"{said} and begins as {found}" if found != RAW else None
    if disk_format not in _CHECKS:
        return f"{said}, a format that is not known to be harmless"
    if found == disk_format or (disk_format, found) == ("vhd", RAW):
        return None
    return f"{said} and is not"


def _is_archive(start: bytes, container_format: str) -> bool:
    return container_format in _ARCHIVES and kind(start) == RAW
