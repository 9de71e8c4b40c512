"""Read bytes at any offset of a bundle, whether it is one file or split into parts."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.medium import CHECK_MEDIUM, local_error, local_errors
from bundle_spec.private import open_regular

PIECE = 2**20
COPY_AGAIN = "copy the bundle again, or make it again at the source"


class Part(NamedTuple):
    """A file that holds ``size`` bytes of the bundle, from ``offset`` on."""

    path: Path
    fd: int
    offset: int
    size: int


class Source:
    """The ``size`` bytes of a bundle; its ``parts`` are read as if they were one file [S-1].

    Threads may share it, and forked processes: no read moves a common position.
    """

    def __init__(self, path: Path, parts: Sequence[Path] = ()):
        """Open the bundle called ``path``, or its ``parts``.  Raises LocalError."""
        self.path = path
        self.parts: list[Part] = []
        self.size = 0
        try:
            for file in parts or (path,):
                fd = self._open(file)
                with local_errors("cannot open the bundle", file):
                    part = Part(file, fd, self.size, os.fstat(fd).st_size)
                self.parts.append(part)
                self.size += part.size
        except BaseException:
            self.close()
            raise
        self._offsets = [part.offset for part in self.parts]

    @staticmethod
    def _open(path: Path) -> int:
        try:
            return open_regular(path)
        except OSError as exc:
            remedy = "check the path and its permissions"
            raise local_error("cannot open the bundle", exc, path, remedy) from exc

    def part_at(self, offset: int) -> Part:
        """The part that holds the byte at ``offset``, or the last one."""
        return self.parts[max(0, bisect_right(self._offsets, offset) - 1)]

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``offset``.

        Raises BundleError when the file ends before, LocalError when the medium fails.
        """
        data = self._read_some(offset, length)
        # One read ends where a part ends, or after 2 GiB; a network file system may give less.
        while len(data) < length:
            more = self._read_some(offset + len(data), length - len(data))
            if not more:
                raise BundleError(
                    f"the file ends at {offset + len(data)}, where {length} bytes "
                    f"from {offset} were due",
                    where=str(self.path),
                    remedy=COPY_AGAIN,
                    code=Code.TRUNCATED,
                )
            data += more
        return data

    def _read_some(self, offset: int, length: int) -> bytes:
        part = self.part_at(offset)
        within = offset - part.offset
        try:
            return os.pread(part.fd, min(length, max(0, part.size - within)), within)
        except OSError as exc:
            what = f"cannot read at {within}"
            raise local_error(what, exc, part.path, CHECK_MEDIUM) from exc

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """The ``length`` bytes at ``offset``, at most 1 MiB at a time."""
        end = offset + length
        while offset < end:
            piece = self.read(offset, min(PIECE, end - offset))
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Close the files."""
        while self.parts:
            os.close(self.parts.pop().fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
