"""The file of a bundle under its temporary name: append members, sync it, and rename it."""

from __future__ import annotations

import errno
import fcntl
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bundle_spec.durable import BY_UMASK, sync_folder, write_atomically
from bundle_spec.errors import LocalError
from bundle_spec.form import digest, layout
from bundle_spec.form.layout import Span
from bundle_spec.medium import local_error
from bundle_spec.private import open_own
from bundle_spec.progress import Progress
from bundle_spec.read import parts
from bundle_spec.read.source import Source
from bundle_spec.text import human_bytes
from bundle_spec.trust.age import Encryptor, Recipient
from bundle_spec.write.sink import Sink

_BUFFER = 2**20
_LONGEST = ".partial.journal-journal"
"""The longest that is appended to the name of a bundle, by SQLite."""
SMALL_FILE = 2**32
"""Bytes: no file of FAT32 has as many."""

_TOO_LARGE = (
    "this file system takes no file of that size, FAT32 none of 4 GiB: begin again with "
    "--split 4000M --fresh, or copy what is here to another one and go on there"
)


def error_of(exc: OSError, what: str, path: Path) -> LocalError:
    """The error of a file of an unfinished bundle; ``path``: where the system names none."""
    error = local_error(what, exc, exc.filename or path, "move it away, or choose another name")
    if exc.errno == errno.EFBIG:
        error.remedy = _TOO_LARGE
    return error


def _can_reach(fd: int, offset: int) -> bool:
    """Whether the file system knows this offset: FAT, for one, refuses what no file of it has."""
    try:
        os.lseek(fd, offset, os.SEEK_SET)
        os.lseek(fd, 0, os.SEEK_SET)
    except OSError:
        return False
    return True


