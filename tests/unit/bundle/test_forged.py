"""Bundles that are whole by their digests and wrong by one rule: each is refused.

Damage never makes these; a bad writer does, or somebody who means harm.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bundle_spec import BundleReader, open_bundle, verify_bundle
from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.form.layout import header
from tests.vectors.forge import CHUNK, Forge, ForgedDisk, Member, frame, ustar

Edit = Callable[[Forge], None]


def refused(tmp_path: Path, forge: Forge, message: str, *, read_data: bool = False) -> None:
    path = forge.write(tmp_path / "forged.dpbundle")
    with pytest.raises(BundleError, match=message):
        verify_bundle(path, read_data=read_data)


def rle_frame(declared: int, *sizes: int) -> bytes:
    """A frame of ``B`` in blocks of these sizes that declares a content size of its own choice."""
    blocks = b"".join(
        (size << 3 | 1 << 1 | (number == len(sizes))).to_bytes(3, "little") + b"B"
        for number, size in enumerate(sizes, 1)
    )
    return b"\x28\xb5\x2f\xfd" + b"\xa4" + struct.pack("<I", declared) + blocks + bytes(4)


def windowed(descriptor: int) -> bytes:
    """A frame of ``B`` with this window descriptor."""
    block = (CHUNK << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"B"
    return b"\x28\xb5\x2f\xfd" + bytes([0x84, descriptor]) + struct.pack("<I", CHUNK) + block


# --- frames [F-7] ---

FRAMES = {
    "content size of a bomb": (rle_frame(2**30, CHUNK), "declares 1073741824 bytes"),
    "content size one too small": (frame(b"B" * (CHUNK - 1)), "declares 65535 bytes where 65536"),
    "a window of 17 MiB": (windowed(14 << 3 | 1), "a window of 18874368 bytes"),
    "a window of 3.75 TiB": (windowed(255), "a window of 4123168604160 bytes"),
    "a block that is too large": (rle_frame(CHUNK, CHUNK + 1), "a block of more than 65536 bytes"),
    "no content size": (frame(b"B" * CHUNK, size=False), "declares no size"),
    "no checksum": (frame(b"B" * CHUNK, checksum=False), "has no checksum"),
    "a byte after the frame": (frame(b"B" * CHUNK) + b"\0", "1 bytes follow the frame"),
    "two frames": (frame(b"B" * CHUNK) + frame(b""), "bytes follow the frame"),
    "cut short": (frame(b"B" * CHUNK)[:-1], "cut short"),
    "cut within a block": (frame(b"B" * CHUNK)[:12], "cut short|damaged"),
    "not zstd": (b"gzip?", "not a zstd frame"),
    "nothing": (b"", "not a zstd frame"),
    "a skippable frame": (b"\x50\x2a\x4d\x18\x04\0\0\0abcd", "not a zstd frame"),
    "far too long": (bytes(CHUNK * 2), "a frame of 131072 bytes for 65536"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(tmp_path: Path, name: str) -> None:
    data, message = FRAMES[name]
    forge = Forge()
    forge.frames[1] = data
    refused(tmp_path, forge, message)
    with (
        open_bundle(tmp_path / "forged.dpbundle") as bundle,
        pytest.raises(BundleError, match=message),
    ):
        list(bundle.disk("0001").stream())


def test_a_frame_that_lies_in_its_block(tmp_path: Path) -> None:
    """Its headers are right, so only reading the data can tell."""
    forge = Forge()
    forge.frames[1] = rle_frame(CHUNK, *[CHUNK] * 8)
    path = forge.write(tmp_path / "forged.dpbundle")
    with pytest.raises(BundleFaults, match="the frame does not open"):
        verify_bundle(path, read_data=True)


def test_other_raw_bytes_than_the_manifest_says(tmp_path: Path) -> None:
    forge = Forge()
    forge.frames[1] = frame(b"C" * CHUNK)
    verify_bundle(forge.write(tmp_path / "forged.dpbundle"))
    refused(tmp_path, forge, "do not have the digest that the manifest gives", read_data=True)
    with open_bundle(tmp_path / "forged.dpbundle") as bundle:
        pieces = bundle.disk("0001").stream(100)
        with pytest.raises(BundleError, match="do not have the digest"):
            for _ in pieces:
                pass


# --- members ---


def chunk_header(mode: bytes) -> Callable[[list[Member]], None]:
    def edit(members: list[Member]) -> None:
        members[1].header = ustar(members[1].name, len(members[1].data), mode=mode)

    return edit


def insert(position: int, member: Member) -> Callable[[list[Member]], None]:
    return lambda members: members.insert(position, member)


def relink(number: int, link: str) -> Callable[[list[Member]], None]:
    def edit(members: list[Member]) -> None:
        members[number] = Member(members[number].name, link=link)

    return edit


def drop(number: int) -> Callable[[list[Member]], None]:
    def edit(members: list[Member]) -> None:
        del members[number]

    return edit


def swap(first: int, second: int) -> Callable[[list[Member]], None]:
    def edit(members: list[Member]) -> None:
        members[first], members[second] = members[second], members[first]

    return edit


MEMBERS: dict[str, tuple[Callable[[list[Member]], None], str]] = {
    "another mode": (chunk_header(b"0000755\0"), "the header is not canonical"),
    "another form of the same mode": (chunk_header(b"000644 \0"), "the header is not canonical"),
    "a member twice": (lambda m: m.insert(2, m[1]), "stands twice"),
    "a file twice": (lambda m: m.append(m[-1]), "stands twice"),
    "a list twice": (lambda m: m.append(m[-2]), "stands twice"),
    "chunks out of order": (swap(0, 1), "stands twice, or too late"),
    "a chunk is missing": (drop(1), "1 chunks before it are missing"),
    "the list is missing": (drop(-2), r"disks/0001\.sha256 at .*missing"),
    "the list comes early": (swap(3, 4), "last 1 chunks before it are missing"),
    "a file is missing": (drop(-1), r"playbook/site\.yml at .*missing"),
    "a name of no kind": (insert(0, Member("README", b"x")), "knows no such member"),
    "a path upwards": (insert(0, Member("playbook/../../x", b"x")), "knows no such member"),
    "an absolute path": (insert(0, Member("/etc/passwd", b"x")), "knows no such member"),
    "a chunk of another disk": (
        insert(0, Member("disks/0002/00000/000.zst", b"x")),
        "knows no such member",
    ),
    "a chunk too many": (insert(4, Member(Forge.chunk(4), b"x")), "knows no such member"),
    "a second INDEX": (insert(0, Member("INDEX", b"x")), "knows no such member"),
    "a hidden END": (insert(0, Member("END", b"x")), "knows no such member"),
    "a link forward": (relink(0, Forge.chunk(1)), "which is no earlier chunk"),
    "a link to itself": (relink(1, Forge.chunk(1)), "with data of its own"),
    "a link out of the archive": (relink(1, "/etc/passwd"), "which is no earlier chunk"),
    "a link to a file": (relink(1, "playbook/site.yml"), "which is no earlier chunk"),
    "a link to another content": (relink(2, Forge.chunk(1)), "INDEX has another|chunk list has"),
    "a link to a link": (relink(3, Forge.chunk(2)), "with data of its own"),
    "a link with data": (
        lambda m: m.__setitem__(2, Member(m[2].name, b"data", link=Forge.chunk(0))),
        "a link has data",
    ),
    "a file as a link": (
        lambda m: m.__setitem__(5, Member(m[5].name, link=Forge.chunk(0))),
        "not a member of 4 bytes",
    ),
}


def test_a_name_goes_to_its_first_nul(tmp_path: Path) -> None:
    """[F-2]  What follows is not part of the name, and not allowed."""
    name = "playbook/site.yml\0hidden"

    def edit(members: list[Member]) -> None:
        members[-1].header = ustar(name, len(members[-1].data))

    refused(tmp_path, Forge(members=edit), "the header is not canonical")
    with pytest.raises(ValueError, match="cannot be a name"):
        header(name, 0)


@pytest.mark.parametrize("name", MEMBERS)
def test_members(tmp_path: Path, name: str) -> None:
    """[F-2] [F-5] [F-6] [F-8]"""
    edit, message = MEMBERS[name]
    refused(tmp_path, Forge(members=edit), message)


def test_a_link_to_a_chunk_of_another_length(tmp_path: Path) -> None:
    """[F-8]"""
    forge = Forge(disks=[ForgedDisk(raw=b"A" * CHUNK + b"A" * 5)])
    forge.frames[1] = 0
    refused(tmp_path, forge, "links to a chunk of 65536 bytes where 5 are due")


def test_a_thousand_and_one_links(tmp_path: Path) -> None:
    """[F-8]"""
    forge = Forge(disks=[ForgedDisk(raw=b"A" * CHUNK * 1002)])
    forge.frames[1:] = [0] * 1001
    refused(tmp_path, forge, "more than 1000 links")
    forge = Forge(disks=[ForgedDisk(raw=b"A" * CHUNK * 1001)])
    forge.frames[1:] = [0] * 1000
    verify_bundle(forge.write(tmp_path / "allowed.dpbundle"), read_data=True)


def test_padding_that_is_not_zero(tmp_path: Path) -> None:
    """[F-15]  The digest of the member does not cover it."""
    path = Forge().write(tmp_path / "forged.dpbundle")
    data = bytearray(path.read_bytes())
    data[data.index(b"---\n") + 4] = 1
    path.write_bytes(data)
    with pytest.raises(BundleFaults, match=r"playbook/site\.yml at \d+: bytes in the padding"):
        verify_bundle(path)


# --- INDEX and chunk lists ---

PLACES = {
    "not a block": (0, (1025, 10)),
    "within the head": (0, (512, 10)),
    "behind the body": (0, (2**40, 10)),
    "beyond 2^63": (0, (2**64 - 512, 10)),
    "another chunk": (1, (1536, 20)),
    "a chunk list elsewhere": (4, (1536, 20)),
    "a file elsewhere": (5, (1536, 20)),
}


@pytest.mark.parametrize("name", PLACES)
def test_an_index_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    """[F-11]"""
    number, entry = PLACES[name]
    forge = Forge(index=lambda entries: entries.__setitem__(number, entry))
    refused(tmp_path, forge, "INDEX|not a member of", read_data=True)
    with open_bundle(tmp_path / "forged.dpbundle") as bundle, pytest.raises(BundleError):
        read_all(bundle)


def read_all(bundle: BundleReader) -> None:
    bundle.read_file("playbook/site.yml")
    for _ in bundle.disk("0001").stream():
        pass


LINES: dict[str, Callable[[list[str]], None]] = {
    "another digest": lambda lines: lines.__setitem__(1, "0" * 64 + lines[1][64:]),
    "another name": lambda lines: lines.__setitem__(1, lines[1].replace("001.zst", "002.zst")),
    "no digest": lambda lines: lines.__setitem__(1, "x" * 64 + lines[1][64:]),
    "upper case": lambda lines: lines.__setitem__(1, lines[1][:64].upper() + lines[1][64:]),
    "lines swapped": lambda lines: lines.reverse(),
    "another digest of a link": lambda lines: lines.__setitem__(2, "0" * 64 + lines[2][64:]),
}


@pytest.mark.parametrize("name", LINES)
def test_chunk_lists(tmp_path: Path, name: str) -> None:
    """[F-9]"""
    refused(tmp_path, Forge(lines=LINES[name]), "the chunk list")
