"""Split bundles with one fault each: a folder with parts, and mostly their list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.vectors.forge import CHUNK, UUID
from tests.vectors.valid import stored_raw
from tests.vectors.vector import BUNDLE, Vector, split, vector

FIRST, SECOND, THIRD = (f"{BUNDLE}.{number:03d}" for number in (1, 2, 3))
LIST = f"{BUNDLE}.parts"

Files = dict[str, bytes]


def cases() -> dict[str, Vector]:
    two, three = split(vector(stored_raw(1)), [CHUNK]), split(vector(stored_raw(2)), [CHUNK] * 2)
    edits: dict[str, tuple[Vector, Callable[[Files], object]]] = {
        "parts-missing": (three, lambda files: (files.pop(FIRST), files.pop(SECOND))),
        "part-missing-without-list": (two, lambda files: (files.pop(FIRST), files.pop(LIST))),
        "part-cut": (two, lambda files: files.update({FIRST: files[FIRST][:1000]})),
        "part-of-no-bytes": (two, lambda files: files.update({SECOND: b""})),
        "part-flipped": (two, lambda files: files.update({SECOND: _flipped(files[SECOND])})),
        "part-of-another-bundle": (two, lambda files: files.update({SECOND: _older(SECOND)})),
        "part-list-in-another-order": (
            two,
            lambda files: files.update({LIST: b"".join(files[LIST].splitlines(True)[::-1])}),
        ),
        "part-list-of-another-bundle": (
            two,
            lambda files: files.update({LIST: files[LIST].replace(b"out.", b"in.")}),
        ),
        "part-list-empty": (two, lambda files: files.update({LIST: b""})),
        "part-list-without-line-feed": (
            two,
            lambda files: files.update({LIST: files[LIST][:-1]}),
        ),
        "part-list-with-asterisks": (
            two,
            lambda files: files.update({LIST: files[LIST].replace(b"  ", b" *")}),
        ),
        "part-in-the-middle-cut": (
            three,
            lambda files: files.update({SECOND: files[SECOND][:1000]}),
        ),
        "parts-swapped": (
            three,
            lambda files: files.update({FIRST: files[SECOND], SECOND: files[FIRST]}),
        ),
    }
    found = {}
    for name, (made, edit) in edits.items():
        files = dict(made.files)
        edit(files)
        found[name] = replace(made, files=files)
    return found


def _flipped(data: bytes) -> bytes:
    """A letter of the manifest is another one."""
    at = data.index(UUID.encode())
    return data[:at] + b"7" + data[at + 1 :]


def _older(part: str) -> bytes:
    """A part of the bundle that had this name before, with other bytes in its disk."""
    return split(vector(stored_raw(1, first=7)), [CHUNK]).files[part]
