"""Bundles that are whole by their digests and wrong by one rule: each is refused.

Damage never makes these; a bad writer does, or somebody who means harm.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import BundleReader, open_bundle, verify_bundle
from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults, UnsupportedBundle
from bundle_spec.layout import header
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
    refused(tmp_path, Forge(lines=LINES[name]), "the chunk list has")


# --- END, magic, manifest ---

ENDS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "an unknown key": (lambda end: end.update(more=1), "not canonical"),
    "a missing key": (lambda end: end.pop("signature") and None, "does not say what it must"),
    "an offset as text": (lambda end: end.update(index="0"), "does not say what it must"),
    "a negative offset": (lambda end: end.update(index=[-512, 0]), "does not say what it must"),
    "true for one": (lambda end: end.update(manifest=[True, True]), "does not say|do not follow"),
    "another digest": (lambda end: end.update(manifest_sha256="0" * 64), "not the digest"),
    "no digest": (lambda end: end.update(manifest_sha256="X"), "does not say what it must"),
    "another format": (lambda end: end.update(format="zip"), "not canonical"),
    "another version": (lambda end: end.update(version=2), "not canonical"),
    "members apart": (lambda end: end["index"].__setitem__(0, 1536), "do not follow each other"),
    "a huge manifest": (lambda end: end["manifest"].__setitem__(1, 2**30), "over the limit"),
    "a huge signature": (lambda end: end.update(signature=[2**20, 2**20]), "over the limit"),
    "no such signature": (lambda end: end.update(signature=[1536, 20]), "do not follow each"),
}


@pytest.mark.parametrize("name", ENDS)
def test_end_blocks(tmp_path: Path, name: str) -> None:
    """[F-14]"""
    edit, message = ENDS[name]
    refused(tmp_path, Forge(end=edit), message)


def test_false_is_no_size(tmp_path: Path) -> None:
    """[F-14]  Of an INDEX of no bytes ``false`` would be written as it was read."""
    forge = Forge(disks=[], files={}, end=lambda end: end["index"].__setitem__(1, False))
    refused(tmp_path, forge, "does not say what it must")


def test_a_signature_lies_between_manifest_and_end(tmp_path: Path) -> None:
    """[F-4] [F-13]"""
    path = Forge(signature=b"signed").write(tmp_path / "signed.dpbundle")
    verify_bundle(path, read_data=True)
    data = path.read_bytes()
    place = data.index(b"signed")
    path.write_bytes(data[: place + 6] + b"!" + data[place + 7 :])
    with pytest.raises(BundleError, match=r"manifest\.json\.sig at \d+: bytes in the padding"):
        verify_bundle(path)
    path.write_bytes(data[: place - 512] + data[place + 512 :])
    with pytest.raises(BundleError, match="do not follow each other"):
        verify_bundle(path)


def test_a_file_of_the_next_major_version(tmp_path: Path) -> None:
    path = Forge(magic=b"dpbundle 2\n").write(tmp_path / "next.dpbundle")
    with pytest.raises(UnsupportedBundle, match="format version 2; this reader knows 1"):
        verify_bundle(path)


def disk(**change: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["disks"][0].update(change)


def site(**change: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["files"][0].update(change)


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no disks": (lambda value: value.pop("disks") and None, "36 bytes|72 bytes where"),
    "a key missing": (lambda value: value.pop("uuid") and None, "the key 'uuid' is missing"),
    "a size as text": (disk(size="1"), "expected an integer"),
    "a negative size": (disk(size=-1, chunks=0), "do not make"),
    "chunks too few": (disk(chunks=3), "do not make 3 chunks"),
    "an odd chunk size": (disk(chunk_size=65537), "not a power of two"),
    "a chunk size of zero": (disk(chunk_size=0), "not a power of two"),
    "a huge chunk size": (disk(chunk_size=2**40, chunks=1), "not a power of two"),
    "an id upwards": (disk(id="../1"), "not an id"),
    "an id of zero": (disk(id="0000"), "not an id"),
    "a digest in upper case": (disk(sha256="A" * 64), "sha256 is not a SHA-256"),
    "an INDEX digest": (lambda value: value.update(index_sha256=""), "not a SHA-256"),
    "a uuid": (lambda value: value.update(uuid="1"), "not a UUID"),
    "a disk twice": (lambda v: v["disks"].append(v["disks"][0]), "two disks have the id 0001"),
    "a file outside": (site(path="disks/x"), "outside playbook/"),
    "a file upwards": (site(path="playbook/../x"), "cannot be a part of a name"),
    "an absolute file": (site(path="/playbook/x"), "outside playbook/"),
    "an empty part": (site(path="playbook//x"), "cannot be a part of a name"),
    "an option as a name": (site(path="playbook/-rf"), "cannot be a part of a name"),
    "a line break": (site(path="playbook/a\nb"), "cannot be a part of a name"),
    "a huge file": (site(size=2**40), "out of bounds"),
    "a file twice": (lambda v: v["files"].append(v["files"][0]), "stands twice"),
    "a file in another case": (
        lambda v: v["files"].insert(0, {**v["files"][0], "path": "playbook/SITE.yml"}),
        "stands twice",
    ),
    "a file and a folder": (
        lambda v: v["files"].append({**v["files"][0], "path": "playbook/site.yml/x"}),
        "a file and a directory",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(tmp_path: Path, name: str) -> None:
    """[M-8] to [M-13]"""
    edit, message = MANIFESTS[name]
    refused(tmp_path, Forge(manifest=edit), message)


def test_a_manifest_that_is_not_canonical(tmp_path: Path) -> None:
    """[M-2]"""
    forge = Forge(manifest_bytes=lambda data: data.replace(b": ", b":  ", 1))
    refused(tmp_path, forge, "not canonical JSON")
    refused(tmp_path, Forge(manifest_bytes=lambda data: data + b"\n"), "not canonical JSON")
    forge = Forge(manifest_bytes=lambda data: data.replace(b'"demo"', b"-0"))
    refused(tmp_path, forge, "not canonical JSON")


def test_a_fault_of_the_text_has_the_code_of_its_rule(tmp_path: Path) -> None:
    """[M-2] [M-3] [M-5]"""
    forges = {
        Code.UTF8: Forge(manifest_bytes=lambda data: b"\xef\xbb\xbf" + data),
        Code.JSON: Forge(manifest_bytes=lambda data: data.replace(b'"demo"', rb'"\ud800"')),
        Code.VERSION_FORM: Forge(manifest=lambda value: value.update(version=[True, 0])),
    }
    for code, forge in forges.items():
        with pytest.raises(BundleFaults) as caught:
            verify_bundle(forge.write(tmp_path / "forged.dpbundle"))
        assert [fault.code for fault in caught.value.faults] == [code]  # type: ignore[attr-defined]


def test_a_version_that_this_reader_does_not_know(tmp_path: Path) -> None:
    """[M-5]"""
    path = tmp_path / "forged.dpbundle"
    Forge(manifest=lambda value: value.update(version=[2, 7])).write(path)
    with pytest.raises(UnsupportedBundle, match=r"version 2\.7; this reader knows 1"):
        verify_bundle(path)
    Forge(manifest=lambda value: value.update(version="1")).write(path)
    with pytest.raises(BundleError, match="is not \\[major, minor\\]"):
        verify_bundle(path)


def test_a_newer_minor_version_is_read_and_its_keys_survive(tmp_path: Path) -> None:
    """[M-5] [M-7]"""
    forge = Forge(manifest=lambda value: value.update(version=[1, 9], new={"a": 1}))
    verified = verify_bundle(forge.write(tmp_path / "newer.dpbundle"))
    assert verified.manifest.extra == {"new": {"a": 1}}


def test_features_that_this_reader_does_not_know_are_named(tmp_path: Path) -> None:
    """[M-6]"""
    forge = Forge(manifest=lambda value: value.update(requires=["delta", "moon"]))
    path = forge.write(tmp_path / "forged.dpbundle")
    with pytest.raises(UnsupportedBundle, match="does not know: delta, moon"):
        open_bundle(path)
