"""Bundles with one fault each: of frames, links, chunk lists and INDEX."""

from __future__ import annotations

from collections.abc import Callable

from tests.vectors import differences
from tests.vectors.forge import CHUNK, Forge, ForgedDisk, Member
from tests.vectors.valid import ZERO, frame_of_length
from tests.vectors.vector import A, B, Vector, filed, linked, put, single, vector
from tests.vectors.zstd_frames import (
    COMPRESSED,
    MAGIC,
    RAW,
    RESERVED,
    RLE,
    block,
    checksum,
    frame,
    header,
)

Forges = dict[str, Forge]


def cases() -> dict[str, Vector]:
    forges = {**_frames(), **_frames_that_do_not_open(), **_links(), **_lists(), **_index()}
    forges |= differences.invalid()
    return {name: vector(forge) for name, forge in forges.items()}


RLE_A = block(RLE, CHUNK, b"A", last=True)
SUM_A = checksum(A)


def _frames() -> Forges:
    """What the headers of frames and blocks tell [F-7]."""
    whole = frame(A)
    frames = {
        "frame-is-none": b"\x1f\x8b\x08\x00 not a frame",
        "frame-of-no-bytes": b"",
        "frame-skippable": b"\x50\x2a\x4d\x18" + len(whole).to_bytes(4, "little") + whole,
        "frame-magic-only": MAGIC,
        "frame-reserved-bit": header(CHUNK, flags=4 | 8) + RLE_A + SUM_A,
        "frame-reserved-block": header(CHUNK) + block(RESERVED, 1, b"A", last=True) + SUM_A,
        "frame-declares-a-tebibyte": header(2**40) + RLE_A + SUM_A,
        "frame-declares-a-byte-less": header(CHUNK - 1) + RLE_A + SUM_A,
        "frame-declares-no-size": header(None, window=6 << 3) + RLE_A + SUM_A,
        "frame-without-checksum": header(CHUNK, flags=0) + RLE_A,
        "frame-with-dictionary": header(CHUNK, flags=4 | 1) + RLE_A + SUM_A,
        "frame-window-18-mib": header(CHUNK, window=14 << 3 | 1) + RLE_A + SUM_A,
        "frame-window-of-terabytes": header(CHUNK, window=255) + RLE_A + SUM_A,
        "frame-without-its-checksum": whole[:-4],
        "frame-ends-in-a-block": whole[:10],
        "frame-without-a-last-block": header(CHUNK) + block(RLE, CHUNK, b"A") + SUM_A,
        "frame-and-a-byte": whole + b"\0",
        "frame-and-another": whole + header(0) + block(RAW, 0, b"", last=True) + checksum(b""),
    }
    return {
        **{name: single(data) for name, data in frames.items()},
        "frame-too-long": single(frame_of_length(b"tail", 4 + 512 + 3), raw=b"tail"),
    }


def _frames_that_do_not_open() -> Forges:
    """Headers that are right, and data that is not: only decompressing tells."""
    bomb = b"".join(block(RLE, CHUNK, b"A", last=n == 99) for n in range(100))
    damaged = block(COMPRESSED, 20, bytes(20), last=True)
    block_256 = header(2**18, window=8 << 3) + block(RLE, 2**18, b"A", last=True) + checksum(A * 4)
    large = ForgedDisk(raw=A * 4, frames=[block_256], chunk_size=2**18)
    return {
        "frame-gives-more": single(header(CHUNK) + bomb + SUM_A),
        "frame-gives-less": single(header(CHUNK) + block(RLE, 1000, b"A", last=True) + SUM_A),
        "frame-content-checksum": single(header(CHUNK) + RLE_A + checksum(B)),
        "frame-block-damaged": single(header(CHUNK) + damaged + SUM_A),
        "frame-block-over-128-kib": Forge(disks=[large], files={}),
    }


