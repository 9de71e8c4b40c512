"""Write files so that after a power cut a path holds all of the old file or all of the new one."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

BY_UMASK = 0o666
"""The mode of a new file that is no secret: the umask decides who may read it."""

TEMPORARY_PREFIX = ".downpour-"
"""How the name of a file begins that a kill may leave, and that nothing reads."""

_TEMPORARY = re.compile(re.escape(TEMPORARY_PREFIX) + "[0-9a-f]{16}")

ABANDONED_AFTER = 60.0
"""Seconds after which a file that nobody holds is taken for one that a kill has left."""


def sync_folder(folder: Path) -> None:
    """fsync a directory so that a rename survives a power cut.  Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path, *, mode: int = 0o777) -> None:
    """Make a directory, unless it is there, and those above it, so that a power cut does not take
    them back with all that is written into them.

    ``mode``: of the last one, less the umask.  Raises OSError.
    """
    made = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    for each in made:
        sync_folder(each.parent)
    if not made:
        # A run that was killed may have made it and not synced it.  Who may not list the directory
        # above it did not make it.
        with suppress(PermissionError):
            sync_folder(path.parent)


def write_atomically(
    path: Path, data: bytes, *, mode: int = 0o600, keep_mode: bool = False
) -> None:
    """Make ``path`` a file that holds ``data``, in place of what may be there.

    Whatever a kill or a power cut interrupts, ``path`` is the old file or the new one, each with
    all of its bytes; when this returns it is the new one, and a power cut does not bring the old
    one back.  A kill may leave a file ``.downpour-…`` beside it, which nothing reads: see
    ``remove_abandoned``.

    ``mode``: permissions of the new file, less the umask.  ``keep_mode``: those of the file that
    is replaced instead, where there is one.  A symbolic link is replaced, not followed.  Raises
    OSError; ``path`` is as it was then, unless it was the fsync of the directory that failed.
    """
    old = stat.S_IMODE(path.stat().st_mode) if keep_mode and path.exists() else None
    temporary = path.with_name(TEMPORARY_PREFIX + secrets.token_hex(8))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(temporary, flags, mode if old is None else 0o600)
    try:
        with open(fd, "wb") as file:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if old is not None:
                with suppress(PermissionError):  # of a file system that keeps no modes
                    os.fchmod(fd, old)  # exactly: here the umask has no say
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_abandoned(folder: Path) -> None:
    """Remove what kills of ``write_atomically`` left in ``folder``; what fails is left.

    Only files of ours that no process holds, and that are older than a writer would need to hold
    its own.
    """
    try:
        names = [name for name in os.listdir(folder) if _TEMPORARY.fullmatch(name)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            _remove_if_abandoned(folder / name)


def _remove_if_abandoned(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if ours and time.time() - status.st_mtime > ABANDONED_AFTER:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is being written
            path.unlink()
    finally:
        os.close(fd)
