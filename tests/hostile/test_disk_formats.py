"""Disks that would have a cloud read a file of its own hosts, or that are not what they are said to
be: with the bytes that qemu-img makes, and with headers by hand where it makes none."""

from __future__ import annotations

import dataclasses
import struct
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from bundle_spec.form.disk_format import START_SIZE, fault, kind


@dataclasses.dataclass
class Bytes:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


def told(data: bytes, disk_format: str, container: str = "bare") -> str:
    """The fault, empty where there is none."""
    return fault(Bytes(data), disk_format, container) or ""


def made(folder: Path, kind: str, *options: str) -> bytes:
    """What qemu-img makes of a disk of 4 MiB; ``options``: those of qemu-img."""
    path = folder / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, *options, path, "4M"], check=True)
    return path.read_bytes()


def put(data: bytes, offset: int, piece: bytes) -> bytes:
    return data[:offset] + piece + data[offset + len(piece) :]


WHOLE: list[tuple[str, str, tuple[str, ...]]] = [
    ("raw", "raw", ()),
    ("qcow2", "qcow2", ()),
    ("qcow2", "qcow2", ("-o", "compat=0.10")),
    ("qcow2", "qcow2", ("-o", "extended_l2=on")),
    ("qcow2", "qcow2", ("-o", "compression_type=zstd")),
    ("vmdk", "vmdk", ("-o", "subformat=monolithicSparse")),
    ("vmdk", "vmdk", ("-o", "subformat=streamOptimized")),
    ("vhd", "vpc", ("-o", "subformat=dynamic")),
    ("vhd", "vpc", ("-o", "subformat=fixed")),
    ("vhdx", "vhdx", ("-o", "subformat=dynamic")),
    ("vhdx", "vhdx", ("-o", "subformat=fixed")),
    ("vdi", "vdi", ()),
    ("vdi", "vdi", ("-o", "static=on")),
]


@pytest.mark.parametrize(("disk_format", "qemu", "options"), WHOLE)
def test_an_image_that_holds_all_of_its_bytes_may_be_uploaded(
    tmp_path: Path, disk_format: str, qemu: str, options: tuple[str, ...]
) -> None:
    assert told(made(tmp_path, qemu, *options), disk_format) == ""


@pytest.mark.parametrize(("disk_format", "qemu", "options"), WHOLE)
def test_no_image_passes_as_raw_or_as_another_format(
    tmp_path: Path, disk_format: str, qemu: str, options: tuple[str, ...]
) -> None:
    data = made(tmp_path, qemu, *options)
    if kind(data[:START_SIZE]) != "raw":  # a fixed VHD has its header at its end
        for said in ("raw", "iso", "ami", "aki", "ari"):
            assert f"it is said to be {said!r} and begins as {disk_format}" in told(data, said)
    for said in {"qcow2", "vmdk", "vhd", "vhdx", "vdi"} - {disk_format}:
        assert told(data, said) != ""


@pytest.mark.parametrize("disk_format", ["raw", "qcow2", "vmdk", "ami"])
@pytest.mark.parametrize(
    ("qemu", "options"),
    [
        ("qed", ()),
        ("qed", ("-b", "base", "-F", "raw")),
        ("qcow", ()),
        ("qcow", ("-b", "base", "-F", "raw")),
        ("parallels", ()),
        ("vmdk", ("-o", "subformat=monolithicFlat")),
        ("vmdk", ("-o", "subformat=twoGbMaxExtentFlat")),
        ("vmdk", ("-o", "subformat=twoGbMaxExtentSparse")),
    ],
)
def test_a_format_that_is_not_proven_harmless_is_refused_whatever_it_is_said_to_be(
    tmp_path: Path, qemu: str, options: tuple[str, ...], disk_format: str
) -> None:
    (tmp_path / "base").write_bytes(bytes(4 << 20))
    assert told(made(tmp_path, qemu, *options), disk_format) != ""


