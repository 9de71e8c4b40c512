"""An encrypted bundle in clear, for as long as a command needs it, in a place that the user names.

An age file can only be read from its beginning, but an import reads at many offsets.  So the file
is decrypted first, into a directory that only its owner can enter, and removed at the end.  What a
killed run left there is removed by the next one.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import LocalError, UsageError
from bundle_spec.medium import local_error, local_errors
from bundle_spec.private import FOR_OTHERS, open_own_folder
from bundle_spec.progress import Progress
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.parts import bundle_name
from bundle_spec.read.source import Source
from bundle_spec.text import human_bytes
from bundle_spec.trust import age

_PREFIX = ".downpour-clear-"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """``identity``: a key file of age, or an SSH private key.  ``passphrase_file``: what opens the
    key file.  ``place``: a directory for the clear bundle."""

    identity: Path | None = None
    passphrase_file: Path | None = None
    place: Path | None = None


@contextmanager
def in_clear(files: BundleFiles, keys: Keys, progress: Progress) -> Iterator[BundleFiles]:
    """The bundle in clear: ``files`` themselves if they are not encrypted, else a decrypted copy.

    Raises UsageError without keys or place, EncryptionError, LocalError.
    """
    if not age.is_encrypted(files):
        yield files
        return
    identity, place = require_named(files, keys)
    passphrase = age.passphrase_of(keys.passphrase_file) if keys.passphrase_file else None
    identities = age.identities(identity, passphrase)
    name = bundle_name(files.path).name.removesuffix(".age")
    with _private_directory(place) as folder:
        clear = folder / name
        with files.open() as source:
            _require_room(source.size, folder)
            _decrypt(source, clear, identities, progress)
        yield BundleFiles(clear, copy_of=files.path)


def require_named(files: BundleFiles, keys: Keys) -> tuple[Path, Path]:
    """The identity and the place that an encrypted bundle needs.  Raises UsageError."""
    if keys.identity is None or keys.place is None:
        raise UsageError(f"{files.path} is encrypted", remedy=_missing(keys))
    return keys.identity, keys.place


def _missing(keys: Keys) -> str:
    """What the command line must name besides."""
    key = "the key with --identity FILE"
    place = "with --decrypt-to DIR a place where it may lie in clear until the command has ended"
    missing = [] if keys.identity else [key]
    missing += [] if keys.place else [place]
    return f"name {', and '.join(missing)}"


def _decrypt(
    source: Source, clear: Path, identities: Sequence[age.Identity], progress: Progress
) -> None:
    """Raises EncryptionError, LocalError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with (
            io.FileIO(os.open(clear, flags, 0o600), "wb") as out,
            progress.task("decrypt", source.size, "bytes") as task,
        ):
            age.decrypt(source, out, identities, task.advance)
    except OSError as exc:
        raise local_error("cannot write", exc, clear) from exc


def _require_room(size: int, folder: Path) -> None:
    """Raises LocalError.  ``size``: of the age file; the clear bundle is a little smaller."""
    with local_errors("cannot decrypt to this place", folder.parent):
        free = shutil.disk_usage(folder).free
    if free < size:
        raise LocalError(
            f"the clear bundle takes {human_bytes(size)}, and {human_bytes(free)} are free",
            where=str(folder.parent),
            remedy="name another place with --decrypt-to",
        )


@contextmanager
def _private_directory(place: Path) -> Iterator[Path]:
    """A new directory in ``place`` that only its owner can enter.  Raises LocalError."""
    with local_errors("cannot decrypt to this place", place):
        mode = place.stat().st_mode if place.is_dir() else None
    if mode is None:
        # Not made: it may be the mount point of a medium that is not mounted, and the clear bytes
        # would go to another disk.
        raise LocalError("there is no such directory", where=str(place), remedy="make it first")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise LocalError(
            "everybody may rename what lies in this directory",
            where=str(place),
            remedy="name one of your own, or one as /var/tmp, which has the sticky bit",
        )
    try:
        _remove_leftovers(place)
        folder, lock = _new_locked(place)
    except OSError as exc:
        raise local_error("cannot decrypt to this place", exc, place) from exc
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _new_locked(place: Path) -> tuple[Path, int]:
    """A new directory, and the descriptor of it that holds its lock.

    Until it is locked it looks like a leftover, so that another run may remove it; then another one
    is made.  Raises OSError.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        try:
            lock = _locked(folder)
        except FileNotFoundError:
            continue
        except OSError:  # of a file system that knows no owners, or no locks
            folder.rmdir()
            raise
        if os.path.lexists(folder):
            return folder, lock
        os.close(lock)


def _locked(folder: Path, how: int = fcntl.LOCK_EX) -> int:
    """A descriptor that holds the lock of a directory which is ours alone.  Raises OSError."""
    fd = open_own_folder(folder, FOR_OTHERS)
    try:
        fcntl.flock(fd, how)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _remove_leftovers(place: Path) -> None:
    """Remove what killed runs of ours left in clear; a run that is alive holds the lock.

    ``place`` may be one for all, such as /var/tmp: what another user made there is left alone, and
    a link is not followed.
    """
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
