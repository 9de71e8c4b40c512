"""Bundles with chunks that are stored as differences to others [F-21]."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

from tests.vectors import compressed
from tests.vectors.forge import CHUNK, Forge, ForgedDisk, Json, sha256
from tests.vectors.zstd_frames import frame

Forges = dict[str, Forge]

REFERENCE = compressed.text(1, CHUNK)
"""The raw bytes of ``compressed.FAST``."""

CHANGED = (
    REFERENCE[:1000] + b"a difference" + REFERENCE[1012:40000] + REFERENCE[50000:] + REFERENCE
)[:CHUNK]

DIFFERENCE = b64decode(
    """
KLUv/WQA/20CAIhhIGRpZmZlcmVuY2U4MjcyMREADQfw0LobCYOH/lBnUHA4yDvrEHIung9An1adHfB/CIBygDC8nGJgMEBE
Vs4Gkgr87D4Up0KMRAYCcgV9Kw==
"""
)
"""``CHANGED`` behind ``REFERENCE``, made once with zstd 1.5.7 at level 3."""

SHORT = b64decode("KLUv/WQAD90AAGBhIGRpZmZlcmVuY2UDAAkEfnYfilMhRiIDAffIhwc=")
"""``CHANGED[:4096]``, the same way."""


def told(name: str, digest: str = sha256(compressed.FAST)) -> bytes:
    """What stands before the frame of a difference."""
    line = f"{digest}  {name}\n".encode()
    return b"\x5d\x2a\x4d\x18" + len(line).to_bytes(4, "little") + line


def valid() -> Forges:
    first = ForgedDisk("0001", REFERENCE + CHANGED + CHANGED + CHANGED[:4096])
    reference = told(first.chunk(0))
    first.frames = [compressed.FAST, reference + DIFFERENCE, 1, reference + SHORT]
    second = ForgedDisk("0002", CHANGED + REFERENCE, frames=[first.frames[1], first.chunk(0)])
    broken = ForgedDisk("0001", REFERENCE, frames=[compressed.FAST], abandoned=True)
    again = ForgedDisk("0002", CHANGED, frames=[told(broken.chunk(0)) + DIFFERENCE])
    return {
        "differences": _with_the_word(Forge(disks=[first, second], files={})),
        "difference-to-an-abandoned-disk": _with_the_word(Forge(disks=[broken, again], files={})),
        "no-differences-but-the-word": _with_the_word(
            Forge(disks=[ForgedDisk(raw=b"tail")], files={})
        ),
    }


def invalid() -> Forges:
    def second(stored: bytes | str | int) -> Forge:
        disk = ForgedDisk(raw=REFERENCE + CHANGED, frames=[compressed.FAST, stored])
        return _with_the_word(Forge(disks=[disk], files={}))

    own = [Forge.chunk(number) for number in range(3)]
    reference, forward = told(own[0]), second(told(own[1]) + DIFFERENCE)
    forward.disks[0].raw = CHANGED + REFERENCE
    forward.frames[:] = [told(own[1]) + DIFFERENCE, compressed.FAST]
    to_link = second(0)
    to_link.disks[0].raw = REFERENCE * 2 + CHANGED
    to_link.frames.append(told(own[1]) + DIFFERENCE)
    to_difference = second(reference + DIFFERENCE)
    to_difference.disks[0].raw += CHANGED
    made = sha256(reference + DIFFERENCE)
    to_difference.frames.append(told(own[1], made) + DIFFERENCE)
    to_other = second(told(own[1], sha256(frame(b"B" * CHUNK))) + DIFFERENCE)
    to_other.disks[0].raw = REFERENCE + b"B" * CHUNK + CHANGED
    to_other.frames.insert(1, frame(b"B" * CHUNK))
    without = second(reference + DIFFERENCE)
    without.manifest = lambda value: None
    return {
        "difference-without-the-word": without,
        "difference-forward": forward,
        "difference-to-itself": second(told(own[1]) + DIFFERENCE),
        "difference-to-nothing": second(told("disks/0009/00000/000.zst") + DIFFERENCE),
        "difference-to-a-link": to_link,
        "difference-to-a-difference": to_difference,
        "difference-of-another-digest": second(told(own[0], "0" * 64) + DIFFERENCE),
        "difference-to-a-path": second(told("disks/0001/../../passwd.") + DIFFERENCE),
        "difference-in-upper-case": second(told(own[0], "AB" * 32) + DIFFERENCE),
        "difference-of-a-longer-line": second(told(own[0] + "\n") + DIFFERENCE),
        "difference-cut-in-its-line": second(reference[:50]),
        "difference-without-a-frame": second(reference),
        "difference-and-a-byte": second(reference + DIFFERENCE + b"\0"),
        "difference-to-other-data": to_other,
    }


def _with_the_word(forge: Forge) -> Forge:
    edit: Callable[[Json], None] = lambda value: value.update(requires=["differences"])  # noqa: E731
    forge.manifest = edit
    return forge