@pytest.mark.parametrize(
    "start",
    [
        b"COWD" + bytes(508),
        b"Bochs Virtual HD Image\0",
        b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0\n",
        b'version=1\nRW 8 FLAT "/etc/passwd" 0\n',
        b"#\n  \r\n# x\nversion=3\r\n",
        b"# Disk DescriptorFile\nCID=1\n",
        b'# disk descriptorFile\r\ncreateType="vmfs"\r\n',
        b'\n\ncreateType = "monolithicFlat"\n',
        put(b"QFI\xfb\0\0\0\3".ljust(512, b"\0"), 64, b"\x7f\x10\xda\xbe"),
        put(b"conectix".ljust(512, b"\0"), 64, b"\x7f\x10\xda\xbe"),
    ],
)
def test_other_formats_that_a_hypervisor_knows_are_refused(start: bytes) -> None:
    for disk_format in ("raw", "qcow2", "vmdk", "vdi", "vhd"):
        assert "which may need other files" in told(start.ljust(1 << 16, b"\0"), disk_format)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\0",
        b"QFI",
        b"\xeb\x63\x90" + bytes(507) + b"\x55\xaa",
        b"LUKS\xba\xbe\0\2",
        b"LUKS\xba\xbe\0\1",
        bytes(0x8001) + b"CD001\1",
        bytes(512) + b"EFI PART",
        b"#cloud-config\nusers: []\n",
        b"#!/bin/sh\necho version=1\n",
        b"\x7fELF",
        b"070701 an initramfs",
        b"MZ\x90 a kernel",
    ],
)
def test_bytes_that_nothing_takes_for_more_are_raw(start: bytes) -> None:
    for disk_format in ("raw", "iso", "ami", "aki", "ari"):
        assert told(start, disk_format) == ""
    for container in ("ami", "aki", "ari"):
        assert told(start, container, container) == ""


def test_a_format_that_is_not_known_is_refused() -> None:
    assert "'ploop', a format that is not known" in told(bytes(512), "ploop")
    assert len(told(bytes(512), "x" * 10_000_000)) < 200


# qcow2


def test_a_qcow2_with_a_backing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(bytes(4 << 20))
    for version in ("0.10", "1.1"):
        data = made(tmp_path, "qcow2", "-b", "base", "-F", "raw", "-o", f"compat={version}")
        assert "names a backing file" in told(data, "qcow2")


def test_a_qcow2_with_a_data_file_is_refused(tmp_path: Path) -> None:
    data = made(tmp_path, "qcow2", "-o", f"data_file={tmp_path}/other")
    assert "names a data file" in told(data, "qcow2")
    (features,) = struct.unpack_from(">Q", data, 72)
    hidden = put(data, 72, struct.pack(">Q", features & ~4))  # the name alone
    assert "names a data file" in told(hidden, "qcow2")


@pytest.mark.parametrize(
    ("offset", "piece", "why"),
    [
        (4, struct.pack(">I", 1), "version 1"),
        (4, struct.pack(">I", 4), "version 4"),
        (8, struct.pack(">Q", 1 << 63), "backing file"),
        (72, struct.pack(">Q", 1 << 5), "not known"),
        (72, struct.pack(">Q", 1 << 63), "not known"),
        (100, struct.pack(">I", 0), "length"),
        (100, struct.pack(">I", 0xFFFFFFFF), "length"),
    ],
)
def test_a_qcow2_whose_header_is_not_understood_is_refused(
    tmp_path: Path, offset: int, piece: bytes, why: str
) -> None:
    assert why in told(put(made(tmp_path, "qcow2"), offset, piece), "qcow2")


@pytest.mark.parametrize("method", [1, 2])
def test_an_encrypted_qcow2_needs_no_other_file(tmp_path: Path, method: int) -> None:
    """Its header says so, as qemu-img takes seconds to make one; 2 is LUKS."""
    data = put(made(tmp_path, "qcow2"), 32, struct.pack(">I", method))
    assert told(data, "qcow2") == ""


# VMDK


def sparse(tmp_path: Path, text: str | None = None) -> bytes:
    data = made(tmp_path, "vmdk", "-o", "subformat=monolithicSparse")
    return data if text is None else put(data, 512, text.encode().ljust(20 * 512, b"\0"))


