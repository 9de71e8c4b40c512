"""SQLite on a medium that is played: the real one, whose files go through ``System``.

``sqlite3`` of Python has no way to its files, so the same SQLite is opened by apsw, which has.
"""

from __future__ import annotations

import errno
import itertools
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import apsw

from tests.media.log import Sync, SyncFolder, Truncate

if TYPE_CHECKING:
    from tests.media.system import System

_NUMBERS = itertools.count()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except apsw.NotADBError as exc:
        raise sqlite3.DatabaseError("file is not a database") from exc
    except apsw.Error as exc:
        raise sqlite3.OperationalError(str(exc)) from exc


class Connection:
    """What downpour uses of ``sqlite3.Connection``."""

    def __init__(self, system: System, path: str):
        name = f"played-{next(_NUMBERS)}"
        self._vfs = _Vfs(name, system)
        with _errors():
            self._db = apsw.Connection(path, vfs=name)
            self._db.set_busy_timeout(1000)

    def execute(self, sql: str, values: Any = ()) -> _Cursor:
        with _errors():
            return _Cursor(self._db.execute(sql, values))

    def executemany(self, sql: str, rows: Iterable[Any]) -> None:
        with _errors():
            self._db.executemany(sql, rows)

    def executescript(self, sql: str) -> None:
        with _errors():
            for _ in self._db.execute(sql):
                pass

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def close(self) -> None:
        with _errors():
            self._db.close(True)


class _Cursor:
    def __init__(self, cursor: apsw.Cursor):
        self._cursor = cursor

    def __iter__(self) -> Iterator[Any]:
        with _errors():
            yield from self._cursor

    def fetchone(self) -> Any:
        with _errors():
            return self._cursor.fetchone()

    def fetchall(self) -> Any:
        with _errors():
            return self._cursor.fetchall()


def _refused(system: System, what: str, path: str, size: int = 0) -> int:
    """Count a call; its fault is what SQLite makes of it."""
    try:
        return system.call(what, path, size)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise apsw.FullError("database or disk is full") from exc
        if what in ("open", "create"):
            raise apsw.CantOpenError("unable to open database file") from exc
        raise apsw.IOError("disk I/O error") from exc


class _Vfs(apsw.VFS):
    def __init__(self, name: str, system: System):
        super().__init__(name, "unix")
        self._system = system

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self._system, name, flags, text)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        system, below = self._system, self._system.below(filename)
        assert below is not None
        with system.lock:
            _refused(system, "unlink", below)
            super().xDelete(filename, syncdir)
            system.changed("unlink", below)
            if syncdir:
                system.steps.append(SyncFolder(os.path.dirname(below) or "."))


class _File(apsw.VFSFile):
    def __init__(self, system: System, name: Any, flags: list[int], text: str):
        below = system.below(text)
        assert below is not None
        with system.lock:
            new = not os.path.lexists(text)
            _refused(system, "create" if new else "open", below)
            super().__init__("unix", name, flags)
            if new:
                system.changed("create", below)
            self._system, self._below, self._file = system, below, system.file(below)
            # As os_unix.c does: the directory is synced with the first sync of a new journal.
            self._sync_folder = new

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        with self._system.lock:
            _refused(self._system, "read", self._below, amount)
            return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        with self._system.lock:
            done = _refused(self._system, "write", self._below, len(data))
            super().xWrite(bytes(data[:done]), offset)
            self._system.wrote(self._file, offset, bytes(data[:done]))
            if done < len(data):
                raise apsw.FullError("database or disk is full")

    def xTruncate(self, size: int) -> None:  # noqa: N802
        with self._system.lock:
            _refused(self._system, "truncate", self._below)
            super().xTruncate(size)
            self._system.steps.append(Truncate(self._file, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        with self._system.lock:
            _refused(self._system, "sync", self._below)
            self._system.steps.append(Sync(self._file))
            if self._sync_folder:
                self._sync_folder = False
                self._system.steps.append(SyncFolder(os.path.dirname(self._below) or "."))
