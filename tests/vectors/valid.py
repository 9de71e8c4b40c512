"""Bundles that every reader must take."""

from __future__ import annotations

from typing import Any

from tests.vectors import compressed, differences, signatures
from tests.vectors.forge import CHUNK, Forge, ForgedDisk, Json, Member
from tests.vectors.tenant import tenant, without
from tests.vectors.vector import A, B, Vector, empty, linked, noise, single, split, vector
from tests.vectors.zstd_frames import (
    MAX_BLOCK,
    RAW,
    RLE,
    block,
    checksum,
    frame,
    header,
    raw_blocks,
)

MIB = 2**20
C = b"C" * CHUNK
ZERO = frame(bytes(CHUNK))

ZEROS_4097 = "bba10b95a33904a71a3ef4418fb3bc0f2b18a7587657c9f6eb37bc1adcb6b317"
"""SHA-256 of 4,097 chunks of zero bytes."""

Z_CHECKSUM = "27d82075"
"""The checksum of 16 MiB of ``Z``, which takes seconds to reckon in Python."""


def cases() -> dict[str, Vector]:
    """Name -> bundle.  All but ``keys-absent`` have every key, so that a reader that writes the
    manifest again writes the same bytes."""
    forges = {
        "minimal": empty(),
        "one-disk": single(),
        "short-last-chunk": linked(),
        "empty-disk": single(raw=b""),
        "interleaved": _interleaved(),
        "links-across-disks": _links_across_disks(),
        "abandoned-link-source": _abandoned(),
        "abandoned-within-chunk": _abandoned_within_chunk(),
        "disk-ids-with-gaps": Forge(
            disks=[ForgedDisk("0007", b"seven"), ForgedDisk("9999", b"last")], files={}
        ),
        "links-1000": _many_links(1001),
        "second-directory": _many_links(4097, sha256=ZEROS_4097),
        "files": _files(),
        "frames-compressed": _frames_compressed(),
        "frames-raw-blocks": _frames_raw_blocks(),
        "frames-rle-blocks": _frames_rle_blocks(),
        "frames-header-forms": _frames_header_forms(),
        "frame-of-the-greatest-length": single(frame_of_length(b"tail", 4 + 512), raw=b"tail"),
        "chunk-size-16-mib": _chunk_size_16_mib(),
        **differences.valid(),
        "newer-minor-version": Forge(
            disks=[], files={}, manifest=lambda value: value.update(version=[1, 7], later={"a": 1})
        ),
        "unknown-keys": _unknown_keys(),
        "depth-32": Forge(disks=[], files={}, manifest=lambda value: value.update(deep=nested(31))),
        "depth-32-and-a-number": Forge(
            disks=[], files={}, manifest=lambda value: value.update(deep=nested(31, [7]))
        ),
        "moments": _moments(),
        "empty-texts": Forge(
            disks=[ForgedDisk("0001", b"image")],
            files={},
            manifest=lambda value: value.update(without("0001")),
        ),
        "resources": Forge(
            disks=[ForgedDisk("0001", b"image"), ForgedDisk("0002", b"volume")],
            files={},
            manifest=lambda value: value.update(tenant("0001", "0002")),
        ),
        "signed": Forge(disks=[], files={}, signature=signatures.SIGNED),
        "signature-that-is-none": Forge(disks=[], files={}, signature=b"hello\n"),
        "everything": everything(signature=signatures.EVERYTHING),
    }
    for forge in forges.values():
        forge.full = True
    found = {name: vector(forge) for name, forge in forges.items()}
    two, one = (vector(stored_raw(chunks)) for chunks in (2, 1))
    return {
        **found,
        "keys-absent": vector(single()),
        "split": split(two, [CHUNK, CHUNK]),
        "split-without-list": split(one, [CHUNK], listed=False),
    }


def nested(levels: int, innermost: Any = ()) -> Any:
    """Lists within lists, so many."""
    return list(innermost) if levels == 1 else [nested(levels - 1, innermost)]


def _moments() -> Forge:
    """The other form of UTC."""
    at = "2028-02-29T23:59:59+00:00"
    capture = {"type": "image", "id": "i", "at": at, "consistency": "idle", "source_hash": None}
    disk = ForgedDisk(raw=b"disk", more={"capture": capture})
    return Forge(disks=[disk], files={}, manifest=lambda value: value.update(created=at))