def _links() -> Forges:
    """[F-8]  INDEX and the chunk list say what is right; only the link is not."""

    def link(target: str, number: int = 1) -> Forge:
        forge = linked()
        forge.members = put(number, Member(Forge.chunk(number), link=target))
        return forge

    with_data = linked()
    with_data.members = put(1, Member(Forge.chunk(1), frame(A), link=Forge.chunk(0)))
    to_link = Forge(disks=[ForgedDisk(raw=A * 3)], files={})
    to_link.frames[1:] = [0, 0]
    to_link.members = put(2, Member(Forge.chunk(2), link=Forge.chunk(1)))
    shorter = Forge(disks=[ForgedDisk(raw=A + A[:5])], files={})
    shorter.frames[1] = 0
    other = Forge(disks=[ForgedDisk(raw=A + B)], files={})
    other.frames[1] = 0
    forward = Forge(disks=[ForgedDisk(raw=A + A)], files={})
    forward.frames[0] = 1
    too_many = Forge(disks=[ForgedDisk(raw=bytes(1002 * CHUNK), frames=[ZERO, *[0] * 1001])])
    too_many.files = {}
    to_file = filed()
    to_file.disks = [ForgedDisk(raw=A + A)]
    to_file.frames[1] = 0
    to_file.members = lambda members: members.__setitem__(
        slice(None),
        [members[3], members[0], Member(Forge.chunk(1), link=members[3].name), members[2]],
    )
    return {
        "link-with-data": with_data,
        "link-forward": forward,
        "link-to-itself": link(Forge.chunk(1)),
        "link-to-nothing": link("disks/0002/00000/000.zst"),
        "link-out-of-the-archive": link("/etc/passwd"),
        "link-to-a-file": to_file,
        "link-to-a-link": to_link,
        "link-of-another-length": shorter,
        "links-1001": too_many,
        "link-to-other-data": other,
    }


def _lists() -> Forges:
    """Lines of a chunk list, which has the digest that the manifest gives [F-9]."""

    def lines(edit: Callable[[list[str]], None], forge: Forge | None = None) -> Forge:
        forge = forge or single()
        forge.lines = edit
        return forge

    def first(change: Callable[[str], str]) -> Forge:
        return lines(lambda found: found.__setitem__(0, change(found[0])))

    other_list = single()
    other_list.manifest = lambda value: value["disks"][0].update(list_sha256="0" * 64)
    return {
        "list-line-digest": first(lambda line: "0" * 64 + line[64:]),
        "list-line-name": first(lambda line: line.replace("000.zst", "001.zst")),
        "list-line-in-upper-case": first(lambda line: line[:64].upper() + line[64:]),
        "list-line-of-a-link": lines(
            lambda found: found.__setitem__(1, "0" * 64 + found[1][64:]), linked()
        ),
        "list-without-a-line": lines(lambda found: found.clear()),
        "list-of-another-digest": other_list,
    }


def _index() -> Forges:
    """Entries of INDEX, which has the digest that the manifest gives [F-11]."""

    def entries(edit: Callable[[list[tuple[int, int]]], object], forge: Forge) -> Forge:
        forge.index = edit
        return forge

    def entry(number: int, *place: int, forge: Forge | None = None) -> Forge:
        put_it = (place[0], place[1])
        return entries(lambda found: found.__setitem__(number, put_it), forge or single())

    two = Forge(disks=[ForgedDisk(raw=A + b"tail")], files={})

    def of_link(found: list[tuple[int, int]]) -> None:
        found[1] = (found[0][0] + 1024, 0)

    other_digest = single()
    other_digest.manifest = lambda value: value.update(index_sha256="0" * 64)
    return {
        "index-entry-within-a-block": entry(0, 1537, 17),
        "index-entry-beyond-64-bits": entry(0, 2**64 - 512, 512),
        "index-entries-swapped": entries(
            lambda found: found.__setitem__(slice(2), found[1::-1]), two
        ),
        "index-entry-of-a-link": entries(of_link, linked()),
        "index-entry-of-the-list": entry(1, 1536, 91),
        "index-entry-of-a-file": entry(0, 512, 4, forge=filed()),
        "index-entry-missing": entries(lambda found: found.pop(), single()),
        "index-entry-too-many": entries(lambda found: found.append((1536, 17)), single()),
        "index-of-another-digest": other_digest,
    }
