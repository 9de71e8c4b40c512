"""Find the chunk that holds given content, by the digest of its raw bytes.

The index is a SQLite file, so that memory stays bounded at any size of bundle.  It need not survive
a crash: the next run builds it from the journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from bundle_spec.form.layout import MAX_LINKS
from bundle_spec.private import claim_database

CACHE = 96 * 2**20
"""Bytes of the file that are kept in memory."""


class ContentIndex:
    """Maps the first eight bytes of a content's SHA-256 to a chunk and the number of its links.

    The chunk is the one that the content was last stored as, by its ``place`` in the journal.  Not
    thread-safe: ChunkStore calls it under its lock.  Raises sqlite3.Error.
    """

    def __init__(self, path: Path):
        self._path = path
        path.unlink(missing_ok=True)
        claim_database(path)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(
            f"""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            PRAGMA cache_size = -{CACHE // 1024}; PRAGMA locking_mode = EXCLUSIVE;
            CREATE TABLE content (key INTEGER PRIMARY KEY, place INTEGER, links INTEGER);
            BEGIN;
            """
        )

    def find(self, content: bytes) -> int | None:
        """The place of the chunk that one more chunk with this content may be linked to [F-8].

        ``content``: a digest of 32 bytes, of which only eight are compared: the caller compares the
        rest.  None where nothing fits, or MAX_LINKS links lead there already.
        """
        row = self._db.execute(
            "SELECT place, links FROM content WHERE key = ?", (_key(content),)
        ).fetchone()
        return row[0] if row and row[1] < MAX_LINKS else None

    def add(self, content: bytes, place: int) -> None:
        """Let ``find`` give ``place`` for this content; no chunk is linked to it yet."""
        self._db.execute("REPLACE INTO content VALUES (?, ?, 0)", (_key(content), place))

    def count_link(self, content: bytes) -> None:
        """Count one more link to the chunk that ``find`` gave for this content."""
        self._db.execute("UPDATE content SET links = links + 1 WHERE key = ?", (_key(content),))

    def load(self, rows: Iterable[tuple[bytes, int, int]]) -> None:
        """Add rows of content, place and number of links; the last row of one content counts.

        Rows that are sorted by content are added fastest.
        """
        self._db.executemany(
            "REPLACE INTO content VALUES (?, ?, ?)",
            ((_key(content), place, links) for content, place, links in rows),
        )

    def close(self) -> None:
        """Close the index and remove its file."""
        self._db.close()
        self._path.unlink(missing_ok=True)


def _key(content: bytes) -> int:
    # The order of the integers is that of the digests, so that a sorted load appends.
    return int.from_bytes(content[:8], "big") - (1 << 63)
