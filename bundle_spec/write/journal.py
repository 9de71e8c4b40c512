"""What a writer must not forget: every member of the unfinished bundle, in a file beside it.

A record is believed only up to ``position``, which is set when the medium has every byte before
it: whatever a run is killed by, the next one goes on from there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bundle_spec.errors import LocalError
from bundle_spec.form import codec
from bundle_spec.form.layout import Span, disk_id
from bundle_spec.model import AbandonedDisk, Disk

_FORMAT = "dpbundle journal 1"

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE disk (
    id INTEGER PRIMARY KEY, label TEXT, format TEXT, chunk_size INTEGER,
    record TEXT, list_offset INTEGER, list_size INTEGER
);
CREATE TABLE chunk (
    place INTEGER PRIMARY KEY, at INTEGER, content BLOB,
    offset INTEGER, length INTEGER, sha256 BLOB, target INTEGER
);
"""

_DISK_BITS = 20
"""A chunk's place is its disk's number, and in the lowest 20 bits its own [F-17]."""


def place_of(disk: str, number: int) -> int:
    """One integer for a chunk of a disk."""
    return int(disk) << _DISK_BITS | number


def chunk_of(place: int) -> tuple[str, int]:
    """The disk and the number of a chunk."""
    return disk_id(place >> _DISK_BITS), place & ((1 << _DISK_BITS) - 1)


class Stored(NamedTuple):
    """A frame that lies in the file: whose chunk it is, what it holds and hashes to."""

    place: int
    content: bytes
    offset: int
    length: int
    sha256: bytes


@dataclass(frozen=True)
class OpenDisk:
    """A disk that a stopped run had begun.  ``label`` is what the exporter called it."""

    id: str
    label: str
    disk_format: str
    chunk_size: int
    chunks: int

    @property
    def size(self) -> int:
        """The bytes of it that are in the bundle: the next to write is the one behind them."""
        return self.chunks * self.chunk_size


class ChunkList(NamedTuple):
    """Where the chunk list of a disk lies, its digest, and the disk's account [M-20]."""

    span: Span
    sha256: str
    stored: int
    shared: int


