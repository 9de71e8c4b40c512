"""Damage a bundle byte by byte, and see that a check finds it and says where it is.

What counts as named, by the byte that was flipped:

- in a header of the body or of the tail: ``header`` at that member; padding: ``padding`` there;
- in a frame ``list-line``, in a chunk list ``list-digest``, in a file ``file-digest``, in INDEX
  ``index-digest``, in the manifest ``manifest-digest``, each at that member;
- in the magic, and in the header of END: the file as a whole, because without them there is no
  bundle to have members: ``not-a-bundle``, ``unknown-format`` or ``truncated``;
- in the data of END: END, or the member of the tail of which END now says something else;
- behind END: ``trailer`` at END;
- in the data of the signature: nothing, for only who verifies it can tell [F-13] [F-16].
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bundle_spec import open_bundle, verify_bundle
from bundle_spec.codes import Code, Place
from bundle_spec.errors import BundleError, Faults
from bundle_spec.form import digest
from tests.vectors.vector import Contents, Vector, places

Named = tuple[Code | None, int | None]
"""The code of a fault and the offset of its member; None: the file as a whole."""

WHOLE = None
TAIL = ("INDEX", "manifest.json", "manifest.json.sig")


class Region(NamedTuple):
    """A member: where its header and its data begin, and what they end with."""

    name: str
    header: int
    data: int
    padding: int
    end: int


class Victim:
    """A bundle of which bytes are flipped, one at a time."""

    def __init__(self, vector: Vector, path: Path):
        self.path = path
        self.whole = vector.data
        self.contents: Contents = vector.contents
        self.regions = regions(vector.data)
        path.write_bytes(self.whole)

    def region(self, position: int) -> Region:
        """The member that the byte lies in; what follows END is END's."""
        return next(each for each in reversed(self.regions) if each.header <= position)

    def named(self, position: int) -> set[Named]:
        """The faults one of which must be told when the byte at ``position`` is another."""
        region = self.region(position)
        here = region.header
        if region.name == "END":
            return self._named_of_end(region, position)
        if position >= region.padding:
            return {(Code.PADDING, here)}
        if region.name == "dpbundle":
            return {(Code.NOT_A_BUNDLE, WHOLE), (Code.UNKNOWN_FORMAT, WHOLE)}
        if position < region.data:
            return {(Code.HEADER, here)}
        if region.name == "manifest.json.sig":
            return set()
        return {(_digest_code(region.name), here)}

    def _named_of_end(self, end: Region, position: int) -> set[Named]:
        if position < end.data:
            return {(Code.TRUNCATED, WHOLE)}
        if position >= end.end:
            return {(Code.TRAILER, end.header)}
        found: set[Named] = {(code, end.header) for code in (Code.END, Code.TAIL_ORDER, Code.LIMIT)}
        for region in self.regions:
            if region.name in TAIL:
                codes = (Code.HEADER, Code.PADDING, Code.MANIFEST_DIGEST)
                found |= {(code, region.header) for code in codes}
        return found

    @contextmanager
    def flipped(self, position: int, mask: int) -> Iterator[None]:
        """The file with the bits of ``mask`` flipped in one byte."""
        fd = os.open(self.path, os.O_RDWR)
        try:
            os.pwrite(fd, bytes([self.whole[position] ^ mask]), position)
            yield
            os.pwrite(fd, self.whole[position : position + 1], position)
        finally:
            os.close(fd)

    def check_flip(self, position: int, mask: int) -> None:
        """Assert that it is found, and named; and that no wrong byte is handed out."""
        with self.flipped(position, mask):
            due, found = self.named(position), faults(self.path)
            where = f"byte {position} ^ {mask:#x}, in {self.region(position)}"
            if due:
                assert found & due, f"{where}: {found or 'not found'}"
            else:
                assert not found, f"{where}: {found}"
            self.check_reading(where)

    def check_cut(self, size: int) -> None:
        """Assert that the file is refused when it ends after ``size`` bytes."""
        self.path.write_bytes(self.whole[:size])
        found = faults(self.path)
        due = {(Code.NOT_A_BUNDLE, WHOLE), (Code.TRUNCATED, WHOLE)}
        assert found, f"cut at {size}: not found"
        assert found <= due, f"cut at {size}: {found}"
        self.check_reading(f"cut at {size}", opens=False)
        self.path.write_bytes(self.whole)

    def check_reading(self, where: str, *, opens: bool = True) -> None:
        """Whoever opens the file without a check gets the right bytes, or an error."""
        try:
            with open_bundle(self.path) as bundle:
                assert opens, where
                for disk in bundle.manifest.disks:
                    name, stream = f"disks/{disk.id}", bundle.disk(disk.id).stream()
                    # One damaged disk does not hide another.
                    try:
                        assert digest.of_stream(stream) == self.contents[name], where
                    except BundleError:
                        continue
                for file in bundle.manifest.files:
                    try:
                        data = bundle.read_file(file.path)
                    except BundleError:
                        continue
                    assert digest.of(data) == self.contents[file.path], where
        except BundleError:
            pass


def regions(data: bytes) -> list[Region]:
    """Of all members, in the order of the file; as Python's tarfile has them."""
    found = []
    for name, (header, start, size) in places(data).items():
        end = start + size
        found.append(Region(name, header, start, end, end + -end % 512))
    return found


def _digest_code(name: str) -> Code:
    if name.endswith(".zst"):
        return Code.LIST_LINE
    if name.endswith(".sha256"):
        return Code.LIST_DIGEST
    special = {"INDEX": Code.INDEX_DIGEST, "manifest.json": Code.MANIFEST_DIGEST}
    return special.get(name, Code.FILE_DIGEST)


def faults(path: Path) -> set[Named]:
    """What a verifying reader tells of the bundle."""
    try:
        verify_bundle(path)
    except BundleError as exc:
        told = exc.faults if isinstance(exc, Faults) else [exc]
        return {_named(fault) for fault in told if isinstance(fault, BundleError)}
    return set()


def _named(fault: BundleError) -> Named:
    return fault.code, fault.where.offset if isinstance(fault.where, Place) else WHOLE


@contextmanager
def seeded(default: int | None = None) -> Iterator[random.Random]:
    """A random generator whose seed is told when something fails.

    The environment variable SOAK_SEED sets it; else it is ``default``, or another each time.
    """
    text = os.environ.get("SOAK_SEED")
    fallback = random.randrange(2**32) if default is None else default
    seed = int(text) if text else fallback
    try:
        yield random.Random(seed)
    except BaseException as exc:
        exc.add_note(f"again with SOAK_SEED={seed}")
        raise