TEXT = '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="{}"\n{}\n'
OWN = 'RW 8192 SPARSE "disk.vmdk"'


@pytest.mark.parametrize("create", ["monolithicSparse", "streamOptimized"])
@pytest.mark.parametrize("extent", [OWN, 'RDONLY 8 SPARSE "x.vmdk"'])
def test_a_vmdk_of_one_file_may_say_so_in_either_way(
    tmp_path: Path, create: str, extent: str
) -> None:
    more = '\r\n#DDB\nddb.uuid.image="1"\nencoding="UTF-8"\nddb.adapterType = "ide"'
    assert told(sparse(tmp_path, TEXT.format(create, extent + more)), "vmdk") == ""


@pytest.mark.parametrize(
    "text",
    [
        TEXT.format("monolithicFlat", OWN),
        TEXT.format("vmfs", 'RW 8 VMFS "/vmfs/volumes/x-flat.vmdk"'),
        TEXT.format("monolithicSparse", 'RW 8 FLAT "disk.vmdk" 0'),
        TEXT.format("monolithicSparse", 'RW 8 SPARSE "/etc/passwd"'),
        TEXT.format("monolithicSparse", 'RW 8 SPARSE "..\\x"'),
        TEXT.format("monolithicSparse", f"{OWN}\n{OWN}"),
        TEXT.format("monolithicSparse", ""),
        TEXT.format("monolithicSparse", f'{OWN}\nparentFileNameHint="/etc/passwd"'),
        TEXT.format("monolithicSparse", f'{OWN}\n# parentFileNameHint="/etc/passwd"'),
        TEXT.format("monolithicSparse", f'{OWN}\nddb.x = "parentFileNameHint=/etc/passwd"'),
        TEXT.format("monolithicSparse", f'{OWN}\nchangeTrackPath="/etc/passwd"'),
        TEXT.format("monolithicSparse", f'{OWN}\nddb.nativeParentHint = "/etc/passwd"'),
        TEXT.format("monolithicSparse", f'{OWN}\ncreateType="monolithicFlat"'),
        TEXT.format("monolithicSparse", f'{OWN}\n#createType="monolithicFlat"'),
        TEXT.format("monolithicSparse", OWN).replace("ffffffff", "12345678"),
        TEXT.format("monolithicSparse", OWN) + "\u00e9",
        "",
        " " * 9000 + "x",
    ],
)
def test_a_vmdk_whose_text_names_more_than_itself_is_refused(tmp_path: Path, text: str) -> None:
    assert told(sparse(tmp_path, text), "vmdk") != ""


def test_a_vmdk_with_a_parent_is_refused(tmp_path: Path) -> None:
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "vmdk", "base.vmdk", "4M"], cwd=tmp_path, check=True
    )
    command = "qemu-img create -q -f vmdk -b base.vmdk -F vmdk disk.vmdk".split()
    subprocess.run(command, cwd=tmp_path, check=True)
    assert "parent" in told((tmp_path / "disk.vmdk").read_bytes(), "vmdk")


@pytest.mark.parametrize("offset", [12, 28])
def test_a_vmdk_whose_header_leads_elsewhere_is_refused(tmp_path: Path, offset: int) -> None:
    assert "no description" in told(put(sparse(tmp_path), offset, bytes(8)), "vmdk")


def test_the_header_at_the_end_of_a_vmdk_must_be_the_same(tmp_path: Path) -> None:
    at_end = put(sparse(tmp_path), 56, b"\xff" * 8)
    header = put(at_end[:512], 56, struct.pack("<Q", 21))
    assert told(at_end + bytes(512) + header + bytes(512), "vmdk") == ""
    for footer in (put(header, 12, bytes(8)), put(header, 56, b"\xff" * 8), bytes(512)):
        assert "another header" in told(at_end + bytes(512) + footer + bytes(512), "vmdk")


# VHD, VHDX, VDI