def stored_raw(chunks: int, first: int = 0) -> Forge:
    """A bundle that is large enough to split: its chunks are not compressed."""
    raw = b"".join(bytes([first + number, 255]) * (CHUNK // 2) for number in range(chunks))
    return Forge(disks=[ForgedDisk(raw=raw)], files={}, full=True)


def frame_of_length(raw: bytes, length: int) -> bytes:
    """A frame of exactly ``length`` bytes: the rest of it are empty blocks."""
    head = header(len(raw), field=8)
    rest = length - len(head) - len(block(RAW, len(raw), raw)) - 4
    count, left = divmod(rest, 3)
    if left:
        raise ValueError(f"{left} bytes would be left")
    return head + block(RAW, 0, b"") * count + block(RAW, len(raw), raw, last=True) + checksum(raw)


def _interleaved() -> Forge:
    """Three disks and two files whose members come in turns; lists as soon as they may."""
    disks = [
        ForgedDisk("0001", A + C + b"one"),
        ForgedDisk("0002", B + b"two"),
        ForgedDisk("0003", b"three"),
    ]
    turns = "1:0 2:0 site 1:1 3:0 2:1 3:list other 1:2 1:list 2:list".split()

    def arrange(members: list[Member]) -> None:
        named = {member.name: member for member in members}
        names = {"site": "playbook/site.yml", "other": "playbook/a.yml"}
        for disk in disks:
            names[f"{int(disk.id)}:list"] = disk.list
            names |= {f"{int(disk.id)}:{n}": disk.chunk(n) for n in range(len(disk.frames))}
        members[:] = [named[names[turn]] for turn in turns]

    files = {"playbook/a.yml": b"a\n", "playbook/site.yml": b"---\n"}
    return Forge(disks=disks, files=files, members=arrange)


def _links_across_disks() -> Forge:
    """Links within a disk and to others, also from a disk with a lower id."""
    first = ForgedDisk("0001", B + A + b"end")
    second = ForgedDisk("0002", A + A + b"end")
    first.frames[1:] = [second.chunk(0), second.chunk(2)]
    second.frames[1] = 0

    def later_first(members: list[Member]) -> None:
        members[:] = members[4:] + members[:4]

    return Forge(disks=[first, second], files={}, members=later_first)


def _abandoned() -> Forge:
    """A first attempt that broke, and the disk of a second one that links to its chunks."""
    broken = ForgedDisk("0001", A + B, abandoned=True)
    again = ForgedDisk("0002", A + B + b"tail")
    again.frames[:2] = [broken.chunk(0), broken.chunk(1)]
    return Forge(disks=[broken, again], files={})


def _abandoned_within_chunk() -> Forge:
    """The source broke off in the middle of a chunk; what had come is the last chunk."""
    broken = ForgedDisk("0001", A + B[:777], abandoned=True)
    again = ForgedDisk("0002", A + B)
    again.frames[0] = broken.chunk(0)
    return Forge(disks=[broken, again], files={})


def _many_links(chunks: int, **more: str) -> Forge:
    """Zero bytes: every frame has 1,000 links, the last one what is left."""
    frames: list[bytes | str | int] = []
    for number in range(chunks):
        source = number - number % 1001
        frames.append(ZERO if source == number else source)
    raw = b"" if more else bytes(chunks * CHUNK)
    disk = ForgedDisk("0001", raw, frames=frames, more={"size": chunks * CHUNK, **more})
    return Forge(disks=[disk], files={})


def _files() -> Forge:
    longest = "playbook/" + "x" * 91
    return Forge(
        disks=[],
        files={
            "playbook/.hidden": b"\0",
            "playbook/A-b_c.1/d": noise(513),
            "playbook/empty": b"",
            "playbook/exact": noise(512),
            "playbook/exact-not-a-folder-of": b"\r\n",
            longest: b"the longest name",
        },
    )


def _frames_compressed() -> Forge:
    text = compressed.text
    disk = ForgedDisk(raw=text(1, CHUNK) + text(2, CHUNK) + text(3, 12000))
    disk.frames = [compressed.FAST, compressed.SMALL, compressed.BLOCKS]
    return Forge(disks=[disk], files={})


def _frames_raw_blocks() -> Forge:
    """Blocks of no bytes among them, one also as the last."""
    raw = noise(1000)
    blocks = raw_blocks(raw, [0, 1, 0, 510, 489]) + block(RAW, 0, b"", last=True)
    return single(header(1000) + blocks + checksum(raw), raw=raw)


def _frames_rle_blocks() -> Forge:
    raw = b"A" * 40000 + b"BC" + b"C" * 25534
    blocks = block(RLE, 40000, b"A") + block(RAW, 2, b"BC") + block(RLE, 25533, b"C")
    blocks += block(RLE, 1, b"C", last=True)
    return single(header(CHUNK) + blocks + checksum(raw), raw=raw)


def _frames_header_forms() -> Forge:
    """The size in 4 and in 8 bytes, windows of 16 MiB and of 1 KiB, the unused bit set."""
    rle = block(RLE, CHUNK, b"A", last=True) + checksum(A)
    small = b"".join(block(RLE, 1024, b"A", last=n == 63) for n in range(64)) + checksum(A)
    disk = ForgedDisk(raw=A * 5)
    disk.frames = [
        header(CHUNK, field=4) + rle,
        header(CHUNK, field=8) + rle,
        header(CHUNK, window=14 << 3) + rle,
        header(CHUNK, window=0) + small,
        header(CHUNK, flags=4 | 16) + rle,
    ]
    return Forge(disks=[disk], files={})


def _chunk_size_16_mib() -> Forge:
    """One chunk of 16 MiB in blocks of 128 KiB, and a short one."""
    size = 16 * MIB
    blocks = block(RLE, MAX_BLOCK, b"Z") * 127 + block(RLE, MAX_BLOCK, b"Z", last=True)
    whole = header(size) + blocks + bytes.fromhex(Z_CHECKSUM)
    raw = b"Z" * size + b"tail"
    disk = ForgedDisk(raw=raw, frames=[whole, frame(b"tail")], chunk_size=size)
    return Forge(disks=[disk], files={})


def _unknown_keys() -> Forge:
    """In every kind of record, some in an order that only code points have."""
    new: Json = {"new": {"a": [None, True, -1, {}], "\uff5e": 1, "\U0001f600": 2, "A": 3, "é": 4}}

    def everywhere(value: Json) -> None:
        value.update(tenant("0001", "0001"))
        value["omissions"] = [
            {"type": "server", "id": "o", "name": "o", "attribute": None, "reason": "none"}
        ]
        _extend(value, new)
        # Of these any key is data, and all values are strings.
        for section, mapping in (
            ("images", "properties"),
            ("volumes", "metadata"),
            ("volumes", "image_metadata"),
            ("volume_snapshots", "metadata"),
            ("volume_snapshots", "image_metadata"),
            ("servers", "metadata"),
        ):
            value["resources"][section][0][mapping].pop("new", None)

    capture: Json = {
        "type": "image",
        "id": "i1",
        "at": "2026-01-02T03:04:05Z",
        "consistency": "idle",
        "source_hash": None,
    }
    disk = ForgedDisk(raw=b"disk", more={"capture": capture})
    return Forge(disks=[disk], manifest=everywhere)


def _extend(value: Any, new: Json) -> None:
    for child in list(value.values()) if isinstance(value, dict) else value:
        if isinstance(child, (dict, list)):
            _extend(child, new)
    if isinstance(value, dict):
        value.update(new)


def everything(signature: bytes | None = None) -> Forge:
    """A little of everything: the bundle that the corruption tests damage."""
    first = ForgedDisk("0001", A + noise(300) * 3)
    broken = ForgedDisk("0002", B + noise(333, 1), abandoned=True)
    second = ForgedDisk("0003", B + A + compressed.text(1, CHUNK) + noise(900, 2))
    second.frames[:3] = [broken.chunk(0), first.chunk(0), compressed.FAST]
    nothing = ForgedDisk("0004", b"")
    third = ForgedDisk("0005", noise(900, 2))
    third.frames[0] = second.chunk(3)

    def arrange(members: list[Member]) -> None:
        file = members.pop(-2)
        members.insert(1, file)

    return Forge(
        disks=[first, broken, second, nothing, third],
        files={"playbook/a": noise(700, 3), "playbook/b/c": b"", "playbook/site.yml": b"---\n"},
        members=arrange,
        manifest=lambda value: value.update(tenant("0001", "0003"), unknown={"key": 1}),
        signature=signature,
        full=True,
    )
