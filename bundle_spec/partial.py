"""The file under its temporary name: append members, sync, and give it its name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bundle_spec import layout
from bundle_spec.errors import LocalError
from bundle_spec.layout import Span

_BUFFER = 2**20


class PartialFile:
    """``PATH.partial``, locked against a second run.  Not thread-safe.  Raises LocalError."""

    def __init__(self, path: Path, *, overwrite: bool):
        self.final_path = path
        self.path = path.with_name(path.name + ".partial")
        self._overwrite = overwrite
        self._refuse_to_overwrite()
        if not self.final_path.parent.is_dir():
            raise LocalError("there is no such directory", where=str(self.final_path.parent))
        with self.local_errors():
            # Not through a link: what it leads to would be emptied.
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd = os.open(self.path, flags, 0o600)
        try:
            self._lock()
            with self.local_errors():
                os.ftruncate(self._fd, 0)
        except BaseException:
            os.close(self._fd)
            raise
        self._file = os.fdopen(self._fd, "wb", buffering=_BUFFER)
        self.position = 0

    def _refuse_to_overwrite(self) -> None:
        if not self._overwrite and self.final_path.exists():
            raise LocalError(
                "the file exists already",
                where=str(self.final_path),
                remedy="choose another name, or remove it first",
            )

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between our open and our lock another run may have given the file its name.
            mine = os.path.samestat(os.fstat(self._fd), os.stat(self.path))
        except OSError:
            mine = False
        if not mine:
            raise LocalError(
                "another run writes this bundle",
                where=str(self.path),
                remedy="wait for it, or choose another name",
            )

    @contextmanager
    def local_errors(self) -> Iterator[None]:
        """What the file system refuses becomes a LocalError at this file."""
        try:
            yield
        except OSError as exc:
            raise LocalError(
                f"cannot write the bundle: {exc.strerror}",
                where=str(self.path),
                remedy="make room or choose another place, then run again",
            ) from exc

    def append(self, name: str, data: bytes) -> Span:
        """Write one member.  Returns where its data lies."""
        return self.append_stream(name, len(data), (data,))

    def append_stream(self, name: str, size: int, pieces: Iterable[bytes]) -> Span:
        """Write one member of ``size`` bytes that come piece by piece."""
        with self.local_errors():
            self._file.write(layout.header(name, size))
            written = 0
            for piece in pieces:
                self._file.write(piece)
                written += len(piece)
            if written != size:
                raise ValueError(f"{name}: {written} bytes came where {size} were announced")
            self._file.write(layout.padding(size))
        span = Span(self.position + layout.BLOCK, size)
        self.position = span.next_header
        return span

    def append_link(self, name: str, target: str) -> None:
        """Write one hard link."""
        with self.local_errors():
            self._file.write(layout.header(name, 0, target))
        self.position += layout.BLOCK

    def end(self) -> None:
        """Write the end of the archive, and see that the medium has every byte."""
        with self.local_errors():
            self._file.write(layout.TRAILER)
            self._file.flush()
            os.fsync(self._fd)
        self.position += len(layout.TRAILER)

    def publish(self) -> None:
        """Give the file its name, durably."""
        self._refuse_to_overwrite()
        with self.local_errors():
            os.replace(self.path, self.final_path)
            folder = os.open(self.final_path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._file.close()

    def discard(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        # What is still buffered need not reach a file that is gone, nor can it on a full disk.
        with suppress(OSError):
            self._file.close()