class Journal:
    """Not thread-safe: the writer calls it under its lock.  Raises sqlite3.Error."""

    def __init__(self, path: Path):
        """Open the journal at ``path``, or begin one.  Raises LocalError for any other file."""
        self.path = path
        self._db = sqlite3.connect(path, timeout=1, check_same_thread=False, isolation_level=None)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        # Rows are only appended, so a rollback journal holds but a few pages of each
        # transaction; locked, because a WAL's shared memory is not for every file system.
        self._db.executescript(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;"
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
        )
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        self._db.execute("BEGIN IMMEDIATE")
        if not tables:
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self.set("format", _FORMAT)
            self.commit()
        elif self.get("format") != _FORMAT:
            raise LocalError(
                "the journal of the unfinished bundle is of another version",
                where=str(self.path),
                remedy="remove it and the .partial beside it to begin again",
            )

    # --- what is durable ---

    def get(self, key: str) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set(self, key: str, value: Any) -> None:
        self._db.execute("REPLACE INTO meta VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def remember(self, key: str, value: str) -> None:
        self._db.execute("REPLACE INTO note VALUES (?, ?)", (key, value))

    def commit(self) -> None:
        """All that was said so far survives whatever comes."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def roll_back(self) -> None:
        """Forget what was said since the last ``commit``."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._db.execute("BEGIN IMMEDIATE")

    def forget_from(self, position: int) -> None:
        """Forget every member that does not lie before ``position``."""
        self._db.execute("DELETE FROM chunk WHERE at >= ?", (position,))
        self._db.execute(
            "UPDATE disk SET record = NULL, list_offset = NULL WHERE list_offset > ?", (position,)
        )
        self._db.execute(
            "DELETE FROM disk WHERE record IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM chunk WHERE place BETWEEN id << 20 AND (id + 1 << 20) - 1)"
        )

    # --- members ---

    def add_stored(self, at: int, chunk: Stored) -> None:
        """A chunk with a frame of its own; ``at``: where its header is."""
        place, content, offset, length, sha256 = chunk
        self._db.execute(
            "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (place, at, content, offset, length, sha256),
        )

    def add_link(self, at: int, place: int, target: Stored) -> None:
        """A chunk that is a link: its place in the file and its digest are its target's."""
        self._db.execute(
            "INSERT INTO chunk VALUES (?, ?, NULL, ?, ?, ?, ?)",
            (place, at, target.offset, target.length, target.sha256, target.place),
        )

    def stored(self, place: int) -> Stored:
        """What was said of a chunk with a frame of its own."""
        row = self._db.execute(
            "SELECT place, content, offset, length, sha256 FROM chunk WHERE place = ?", (place,)
        ).fetchone()
        return Stored(*row)

    def all_stored(self) -> Iterator[tuple[bytes, int, int]]:
        """Content, place and number of links of every frame, sorted by content, then by age."""
        yield from self._db.execute(
            "SELECT content, place, coalesce(links, 0) FROM chunk LEFT JOIN"
            " (SELECT target AS of, count(*) AS links FROM chunk GROUP BY target) ON of = place"
            " WHERE content IS NOT NULL ORDER BY content, at"
        )

    def frames(self, disk: str) -> Iterator[tuple[Span, bytes]]:
        """Where the frame of each chunk of a disk lies and what it hashes to, in order."""
        rows = self._db.execute(
            "SELECT offset, length, sha256 FROM chunk WHERE place BETWEEN ? AND ? ORDER BY place",
            _range(disk),
        )
        return ((Span(offset, length), sha256) for offset, length, sha256 in rows)

    def account(self, disk: str) -> tuple[int, int]:
        """The bytes of the frames that a disk holds, and of those that its links lead to."""
        row = self._db.execute(
            "SELECT coalesce(sum(length) FILTER (WHERE target IS NULL), 0),"
            " coalesce(sum(length) FILTER (WHERE target IS NOT NULL), 0)"
            " FROM chunk WHERE place BETWEEN ? AND ?",
            _range(disk),
        ).fetchone()
        return int(row[0]), int(row[1])

    def chunk_count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM chunk").fetchone()[0])

    # --- disks ---

    def begin_disk(self, disk: str, label: str, disk_format: str, chunk_size: int) -> None:
        row = (int(disk), label, disk_format, chunk_size)
        self._db.execute("INSERT INTO disk VALUES (?, ?, ?, ?, NULL, NULL, NULL)", row)

    def end_disk(self, record: Disk | AbandonedDisk, span: Span) -> None:
        """``span``: of the disk's chunk list."""
        text = codec.dumps(codec.encode(record)).decode()
        values = (text, span.offset, span.size, int(record.id))
        self._db.execute(
            "UPDATE disk SET record = ?, list_offset = ?, list_size = ? WHERE id = ?", values
        )

    def last_disk(self) -> int:
        """The highest number of a disk, 0 where there is none."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM disk").fetchone()[0])

    def disks(self) -> dict[str, tuple[Disk | AbandonedDisk, Span, str]]:
        """Record, chunk list and label of every disk that was ended."""
        rows = self._db.execute(
            "SELECT id, record, list_offset, list_size, label FROM disk"
            " WHERE record IS NOT NULL ORDER BY id"
        )
        return {
            disk_id(number): (self._record(text), Span(offset, size), label)
            for number, text, offset, size, label in rows
        }

    def _record(self, text: str) -> Disk | AbandonedDisk:
        value = codec.loads(text.encode(), str(self.path))
        if "sha256" in value:
            return codec.decode(Disk, value, str(self.path))
        return codec.decode(AbandonedDisk, value, str(self.path))

    def open_disks(self) -> list[OpenDisk]:
        """The disks that were begun and not ended."""
        rows = self._db.execute(
            "SELECT id, label, format, chunk_size,"
            " (SELECT count(*) FROM chunk WHERE place BETWEEN id << 20 AND (id + 1 << 20) - 1)"
            " FROM disk WHERE record IS NULL ORDER BY id"
        ).fetchall()
        return [OpenDisk(disk_id(row[0]), *row[1:]) for row in rows]

    def close(self) -> None:
        """What was not committed is forgotten."""
        self._db.close()


def _range(disk: str) -> tuple[int, int]:
    first = place_of(disk, 0)
    return first, first + (1 << _DISK_BITS) - 1