class PartialFile:
    """``PATH.partial``, or ``PATH.001.partial`` …, locked against a second run.

    ``path``: the final name.  ``part_size``: bytes of a part, None for one file.  ``beside_whole``:
    the bundle as one file may lie beside its parts, and stays.  ``encrypt_to``: the recipients, if
    it is to be encrypted; ``position`` counts clear bytes all the same, but nothing can be read
    back.  Not thread-safe, but for ``sync``.  Raises LocalError.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        part_size: int | None = None,
        beside_whole: bool = False,
        encrypt_to: Sequence[Recipient] = (),
    ):
        if part_size is not None and part_size < parts.MIN_PART_SIZE:
            raise ValueError(f"parts of {part_size} bytes are too small [F-17]")
        self.final_path = path
        self.path = path.with_name(path.name + ".partial")
        self.part_size = part_size
        self._overwrite = overwrite
        self._beside_whole = beside_whole
        first = self._temporary(1)
        with self.local_errors():
            if not self.final_path.parent.is_dir():
                raise LocalError("there is no such directory", where=str(self.final_path.parent))
            # So that a name is too long before anything is captured.
            os.path.lexists(path.with_name(path.name + _LONGEST))
            # Not through a link: what it leads to would be emptied.
            fd = open_own(first, os.O_RDWR | os.O_CREAT)
        try:
            self._lock(fd, first)
        except BaseException:
            os.close(fd)
            raise
        self.has_earlier_bytes = os.fstat(fd).st_size > 0
        """Whether an earlier run left bytes of an unfinished bundle."""
        self.takes_large_files = _can_reach(fd, SMALL_FILE)
        """Whether a file here can be larger than SMALL_FILE."""
        self._sink = Sink(fd, self._temporary, part_size, hashed=bool(encrypt_to))
        self._encrypt_to = encrypt_to
        self._encryptor: Encryptor | None = None
        self._file: io.BufferedWriter[io.RawIOBase] = io.BufferedWriter(self._sink, _BUFFER)
        self.position = 0

    def _temporary(self, number: int) -> Path:
        return self._final(number).with_name(self._final(number).name + ".partial")

    def _final(self, number: int) -> Path:
        path = self.final_path
        return path.with_name(parts.part_name(path.name, number)) if self.part_size else path

    def require_room_for(self, size: int) -> None:
        """Raise LocalError for ``size`` bytes, if they are not split, where no file is so large."""
        if self.part_size is None and size >= SMALL_FILE and not self.takes_large_files:
            raise LocalError(
                f"this file system takes no file of {human_bytes(SMALL_FILE)}, and the disks have "
                f"{human_bytes(size)} before they are compressed",
                where=str(self.path),
                remedy="add --split 4000M, or name a place on another one",
            )

    def refuse_to_overwrite(self) -> None:
        """Raise LocalError when the final name, or that of a part, is taken."""
        if self._overwrite:
            return
        with self.local_errors():
            existing = self._existing()
        for path in existing:
            raise LocalError(
                "the file exists already",
                where=str(path),
                remedy="choose another name, or remove it first"
                + ("" if self._beside_whole else "; --overwrite replaces it"),
            )

    def _existing(self) -> list[Path]:
        """The files that a finished bundle of this name has: itself, its parts, or their list."""
        path = self.final_path
        whole = [path] if path.exists() and not self._beside_whole else []
        split = parts.numbered(path.name, [path.parent]).values() if path.parent.is_dir() else ()
        # A file system that knows no case finds those of another bundle by these names, too.
        parts_list, first = path.with_name(parts.list_name(path.name)), self._final(1)
        asked = [each for each in (parts_list, first) if each != path and each.exists()]
        return [*whole, *split, *asked]

    @staticmethod
    def _lock(fd: int, path: Path) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between our open and our lock another run may have given the file its name.
            mine = os.path.samestat(os.fstat(fd), os.stat(path))
        except (BlockingIOError, FileNotFoundError):
            mine = False
        except OSError as exc:
            if not os.fstat(fd).st_size:
                with suppress(OSError):
                    os.unlink(path)
            raise error_of(exc, "cannot lock the unfinished bundle", path) from exc
        if not mine:
            raise LocalError(
                "another run writes this bundle",
                where=str(path),
                remedy="wait for it, or choose another name",
            )

    @contextmanager
    def local_errors(self) -> Iterator[None]:
        """Turn an OSError into a LocalError at this file."""
        try:
            yield
        except OSError as exc:
            raise error_of(exc, "cannot write the bundle", self.path) from exc

    def begin(self, position: int = 0, digests: Sequence[str] = ()) -> None:
        """Append from ``position`` on; what stands behind it is cut off.

        ``digests``: of the full parts before it, in hex.
        """
        with self.local_errors():
            self._sink.go_on(position, digests)
        self.position = position
        if self._encrypt_to:
            if position:
                raise ValueError("what is encrypted cannot be gone on with")
            self._file.detach()
            self._encryptor = Encryptor(self._sink, self._encrypt_to)
            self._file = io.BufferedWriter(self._encryptor, _BUFFER)

    @property
    def digests(self) -> list[str]:
        """The SHA-256, in hex, of each part that is full and out of the buffer."""
        return self._sink.digests

    def write(self, data: bytes) -> None:
        """Append bytes that are not a member."""
        with self.local_errors():
            self._file.write(data)
        self.position += len(data)

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

    def read(self, span: Span) -> bytes:
        """The data of a member; ``flush`` must have been called since it was written."""
        with self.local_errors():
            return self._sink.read_back(span.offset, span.size)

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        with self.local_errors():
            self._file.flush()

    def sync(self, since: int = 0) -> None:
        """fsync what was flushed from the position ``since`` on.  Thread-safe."""
        with self.local_errors():
            self._sink.sync(since)

    def end(self) -> None:
        """Write the end of the archive, and fsync all of it."""
        with self.local_errors():
            self._file.write(layout.TRAILER)
            self._file.flush()
            if self._encryptor:
                self._encryptor.finish()
            self._sink.sync()
        self.position += len(layout.TRAILER)

    def files(self) -> list[Path]:
        """The files under their temporary names, in order."""
        return self._sink.paths()

    def check_written(self, progress: Progress) -> None:
        """Read an encrypted bundle back and compare the digests with those of what was written.

        Nobody here can decrypt it, so it cannot be verified as a bundle.
        """
        with (
            Source(self.path, self.files()) as source,
            progress.task("read back", source.size, "bytes") as task,
        ):
            for part, written in zip(source.parts, self._sink.all_digests(), strict=True):
                running = digest.new()
                for piece in digest.tee(source.pieces(part.offset, part.size), running):
                    task.advance(len(piece))
                if running.hexdigest() != written:
                    raise LocalError(
                        "the medium does not hold what was written",
                        where=str(part.path),
                        remedy="check the medium, then begin again",
                    )

    def publish(self) -> Path:
        """Rename the file, or the parts, and fsync the directory; parts get their list, too.

        With ``overwrite``, what is left of another bundle of this name is removed.  Returns the
        file, or the list.
        """
        self.refuse_to_overwrite()
        count = len(self._sink.paths())
        try:
            return self._publish(count)
        except LocalError:
            with suppress(OSError, LocalError):
                if self._temporary(1).exists():
                    self.take_back(count)
            raise

    def _publish(self, count: int) -> Path:
        published = self.final_path
        with self.local_errors():
            old = set(self._existing())
            # The first part is the one that is locked, and without it there is no bundle, so it
            # gets its name last.
            for number in range(count, 0, -1):
                if number == 1 and self.part_size:
                    published = self._publish_list(count)
                os.replace(self._temporary(number), self._final(number))
            sync_folder(self.final_path.parent)
            for path in old - {published, *map(self._final, range(1, count + 1))}:
                path.unlink()
            self._file.close()
        return published

    def forget_other_form(self) -> None:
        """Remove the temporary files of an unfinished bundle that was split otherwise."""
        with self.local_errors():
            if self.part_size:
                self.path.unlink(missing_ok=True)
                return
            folder, name = self.final_path.parent, self.final_path.name
            for number in range(1, parts.MAX_PARTS + 1):
                part = folder / f"{parts.part_name(name, number)}.partial"
                if not part.exists():
                    break
                part.unlink()

    def take_back(self, count: int) -> None:
        """Undo the renames of a ``publish`` of ``count`` files that failed or was killed.

        The first file still has its temporary name: else it is published.
        """
        with self.local_errors():
            for number in range(2, count + 1):
                if self._final(number).exists() and not self._temporary(number).exists():
                    os.replace(self._final(number), self._temporary(number))
            if self.part_size:
                parts_list = self.final_path.with_name(parts.list_name(self.final_path.name))
                parts_list.unlink(missing_ok=True)
            sync_folder(self.final_path.parent)

    def _publish_list(self, count: int) -> Path:
        digests = zip(range(1, count + 1), self._sink.all_digests(), strict=True)
        text = parts.format_list({self._final(n).name: digest for n, digest in digests})
        path = self.final_path.with_name(parts.list_name(self.final_path.name))
        write_atomically(path, text, mode=BY_UMASK)
        return path

    def close(self) -> None:
        """Close the file and leave it as it is."""
        # What is still buffered is in no record of the journal, and may not fit on a full disk.
        with suppress(OSError):
            self._file.close()
        if self._encryptor:
            self._encryptor.close()
        self._sink.close()

    def discard(self) -> None:
        """Remove the file, or all parts, as far as the medium lets us."""
        self._sink.drop()  # what is still buffered would begin another part
        for path in self.files():
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self.close()
