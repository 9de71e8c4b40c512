"""The journal of an unfinished bundle: a SQLite file beside it, with a record of every member.

``position`` is the number of bytes of the bundle that are surely on the medium: it is set after an
fsync, and committed together with the records of the members before it.  The next run cuts the file
there, deletes the records of members behind it, and goes on.
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
from bundle_spec.private import claim_database

LASTING = "lasting "
"""How the key of a text begins that a run must know too which begins afresh."""

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
"""The place of a chunk is one integer: the number of its disk, then 20 bits for its own [F-17]."""


def place_of(disk: str, number: int) -> int:
    """The place of a chunk: one integer for the disk's ID and the chunk's number."""
    return int(disk) << _DISK_BITS | number


def chunk_of(place: int) -> tuple[str, int]:
    """The disk's ID and the chunk's number, of a place."""
    return disk_id(place >> _DISK_BITS), place & ((1 << _DISK_BITS) - 1)


class Stored(NamedTuple):
    """The record of a chunk with a frame of its own.

    ``content``: SHA-256 of its raw bytes.  ``offset``, ``length``: of the frame, in bytes of the
    bundle.  ``sha256``: of the frame.  Both digests are 32 bytes.
    """

    place: int
    content: bytes
    offset: int
    length: int
    sha256: bytes


@dataclass(frozen=True)
class OpenDisk:
    """A disk that a stopped run had begun.

    ``label``: what the exporter called it.  ``chunk_size``: in bytes.  ``chunks``: how many of it
    are stored.
    """

    id: str
    label: str
    disk_format: str
    chunk_size: int
    chunks: int

    @property
    def size(self) -> int:
        """How many bytes of it are in the bundle, and so the offset of the next one to write."""
        return self.chunks * self.chunk_size


class ChunkList(NamedTuple):
    """A chunk list that was written: where it lies, its digest in hex, the disk's account [M-20].

    ``stored``, ``shared``: in bytes.
    """

    span: Span
    sha256: str
    stored: int
    shared: int


class Journal:
    """Records of disks and chunks, values of the writer's own, and texts of the exporter's.

    Not thread-safe: ChunkStore calls it under its lock.  Raises sqlite3.Error.
    """

    def __init__(self, path: Path):
        """Open the journal at ``path``, or begin one.

        Raises LocalError for a journal of another version, OSError.
        """
        self.path = path
        claim_database(path)
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

    # --- values and texts ---

    def get(self, key: str) -> Any:
        """A value of the writer's own, ``position`` for one; None where it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set(self, key: str, value: Any) -> None:
        """Set a value of the writer's own."""
        self._db.execute("REPLACE INTO meta VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        """The text that ``remember`` kept under ``key``."""
        row = self._db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def remember(self, key: str, value: str) -> None:
        """Keep a text of the exporter's, for a later run."""
        self._db.execute("REPLACE INTO note VALUES (?, ?)", (key, value))

    def lasting(self) -> dict[str, str]:
        """The texts whose keys begin with LASTING."""
        rows = self._db.execute(
            "SELECT key, value FROM note WHERE substr(key, 1, ?) = ?", (len(LASTING), LASTING)
        )
        return dict(rows.fetchall())

    # --- durability ---

    def commit(self) -> None:
        """Make durable all that was recorded so far."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def roll_back(self) -> None:
        """Drop what was recorded since the last ``commit``."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._db.execute("BEGIN IMMEDIATE")

    def forget_from(self, position: int) -> None:
        """Delete the records of members that do not lie before ``position``, in bytes."""
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
        """Record a chunk with a frame of its own; ``at``: the offset of its header."""
        place, content, offset, length, sha256 = chunk
        self._db.execute(
            "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (place, at, content, offset, length, sha256),
        )

    def add_link(self, at: int, place: int, target: Stored) -> None:
        """Record a chunk that is a link to ``target``; ``at``: the offset of its header."""
        self._db.execute(
            "INSERT INTO chunk VALUES (?, ?, NULL, ?, ?, ?, ?)",
            (place, at, target.offset, target.length, target.sha256, target.place),
        )

    def stored(self, place: int) -> Stored:
        """The record of a chunk with a frame of its own."""
        row = self._db.execute(
            "SELECT place, content, offset, length, sha256 FROM chunk WHERE place = ?", (place,)
        ).fetchone()
        return Stored(*row)

    def frame_at(self, place: int) -> tuple[int, Span, bytes] | None:
        """Of the chunk at ``place``: the place of the frame, the chunk's own or that of its target;
        where the frame lies, and its digest.  None where there is no such chunk."""
        row = self._db.execute(
            "SELECT coalesce(target, place), offset, length, sha256 FROM chunk WHERE place = ?",
            (place,),
        ).fetchone()
        return (row[0], Span(row[1], row[2]), row[3]) if row else None

    def first_place(self, chunk_size: int, other_than: str) -> int | None:
        """The place of the first chunk of the first other disk of this chunk size."""
        row = self._db.execute(
            "SELECT min(id) FROM disk WHERE chunk_size = ? AND id <> ?",
            (chunk_size, int(other_than)),
        ).fetchone()
        return None if row[0] is None else int(row[0]) << _DISK_BITS

    def all_stored(self) -> Iterator[tuple[bytes, int, int]]:
        """Content, place and number of links of every frame, sorted by content, then by age."""
        yield from self._db.execute(
            "SELECT content, place, coalesce(links, 0) FROM chunk LEFT JOIN"
            " (SELECT target AS of, count(*) AS links FROM chunk GROUP BY target) ON of = place"
            " WHERE content IS NOT NULL ORDER BY content, at"
        )

    def frames(self, disk: str) -> Iterator[tuple[Span, bytes]]:
        """For each chunk of a disk, in order: where its frame lies, and the frame's digest.

        For a link both are those of its target [F-11] [F-9].
        """
        rows = self._db.execute(
            "SELECT offset, length, sha256 FROM chunk WHERE place BETWEEN ? AND ? ORDER BY place",
            _range(disk),
        )
        return ((Span(offset, length), sha256) for offset, length, sha256 in rows)

    def account(self, disk: str) -> tuple[int, int]:
        """``stored`` and ``shared`` of a disk, in bytes [M-20]."""
        row = self._db.execute(
            "SELECT coalesce(sum(length) FILTER (WHERE target IS NULL), 0),"
            " coalesce(sum(length) FILTER (WHERE target IS NOT NULL), 0)"
            " FROM chunk WHERE place BETWEEN ? AND ?",
            _range(disk),
        ).fetchone()
        return int(row[0]), int(row[1])

    def chunk_count(self) -> int:
        """How many chunks of all disks are recorded."""
        return int(self._db.execute("SELECT count(*) FROM chunk").fetchone()[0])

    # --- disks ---

    def begin_disk(self, disk: str, label: str, disk_format: str, chunk_size: int) -> None:
        """Record that a disk was begun."""
        row = (int(disk), label, disk_format, chunk_size)
        self._db.execute("INSERT INTO disk VALUES (?, ?, ?, ?, NULL, NULL, NULL)", row)

    def end_disk(self, record: Disk | AbandonedDisk, span: Span) -> None:
        """Record that a disk has ended; ``span``: of its chunk list."""
        text = codec.dumps(codec.encode(record)).decode()
        values = (text, span.offset, span.size, int(record.id))
        self._db.execute(
            "UPDATE disk SET record = ?, list_offset = ?, list_size = ? WHERE id = ?", values
        )

    def last_disk(self) -> int:
        """The highest number of any disk; 0 where there is none."""
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
        """Close the file; what was not committed is dropped."""
        self._db.close()


def _range(disk: str) -> tuple[int, int]:
    first = place_of(disk, 0)
    return first, first + (1 << _DISK_BITS) - 1
