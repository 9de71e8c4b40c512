"""The functions of ``os`` for whatever lies below one folder: written down, and failed at will.

What is called is really done, in the folder; everything else on the machine goes its usual way.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.media.database import Connection
from tests.media.log import Mark, Names, NamesKind, Step, Sync, SyncFolder, Truncate, Write

CHANGING = frozenset(
    "write truncate sync create rename unlink mkdir rmdir sync_folder chmod utime".split()
)
"""What a medium may refuse to a writer; the other calls are open, read, stat, list and lock."""


@dataclass(frozen=True)
class Call:
    """A call: its number among all, what it does, the path below the folder, how many bytes."""

    number: int
    what: str
    path: str
    size: int = 0


Fault = Callable[[Call], OSError | int | None]
"""The error of a call, or how many bytes of it are done, or None where nothing is wrong."""


def refusal(code: int, path: str = "") -> OSError:
    """The error of the operating system."""
    return OSError(code, os.strerror(code), path or None)


class System:
    """Plays the operating system for the files below ``root``, which is there.  Thread-safe.

    ``steps``: what was done.  ``calls``: every call, also those that failed.
    """

    def __init__(self, root: Path, fault: Fault = lambda call: None):
        self.root = Path(os.path.realpath(root))
        self.fault = fault
        self.steps: list[Step] = []
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        self._real = {name: getattr(os, name) for name in _WRAPPED}
        self._open: Any = builtins.open
        self._file_io, self._flock = io.FileIO, fcntl.flock
        self._paths: dict[int, str] = {}
        self._of_fd: dict[int, tuple[str, int]] = {}
        self.known: dict[str, int] = {}
        self._count = 0
        for path in sorted(self.root.rglob("*")):
            self._know(str(path.relative_to(self.root)))

    def _know(self, path: str) -> int:
        self._count += 1
        self.known[path] = self._count
        return self._count

    def promise(self, text: str) -> None:
        """Write down that a program may rely on this from here on."""
        self.steps.append(Mark(text))

    # --- where ---

    def below(self, path: Any, dir_fd: int | None = None) -> str | None:
        """The path below the root, None for one that is elsewhere."""
        if isinstance(path, int):
            return self._of_fd[path][0] if path in self._of_fd else None
        text = os.fsdecode(path)
        if dir_fd is not None:
            if dir_fd not in self._of_fd:
                return None
            text = str(self.root / self._of_fd[dir_fd][0] / text)
        for prefix in (str(self.root), os.path.abspath(self.root)):
            absolute = os.path.abspath(text)
            if absolute == prefix:
                return "."
            if absolute.startswith(f"{prefix}/"):
                return absolute[len(prefix) + 1 :]
        return None

    def call(self, what: str, path: str, size: int = 0) -> int:
        """Count a call, raise its fault; returns how many of its ``size`` bytes are done."""
        call = Call(len(self.calls), what, path, size)
        self.calls.append(call)
        fault = self.fault(call)
        if isinstance(fault, OSError):
            fault.filename = fault.filename or None
            raise fault
        return size if fault is None else min(size, fault)

    # --- steps ---

    def wrote(self, file: int, offset: int, data: bytes | memoryview) -> None:
        self.steps.append(Write(file, offset, bytes(data)))

    def file(self, path: str) -> int:
        """The number of the file that has this path."""
        return self.known[path] if path in self.known else self._know(path)

    def changed(self, kind: NamesKind, path: str, source: str | None = None) -> None:
        """Write down a step on names."""
        if kind in ("create", "mkdir"):
            number = self._know(path)
        elif kind == "rename":
            assert source is not None
            number = self.known[path] = self.known.pop(source)
        else:
            number = self.known.pop(path)
        self.steps.append(Names(kind, path, number, source))

    # --- the functions of os ---

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        below = self.below(path, dir_fd)
        real = self._real["open"]
        if below is None:
            return int(real(path, flags, mode, dir_fd=dir_fd))
        with self.lock:
            new = bool(flags & os.O_CREAT) and not os.path.lexists(self.root / below)
            self.call("create" if new else "open", below)
            fd = int(real(path, flags, mode, dir_fd=dir_fd))
            if new:
                self.changed("create", below)
            self._of_fd[fd] = (below, self.file(below))
            if flags & os.O_TRUNC and not new:
                self.steps.append(Truncate(self.file(below), 0))
            return fd

    def close(self, fd: int) -> None:
        with self.lock:
            self._of_fd.pop(fd, None)
            self._real["close"](fd)

    def write(self, fd: int, data: Any) -> int:
        if fd not in self._of_fd:
            return int(self._real["write"](fd, data))
        with self.lock:
            path, file = self._of_fd[fd]
            view = memoryview(data).cast("B")
            done = self.call("write", path, len(view))
            append = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND
            offset = self._real["lseek"](fd, 0, os.SEEK_END if append else os.SEEK_CUR)
            done = int(self._real["write"](fd, view[:done]))
            self.wrote(file, offset, view[:done])
            return done

    def read(self, fd: int, size: int) -> bytes:
        if fd in self._of_fd:
            with self.lock:
                size = self.call("read", self._of_fd[fd][0], size)
        return bytes(self._real["read"](fd, size))

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        if fd in self._of_fd:
            with self.lock:
                size = self.call("read", self._of_fd[fd][0], size)
        return bytes(self._real["pread"](fd, size, offset))

    def fsync(self, fd: int) -> None:
        if fd not in self._of_fd:
            self._real["fsync"](fd)
            return
        with self.lock:
            path, file = self._of_fd[fd]
            is_folder = os.path.isdir(f"/proc/self/fd/{fd}")
            self.call("sync_folder" if is_folder else "sync", path)
            self.steps.append(SyncFolder(path) if is_folder else Sync(file))

    def ftruncate(self, fd: int, size: int) -> None:
        if fd not in self._of_fd:
            self._real["ftruncate"](fd, size)
            return
        with self.lock:
            path, file = self._of_fd[fd]
            self.call("truncate", path)
            self._real["ftruncate"](fd, size)
            self.steps.append(Truncate(file, size))

    def replace(self, source: Any, target: Any, **where: Any) -> None:
        old, new = self.below(source), self.below(target)
        if old is None or new is None:
            self._real["replace"](source, target, **where)
            return
        with self.lock:
            self.call("rename", new)
            self._real["replace"](source, target)
            below = [path for path in self.known if path.startswith(f"{old}/")]
            self.changed("rename", new, old)
            for path in below:
                self.known[new + path[len(old) :]] = self.known.pop(path)

    def _remove(self, kind: NamesKind, name: str, path: Any, dir_fd: int | None) -> None:
        below = self.below(path, dir_fd)
        with self.lock:
            if below is not None:
                self.call(kind, below)
            self._real[name](path, dir_fd=dir_fd)
            if below is not None:
                self.file(below)
                self.changed(kind, below)

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("unlink", "unlink", path, dir_fd)

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("rmdir", "rmdir", path, dir_fd)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        below = self.below(path, dir_fd)
        with self.lock:
            if below is not None:
                self.call("mkdir", below)
            self._real["mkdir"](path, mode, dir_fd=dir_fd)
            if below is not None:
                self.changed("mkdir", below)

    def _looked(self, name: str, what: str) -> Callable[..., Any]:
        """A function that only asks, or sets what a cut may take: nothing is written down."""

        def asked(path: Any = ".", *args: Any, **options: Any) -> Any:
            below = self.below(path, options.get("dir_fd"))
            if below is not None:
                with self.lock:
                    self.call(what, below)
            return self._real[name](path, *args, **options)

        return asked

    def flock(self, fd: Any, how: int) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        if number in self._of_fd and not how & fcntl.LOCK_UN:
            with self.lock:
                self.call("lock", self._of_fd[number][0])
        self._flock(fd, how)

    # --- files of Python ---

    def opened(
        self, file: Any, mode: str = "r", buffering: int = -1, *args: Any, **more: Any
    ) -> Any:
        """``open`` for what is below the root: all bytes go through the functions above."""
        opener = more.pop("opener", None)
        if self.below(file) is None:
            return self._open(file, mode, buffering, *args, opener=opener, **more)
        raw = self.raw(file, mode, opener=opener)
        if buffering == 0:
            return raw
        buffered: Any
        if "+" in mode:
            buffered = io.BufferedRandom(raw)
        else:
            buffered = (io.BufferedReader if "r" in mode else io.BufferedWriter)(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *args, **more)

    def raw(self, file: Any, mode: str = "rb", closefd: bool = True, opener: Any = None) -> Any:
        if self.below(file) is None:
            return self._file_io(file, mode, closefd, opener)
        kind = next(letter for letter in "rwax" if letter in mode)
        flags = os.O_RDWR if "+" in mode else os.O_RDONLY if kind == "r" else os.O_WRONLY
        flags |= {"r": 0, "w": os.O_CREAT | os.O_TRUNC, "a": os.O_CREAT | os.O_APPEND}.get(
            kind, os.O_CREAT | os.O_EXCL
        )
        fd = file if isinstance(file, int) else self.open(file, flags | os.O_CLOEXEC, 0o666)
        return _Raw(fd, readable="+" in mode or kind == "r", writable="+" in mode or kind != "r")

    def connect(self, path: Any, **options: Any) -> Any:
        if self.below(path) is None:
            return sqlite3.Connection(path, **options)
        return Connection(self, str(path))

    @contextmanager
    def played(self) -> Iterator[System]:
        """Put the functions in the place of those of Python."""
        asked = {"stat": "stat", "lstat": "stat", "listdir": "list", "scandir": "list"}
        asked |= {"chmod": "chmod", "fchmod": "chmod", "utime": "utime"}
        mine = {name: self._looked(name, what) for name, what in asked.items()}
        mine |= {"rename": self.replace, "remove": self.unlink, "fdatasync": self.fsync}
        mine |= {name: getattr(self, name) for name in _PATCHED if name not in mine}
        others: list[tuple[Any, str, Any]] = [
            (builtins, "open", self.opened),
            (io, "open", self.opened),
            (io, "FileIO", self.raw),
            (fcntl, "flock", self.flock),
            (sqlite3, "connect", self.connect),
        ]
        with ExitStack() as stack:
            for place, name, function in [*((os, *each) for each in mine.items()), *others]:
                stack.enter_context(mock.patch.object(place, name, function))
            yield self


_PATCHED = (
    "open close write read pread fsync fdatasync ftruncate replace rename unlink remove rmdir mkdir"
    " stat lstat listdir scandir chmod fchmod utime"
).split()
_WRAPPED = [*_PATCHED, "lseek"]


class _Raw(io.RawIOBase):
    """A file of Python whose bytes go through the functions of ``os``."""

    def __init__(self, fd: int, *, readable: bool, writable: bool):
        super().__init__()
        self._fd, self._readable, self._writable = fd, readable, writable

    def fileno(self) -> int:
        return self._fd

    def readable(self) -> bool:
        return self._readable

    def writable(self) -> bool:
        return self._writable

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = os.read(self._fd, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: Any, /) -> int:
        return os.write(self._fd, data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return os.lseek(self._fd, offset, whence)

    def tell(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def truncate(self, size: int | None = None, /) -> int:
        size = self.tell() if size is None else size
        os.ftruncate(self._fd, size)
        return size

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._fd)


def full(after: int) -> Fault:
    """A medium that takes ``after`` more bytes."""
    left = after

    def fault(call: Call) -> OSError | int | None:
        nonlocal left
        if call.what != "write":
            return None
        if not left:
            return refusal(errno.ENOSPC)
        done, left = min(left, call.size), max(0, left - call.size)
        return done

    return fault


def at(number: int, code: int, kinds: frozenset[str] = CHANGING, *, gone: bool = False) -> Fault:
    """The call ``number`` of these kinds fails; ``gone``: and all calls after it."""
    seen = -1

    def fault(call: Call) -> OSError | None:
        nonlocal seen
        seen += call.what in kinds
        if gone and seen >= number:
            return refusal(code)
        return refusal(code) if seen == number and call.what in kinds else None

    return fault
