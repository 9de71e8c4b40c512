"""Bundles with one fault each: of the file, its members, and its tail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.vectors.forge import Forge, ForgedDisk, Member, ustar
from tests.vectors.vector import (
    A,
    Vector,
    cut,
    drop,
    empty,
    filed,
    flip,
    insert,
    linked,
    places,
    put,
    single,
    swap,
    vector,
)

Forges = dict[str, Forge]

SITE = "playbook/site.yml"
CHUNK_0 = "disks/0001/00000/000.zst"
LIST = "disks/0001.sha256"


def cases() -> dict[str, Vector]:
    forges = {**_headers(), **_members(), **_tails(), **_ends()}
    return {
        **{name: vector(forge) for name, forge in forges.items()},
        **_damage(),
        "two-bundles": _two_bundles(),
    }


def _damage() -> dict[str, Vector]:
    """What goes wrong on the way: bits, cuts, bytes that follow."""
    small, disk, site = vector(empty()), vector(single()), vector(filed())
    edits: dict[str, tuple[Vector, Callable[[bytes], bytes]]] = {
        "no-bytes": (small, lambda data: b""),
        "cut-within-the-data-of-the-magic": (small, lambda data: data[:515]),
        "cut-within-magic": (small, lambda data: data[:700]),
        "cut-after-magic": (small, lambda data: data[:1024]),
        "cut-after-a-member": (disk, cut(LIST)),
        "cut-within-a-member": (disk, cut(LIST, 300)),
        "cut-before-end": (disk, cut("END")),
        "cut-within-end": (small, cut("END", 512)),
        "cut-within-trailer": (small, lambda data: data[:-512]),
        "byte-after-the-end": (small, lambda data: data + b"\0"),
        "zeros-after-the-end": (small, lambda data: data + bytes(10240)),
        "trailer-flipped": (small, flip("END", 1024 + 1000)),
        "magic-flipped": (small, flip("dpbundle", 512)),
        "magic-header-flipped": (small, flip("dpbundle", 150)),
        "magic-padding-flipped": (small, flip("dpbundle", 1000)),
        "header-flipped": (site, flip(SITE, 101)),
        "chunk-header-flipped": (disk, flip(CHUNK_0, 20)),
        "frame-flipped": (disk, flip(CHUNK_0, 512 + 10)),
        "list-flipped": (disk, flip(LIST, 512 + 66)),
        "file-flipped": (site, flip(SITE, 512)),
        "index-flipped": (disk, flip("INDEX", 512)),
        "manifest-flipped": (small, flip("manifest.json", 512 + 100)),
        "end-flipped": (small, flip("END", 512 + 3)),
        "end-header-flipped": (small, flip("END", 0)),
        "chunk-padding-flipped": (disk, flip(CHUNK_0, 1023)),
        "file-padding-flipped": (site, flip(SITE, 512 + 4)),
        "manifest-padding-flipped": (small, _last_of_manifest),
    }
    return {name: made.edited(edit) for name, (made, edit) in edits.items()}


def _last_of_manifest(data: bytes) -> bytes:
    return flip("manifest.json", places(data)["END"][0] - places(data)["manifest.json"][0] - 1)(
        data
    )


def _two_bundles() -> Vector:
    """One behind the other: END is that of the second, and its offsets are too small."""
    small = vector(empty())
    return replace(small, files={"": small.data + small.data})


def _headers() -> Forges:
    """Headers that a tar tool takes and this format does not [F-2]."""

    def header(**change: Any) -> Forge:
        forge = filed()
        name, data = next(iter(forge.files.items()))
        forge.members = put(0, Member(name, data, header=ustar(name, len(data), **change)))
        return forge

    def more(kind: bytes, name: str, link: str = "", data: bytes = b"") -> Forge:
        head = ustar(name, len(data), link, kind=kind)
        forge = empty()
        forge.members = insert(0, Member(name, data, header=head))
        return forge

    wrong_sum = bytearray(ustar(SITE, 4))
    wrong_sum[148:154] = b"000000"
    behind = bytearray(ustar(SITE, 4))
    behind[99] = 1
    behind[148:154] = f"{sum(behind[:148]) + 8 * 32 + sum(behind[156:]):06o}".encode()

    def exactly(head: bytes) -> Forge:
        forge = filed()
        forge.members = put(0, Member(SITE, b"---\n", header=head))
        return forge

    tail = empty()
    tail.tail = lambda members: setattr(
        members[1], "header", ustar("manifest.json", len(members[1].data), mode=b"0000755\0")
    )
    return {
        "header-mode": header(mode=b"0000755\0"),
        "header-mode-in-another-form": header(mode=b"000644 \0"),
        "header-uid": header(uid=b"0001000\0"),
        "header-user-name": header(rest=b"root".ljust(247, b"\0")),
        "header-size-in-base-256": header(size_field=b"\x80" + bytes(10) + b"\4"),
        "header-checksum": exactly(bytes(wrong_sum)),
        "header-byte-behind-the-name": exactly(bytes(behind)),
        "header-old-type": header(kind=b"\0"),
        "header-of-manifest": tail,
        "symlink": more(b"2", "playbook/link", "/etc/passwd"),
        "device": more(b"3", "playbook/null"),
        "directory": more(b"5", "playbook/"),
        "pax-header": more(b"x", "./PaxHeaders/site.yml", data=b"19 path=/etc/passwd\n"),
        "gnu-long-name": more(b"L", "././@LongLink", data=b"x" * 200 + b"\0"),
    }


def _members() -> Forges:
    """Members that should not be there, are not there, or stand elsewhere."""

    def with_members(forge: Forge, edit: Callable[[list[Member]], None]) -> Forge:
        forge.members = edit
        return forge

    def extra(name: str, data: bytes = b"x") -> Forge:
        return with_members(empty(), insert(0, Member(name, data)))

    two = Forge(disks=[ForgedDisk(raw=A + b"tail")], files={})
    site = Member(SITE, b"---\n")

    return {
        "unlisted-file": extra("README"),
        "unlisted-absolute-name": extra("/etc/passwd"),
        "unlisted-name-upwards": extra("playbook/../../x"),
        "unlisted-disk": extra("disks/0001/00000/000.zst"),
        "unlisted-chunk": with_members(
            single(), insert(1, Member("disks/0001/00000/001.zst", b"x"))
        ),
        "end-in-the-body": extra("END", bytes(512)),
        "file-missing": with_members(filed(), drop(0)),
        "list-missing": with_members(single(), drop(1)),
        "file-twice": with_members(filed(), insert(1, site)),
        "file-twice-with-other-data": with_members(filed(), insert(1, Member(SITE, b"rm \n"))),
        "chunk-twice": with_members(single(), lambda members: members.insert(0, members[0])),
        "chunks-swapped": with_members(two, swap(0, 1)),
        "last-chunk-missing": with_members(linked(), drop(2)),
        "list-before-the-last-chunk": with_members(linked(), swap(2, 3)),
        "member-reaches-into-index": with_members(
            empty(), insert(0, Member("playbook/x", header=ustar("playbook/x", 2**32)))
        ),
        "file-shorter": with_members(filed(), put(0, Member(SITE, b"---"))),
        "file-is-a-link": with_members(filed(), put(0, Member(SITE, link="playbook/other"))),
    }


def _tails() -> Forges:
    """The last members [F-4]."""

    def tailed(edit: Callable[[list[Member]], None], forge: Forge | None = None) -> Forge:
        forge = forge or empty()
        forge.tail = edit
        return forge

    signed = empty()
    signed.signature = b"-----BEGIN SSH SIGNATURE-----\n"
    signed.end = lambda end: end.update(signature=None)
    return {
        "tail-member-between": tailed(insert(1, Member("playbook/x", b"x"))),
        "tail-manifest-before-index": tailed(swap(0, 1)),
        "tail-signature-that-end-does-not-know": signed,
    }


def _ends() -> Forges:
    """END is a form of one way only [F-14]."""

    def end(edit: Callable[[dict[str, Any]], object]) -> Forge:
        forge = empty()
        forge.end = edit
        return forge

    def text(old: bytes, new: bytes) -> Forge:
        forge = empty()
        forge.end_bytes = lambda data: data.replace(old, new, 1).ljust(512)[:512]
        return forge

    return {
        "end-unknown-key": end(lambda value: value.update(more=1)),
        "end-key-missing": end(lambda value: value.pop("signature", None)),
        "end-keys-in-another-order": end(lambda value: value.update(index=value.pop("index"))),
        "end-white-space": text(b":", b": "),
        "end-without-line-feed": text(b"\n", b" "),
        "end-false-for-zero": end(lambda value: value["index"].__setitem__(1, False)),
        "end-fraction": text(b'"version":1', b'"version":1.0'),
        "end-of-another-major-version": end(lambda value: value.update(version=2)),
        "end-digest-in-upper-case": end(lambda value: value.update(manifest_sha256="A" * 64)),
        "end-digest-of-another-manifest": end(lambda value: value.update(manifest_sha256="0" * 64)),
        "end-index-elsewhere": end(lambda value: value.update(index=[2048, 0])),
        "end-signature-that-is-not-there": end(lambda value: value.update(signature=[1536, 20])),
        "end-manifest-over-24-mib": end(
            lambda value: value["manifest"].__setitem__(1, 24 * 2**20 + 1)
        ),
        "end-signature-over-64-kib": end(lambda value: value.update(signature=[1536, 2**16 + 1])),
        "magic-of-the-next-major-version": Forge(disks=[], files={}, magic=b"dpbundle 2\n"),
        "magic-without-line-feed": Forge(disks=[], files={}, magic=b"dpbundle 1"),
    }
