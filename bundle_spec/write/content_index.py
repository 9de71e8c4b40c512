"""Which content is stored where: found in a file, so that memory stays bounded at any size.

Nobody needs it after a crash: the journal has all that it holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from bundle_spec.form.layout import MAX_LINKS

CACHE = 96 * 2**20
"""Bytes of the file that are kept in memory."""


class ContentIndex:
    """Eight bytes of a content's digest -> the chunk that it was last stored as, and its links.

    Not thread-safe: the writer calls it under its lock.  Raises sqlite3.Error.
    """

    def __init__(self, path: Path):
        self._path = path
        path.unlink(missing_ok=True)
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
        """The chunk that a chunk with this content may still be linked to [F-8].

        Only eight bytes of the digest were compared: the caller compares the rest.
        """
        row = self._db.execute(
            "SELECT place, links FROM content WHERE key = ?", (_key(content),)
        ).fetchone()
        return row[0] if row and row[1] < MAX_LINKS else None

    def stored(self, content: bytes, place: int) -> None:
        """From now on ``place`` is the one to link to for this content."""
        self._db.execute("REPLACE INTO content VALUES (?, ?, 0)", (_key(content), place))

    def linked(self, content: bytes) -> None:
        """One more link leads to the chunk that ``find`` gave for this content."""
        self._db.execute("UPDATE content SET links = links + 1 WHERE key = ?", (_key(content),))

    def load(self, rows: Iterable[tuple[bytes, int, int]]) -> None:
        """Content, place and links of all frames; the last of one content counts.

        Fast when sorted by content.
        """
        self._db.executemany(
            "REPLACE INTO content VALUES (?, ?, ?)",
            ((_key(content), place, links) for content, place, links in rows),
        )

    def close(self) -> None:
        """Forget everything and remove the file."""
        self._db.close()
        self._path.unlink(missing_ok=True)


def _key(content: bytes) -> int:
    # The order of the integers is that of the digests, so that a sorted load appends.
    return int.from_bytes(content[:8], "big") - (1 << 63)
