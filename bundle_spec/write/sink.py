"""Write the bytes of a bundle to the medium: to one file, or to parts of a given size."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bundle_spec.durable import sync_folder
from bundle_spec.private import open_own
from bundle_spec.read.parts import MAX_PARTS

_PIECE = 2**20


class Sink(io.RawIOBase):
    """Appends to the files ``path_of(1)``, ``path_of(2)`` …, each of ``part_size`` bytes.

    With ``part_size`` None there is one file only.  ``first_fd``: the open first file, which it
    closes in the end.  ``digests``: the SHA-256, in hex, of each part that is full.  ``hashed``:
    compute that of a single file, too.  Raises OSError.  Not thread-safe, but for ``sync``.
    """

    def __init__(
        self,
        first_fd: int,
        path_of: Callable[[int], Path],
        part_size: int | None,
        *,
        hashed: bool = False,
    ):
        super().__init__()
        self._hashed = hashed or part_size is not None
        self._path_of = path_of
        self._part_size = part_size
        self._fds = [first_fd]
        self._names_synced = 0
        self._dropped = False
        self._room = part_size
        self._running = hashlib.sha256()
        self.digests: list[str] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data)
        if self._dropped:
            return len(view)
        if self._room == 0:
            self._next_part()
            self._room = self._part_size
        written = os.write(self._fds[-1], view[: self._room])
        if self._hashed:
            self._running.update(view[:written])
        if self._room is not None:
            self._room -= written
        return written

    def _next_part(self) -> None:
        if len(self._fds) == MAX_PARTS:
            raise OSError(0, f"a bundle has at most {MAX_PARTS} parts, choose larger ones")
        fd = open_own(self._path_of(len(self._fds) + 1), os.O_RDWR | os.O_CREAT)
        self._fds.append(fd)
        os.ftruncate(fd, 0)
        self.digests.append(self._running.hexdigest())
        self._running = hashlib.sha256()

    def go_on(self, position: int, digests: Sequence[str]) -> None:
        """Cut off what stands behind ``position``, in bytes of the bundle, and append there.

        ``digests``: of the full parts before the one that ``position`` lies in.  Raises OSError
        when fewer than ``position`` bytes are there.
        """
        size = self._part_size
        before = len(digests) if size else 0
        for number in range(2, before + 2):
            self._fds.append(open_own(self._path_of(number), os.O_RDWR))
        within = position - before * (size or 0)
        if os.fstat(self._fds[-1]).st_size < within:
            raise OSError(0, "it is shorter than its journal says")
        os.ftruncate(self._fds[-1], within)
        os.lseek(self._fds[-1], within, os.SEEK_SET)
        self.digests = list(digests)
        if size:
            self._running = hashlib.sha256()
            for start in range(0, within, _PIECE):
                self._running.update(os.pread(self._fds[-1], min(_PIECE, within - start), start))
            self._room = size - within
            number = before + 2
            while (path := self._path_of(number)).exists():
                path.unlink()
                number += 1

    def read_back(self, position: int, length: int) -> bytes:
        """Exactly ``length`` bytes that were written before, from ``position`` on."""
        data = b""
        while len(data) < length:
            start, missing = position + len(data), length - len(data)
            number, within = divmod(start, self._part_size) if self._part_size else (0, start)
            room = self._part_size - within if self._part_size else missing
            more = os.pread(self._fds[number], min(missing, room), within)
            if not more:
                raise OSError(0, f"it ends at {start}")
            data += more
        return data

    def drop(self) -> None:
        """Take what is written from here on, and write it nowhere."""
        self._dropped = True

    def paths(self) -> list[Path]:
        """The files that have been begun, in order."""
        return [self._path_of(number) for number in range(1, len(self._fds) + 1)]

    def all_digests(self) -> list[str]:
        """The digest of every part; that of the last covers what was written to it so far."""
        return [*self.digests, self._running.hexdigest()]

    def sync(self, since: int = 0) -> None:
        """fsync the files that have the bytes from the position ``since`` on, and their names.

        Thread-safe."""
        first = since // self._part_size if self._part_size else 0
        fds = list(self._fds)
        for fd in fds[first:]:
            os.fsync(fd)
        if len(fds) > self._names_synced:
            sync_folder(self._path_of(1).parent)
            self._names_synced = len(fds)

    def close(self) -> None:
        super().close()
        while self._fds:
            os.close(self._fds.pop())