@pytest.mark.parametrize("subformat", ["dynamic", "fixed"])
def test_a_differencing_vhd_is_refused(tmp_path: Path, subformat: str) -> None:
    data = made(tmp_path, "vpc", "-o", f"subformat={subformat}")
    at_end = put(data, len(data) - 512 + 60, struct.pack(">I", 4))
    assert "names a parent" in told(at_end, "vhd")
    if subformat == "dynamic":
        assert "names a parent" in told(put(data, 60, struct.pack(">I", 4)), "vhd")
        assert "not known" in told(put(data, 60, struct.pack(">I", 9)), "vhd")


PARAMETERS = UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B").bytes_le
LOCATOR = UUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C").bytes_le


def test_a_vhdx_with_a_parent_is_refused(tmp_path: Path) -> None:
    data = made(tmp_path, "vhdx")
    entry = data.index(PARAMETERS)
    assert "names a parent" in told(put(data, entry, LOCATOR), "vhdx")
    metadata = entry - 32
    assert data[metadata : metadata + 8] == b"metadata"
    item = metadata + struct.unpack_from("<I", data, entry + 16)[0]
    assert "has a parent" in told(put(data, item + 4, struct.pack("<I", 2)), "vhdx")


@pytest.mark.parametrize("header", [64 << 10, 128 << 10])
def test_a_vhdx_with_a_log_to_be_written_out_is_refused(tmp_path: Path, header: int) -> None:
    assert "log" in told(put(made(tmp_path, "vhdx"), header + 48, b"\1" * 16), "vhdx")


def test_a_vhdx_whose_tables_disagree_is_refused(tmp_path: Path) -> None:
    """The second leads to metadata of its own."""
    data = made(tmp_path, "vhdx")
    entry = data.index(UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E").bytes_le, 256 << 10)
    elsewhere = put(data, entry + 16, struct.pack("<Q", len(data)))
    assert "no metadata" in told(elsewhere, "vhdx")
    metadata = data[data.index(b"metadata") :][: 64 << 10]
    parent = put(metadata, metadata.index(PARAMETERS), LOCATOR)
    assert "names a parent" in told(elsewhere + parent, "vhdx")


def test_a_vhdx_of_nothing_is_refused() -> None:
    assert "no header" in told(b"vhdxfile".ljust(1 << 20, b"\0"), "vhdx")


@pytest.mark.parametrize(
    ("offset", "piece"),
    [(0x4C, b"\4"), (0x4C, b"\3"), (0x1A8, b"\1"), (0x1B8, b"\1"), (0x44, b"\2")],
)
def test_a_differencing_vdi_is_refused(tmp_path: Path, offset: int, piece: bytes) -> None:
    assert told(put(made(tmp_path, "vdi"), offset, piece), "vdi") != ""


@pytest.mark.parametrize(("disk_format", "qemu", "options"), WHOLE)
def test_an_image_that_is_cut_anywhere_is_no_crash(
    tmp_path: Path, disk_format: str, qemu: str, options: tuple[str, ...]
) -> None:
    data = made(tmp_path, qemu, *options)
    for size in (1, 8, 70, 100, 511, 600, 70_000, 130_000, 200_000, 300_000, 3 << 20):
        told(data[:size], disk_format)
        told(data[:size] + b"\xff" * (1 << 17), disk_format)


# Containers


def test_an_archive_is_a_package_and_no_disk() -> None:
    tar = b"disk.ovf".ljust(257, b"\0") + b"ustar".ljust(255, b"\0")
    for container in ("ova", "ovf", "docker"):
        for disk_format in ("raw", "vmdk", "qcow2"):
            assert told(tar, disk_format, container) == ""
        assert "begins as qed" in told(b"QED\0" + tar, "raw", container)
        assert "begins as qcow2" in told(b"QFI\xfb\0\0\0\3" + tar, "raw", container)


@pytest.mark.parametrize("container", ["compressed", "", "BARE", "x" * 1000])
def test_a_container_that_hides_its_bytes_is_refused(container: str) -> None:
    assert "hides what it is" in told(bytes(512), "raw", container)
