"""Open files where somebody else may have put something in the way.

On a medium, in /var/tmp, or in a folder for all, a name may be a symbolic link, a FIFO that is
waited for without end, or another user's file.  Nothing here waits, and whatever is not what was
asked for is an OSError whose ``strerror`` says in words what it is.

Two kinds of file are opened.  A *regular* one is named by the operator and read: who owns it does
not matter, and a link to it may lead there.  One of *our own* is read and written as ours: it is
no link, and the user that runs this process owns it.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""The bits of a folder's mode that must not be set, for ``open_own_folder``."""

_SAFE = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_PIECE = 2**20
_OF_SQLITE = ("-journal", "-wal", "-shm")


def open_regular(path: str | Path, flags: int = os.O_RDONLY) -> int:
    """The descriptor of a regular file, also through a symbolic link.  Raises OSError."""
    _require_regular(os.stat(path), path)  # to open a device may already do something
    return _open(path, flags)


def read_regular(path: str | Path, most: int | None = None) -> bytes:
    """The bytes of a regular file; of one with more than ``most``, one more.  Raises OSError."""
    return _read(open_regular(path), most)


def open_own(path: str | Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """The descriptor of a regular file of ours that is no link.

    ``flags``: with O_CREAT a missing one is made, with ``mode`` less the umask.  Raises OSError.
    """
    new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
    try:
        fd = _open(path, flags | os.O_NOFOLLOW, mode)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise _refusal(path, "it is a symbolic link") from exc
        raise
    try:
        status = os.fstat(fd)
        if new and status.st_uid != os.geteuid():
            os.unlink(path)
            why = f"this file system gives what is made on it to the user {status.st_uid}"
            raise _refusal(path, f"{why}: run as that one, or mount it for this one")
        _require_ours(status, path)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_own(path: str | Path) -> bytes:
    """The bytes of a file of ours.  Raises OSError."""
    return _read(open_own(path))


def create(path: str | Path, data: bytes, mode: int = 0o600) -> None:
    """Make a new file that holds ``data``; ``mode``: less the umask.  Raises OSError, also where
    ``path`` is there, be it a link that leads nowhere; a file that cannot be written is removed."""
    fd = _open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(fd, "wb") as file:
            file.write(data)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def claim_database(path: Path) -> None:
    """Create an empty file that only its owner reads, unless it exists: SQLite would create it by
    the umask.  Raises OSError, also where it is not ours, or where one of the files beside it is
    not from which SQLite would take pages."""
    for suffix in _OF_SQLITE:
        beside = path.with_name(path.name + suffix)
        if os.path.lexists(beside):
            os.close(open_own(beside))
    os.close(open_own(path, os.O_RDWR | os.O_CREAT))


def open_own_folder(path: str | Path, forbidden: int = WRITABLE_BY_OTHERS) -> int:
    """The descriptor of a directory of ours that is no link and has no ``forbidden`` bit in its
    mode.  Raises OSError."""
    if os.path.islink(path):
        raise _refusal(path, "it is a symbolic link")
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        _require_ours(status, path)
        if status.st_mode & forbidden:
            raise _refusal(path, f"its mode is {stat.S_IMODE(status.st_mode):04o}, not yours alone")
    except BaseException:
        os.close(fd)
        raise
    return fd


def _open(path: str | Path, flags: int, mode: int = 0o600) -> int:
    try:
        fd = os.open(path, flags | _SAFE, mode)
    except OSError as exc:
        if exc.errno == errno.ENXIO:  # to be written to, and nobody reads it
            raise _refusal(path, "it is a FIFO or a socket") from exc
        raise
    try:
        _require_regular(os.fstat(fd), path)
        os.set_blocking(fd, True)  # Ansible refuses an output that does not block
    except BaseException:
        os.close(fd)
        raise
    return fd


def _read(fd: int, most: int | None = None) -> bytes:
    with open(fd, "rb") as file:
        if most is None:
            return file.read()
        data = bytearray()
        # In pieces: ``read`` takes the memory for all that it is asked for, whatever there is.
        while len(data) <= most and (piece := file.read(min(_PIECE, most + 1 - len(data)))):
            data += piece
    return bytes(data)


def _require_regular(status: os.stat_result, path: str | Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(path, f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no file')}")


def _require_ours(status: os.stat_result, path: str | Path) -> None:
    if status.st_uid != os.geteuid():
        raise _refusal(path, "it belongs to another user")


def _refusal(path: str | Path, why: str) -> OSError:
    return OSError(errno.EPERM, why, str(path))
