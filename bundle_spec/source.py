"""Bounded reads at any place of a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from bundle_spec.errors import BundleError, LocalError

PIECE = 2**20


class Source:
    """A bundle's bytes.  Reads never move a common position: threads and processes may share it."""

    def __init__(self, path: Path):
        """Open ``path``.  Raises LocalError."""
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise LocalError(
                f"cannot open the bundle: {exc.strerror}",
                where=str(path),
                remedy="check the path and its permissions",
            ) from exc
        self.size = os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``offset``.

        Raises BundleError when the file ends before, LocalError when the medium fails.
        """
        try:
            data = os.pread(self._fd, length, offset)
            # One pread gives at most 2 GiB; a signal or a network file system less.
            while len(data) < length:
                more = os.pread(self._fd, length - len(data), offset + len(data))
                if not more:
                    raise BundleError(
                        f"the file ends at {offset + len(data)}, where {length} bytes "
                        f"from {offset} were due",
                        where=str(self.path),
                        remedy="copy the bundle again",
                    )
                data += more
        except OSError as exc:
            raise LocalError(
                f"cannot read at {offset}: {exc.strerror}",
                where=str(self.path),
                remedy="check the medium",
            ) from exc
        return data

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """The ``length`` bytes at ``offset``, at most 1 MiB at a time."""
        end = offset + length
        while offset < end:
            piece = self.read(offset, min(PIECE, end - offset))
            offset += len(piece)
            yield piece

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
