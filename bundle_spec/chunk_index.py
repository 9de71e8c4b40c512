"""What a writer must remember of every chunk, in a file: memory stays bounded at any size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bundle_spec import layout


class Stored(NamedTuple):
    """A chunk member that holds bytes: whose it is, where its data lies, what it hashes to."""

    disk: str
    number: int
    offset: int
    length: int
    sha256: bytes


class ChunkIndex:
    """The chunks written so far, and which raw content has been stored where.

    Not thread-safe by itself: the writer calls it under its lock.  Raises sqlite3.Error when
    the file system fails it.
    """

    def __init__(self, path: Path):
        self._path = path
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # Nobody reads this file after a crash, so it needs neither journal nor fsync.
        self._db.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
            PRAGMA locking_mode = EXCLUSIVE;
            CREATE TABLE content (
                key BLOB PRIMARY KEY, disk TEXT, number INTEGER, links INTEGER
            ) WITHOUT ROWID;
            CREATE TABLE chunk (
                disk TEXT, number INTEGER, offset INTEGER, length INTEGER, sha256 BLOB,
                PRIMARY KEY (disk, number)
            ) WITHOUT ROWID;
            BEGIN;
            """
        )

    def find(self, key: bytes) -> Stored | None:
        """The stored chunk that a chunk with this content may still be linked to [F-8]."""
        row = self._db.execute(
            "SELECT disk, number, offset, length, sha256 FROM content JOIN chunk"
            " USING (disk, number) WHERE key = ? AND links < ?",
            (key, layout.MAX_LINKS),
        ).fetchone()
        return Stored(*row) if row else None

    def add_stored(self, key: bytes, chunk: Stored) -> None:
        """``chunk`` was written; from now on it is the one to link to for this content."""
        self._db.execute(
            "REPLACE INTO content VALUES (?, ?, ?, 0)", (key, chunk.disk, chunk.number)
        )
        self._db.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?)", chunk)

    def add_link(self, key: bytes, chunk: Stored) -> None:
        """``chunk`` was written as a link: its place and digest are its target's."""
        self._db.execute("UPDATE content SET links = links + 1 WHERE key = ?", (key,))
        self._db.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?)", chunk)

    def digests(self, disk: str) -> Iterator[str]:
        """The digests of a disk's chunks, in order."""
        rows = self._db.execute("SELECT sha256 FROM chunk WHERE disk = ? ORDER BY number", (disk,))
        return (sha256.hex() for (sha256,) in rows)

    def spans(self, disk: str) -> Iterator[layout.Span]:
        """Where the data of a disk's chunks lies, in order."""
        rows = self._db.execute(
            "SELECT offset, length FROM chunk WHERE disk = ? ORDER BY number", (disk,)
        )
        return (layout.Span(*row) for row in rows)

    def close(self) -> None:
        """Forget everything and remove the file."""
        self._db.close()
        self._path.unlink(missing_ok=True)
