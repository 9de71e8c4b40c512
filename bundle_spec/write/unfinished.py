"""Open or begin the files of an unfinished bundle; publish, keep or remove them at the end."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bundle_spec.durable import write_atomically
from bundle_spec.errors import LocalError
from bundle_spec.form import layout
from bundle_spec.form.manifest_check import is_uuid
from bundle_spec.private import open_own, read_own
from bundle_spec.trust.age import Recipient
from bundle_spec.write.content_index import ContentIndex
from bundle_spec.write.journal import Journal
from bundle_spec.write.partial import PartialFile, error_of

_OF_SQLITE = {
    "database or disk is full": errno.ENOSPC,
    "disk I/O error": errno.EIO,
    "attempt to write a readonly database": errno.EROFS,
    "database is locked": errno.EBUSY,
}


def _as_os_error(exc: sqlite3.Error) -> OSError:
    """SQLite has words of its own for what the system says."""
    text = str(exc)
    return OSError(_OF_SQLITE.get(text, 0), text)


class Unfinished:
    """``PATH.partial``, and beside it ``.journal`` and, while a run writes, ``.index``.

    ``resumed``: it goes on with what an earlier run left.  ``forgotten``: the uuid of an unfinished
    bundle that was removed instead, if there was one.  ``private``: the bundle is encrypted, so
    nothing is kept for a next run but its uuid, in ``PATH.partial.uuid``.  ``chunks``: how many
    were in it when it was opened.  Not thread-safe.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        part_size: int | None,
        resume: bool,
        encrypt_to: Sequence[Recipient],
    ):
        """Go on with the unfinished bundle of ``path``, or begin it.

        ``part_size``: bytes of a part; None: the bundle is one file.  ``resume`` False: remove what
        an earlier run left.  Raises LocalError: another run writes it, it was begun with other
        parts or without encryption, the final name is taken, or a file cannot be written.
        """
        self.resumed = False
        self.forgotten: str | None = None
        self.private = bool(encrypt_to)
        self._lasting: dict[str, str] = {}
        self._private_folder: tempfile.TemporaryDirectory[str] | None = None
        self._journal_path = path.with_name(path.name + ".partial.journal")
        self._uuid_path = path.with_name(path.name + ".partial.uuid")
        with self.local_errors():
            has_journal = self._journal_path.exists()
            self.forgotten = self._noted_uuid()
        self.file = PartialFile(
            path, overwrite=overwrite, part_size=part_size, encrypt_to=encrypt_to
        )
        try:
            if self.private:
                self._keep_private(resume and has_journal)
            if not has_journal:
                with self.local_errors():
                    self._remove_strays()
                self.file.refuse_to_overwrite()
            with self.local_errors():
                self._open(resume)
        except BaseException:
            self.file.close() if self.file.has_earlier_bytes else self.file.discard()
            self._end_private()
            raise

    @contextmanager
    def local_errors(self) -> Iterator[None]:
        """Turn an error of SQLite or the file system into a LocalError at the journal."""
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            said = exc if isinstance(exc, OSError) else _as_os_error(exc)
            what = "cannot keep the journal of the bundle"
            raise error_of(said, what, self._journal_path) from exc

    # --- opening ---

    def _keep_private(self, in_clear: bool) -> None:
        """Put journal and index, which have digests of clear bytes, into a temporary directory.

        They must not lie on the medium of an encrypted bundle.  ``in_clear``: there is an earlier
        run without encryption to go on with.
        """
        if in_clear:
            raise LocalError(
                "an earlier run left an unfinished bundle that is not encrypted",
                where=str(self.file.path),
                remedy="go on with it without encryption, or remove it with --fresh",
            )
        with self.local_errors():
            self._forget()
            self._private_folder = tempfile.TemporaryDirectory(prefix="downpour-")
            self._journal_path = Path(self._private_folder.name, "journal")

    def note_uuid(self, uuid: str) -> None:
        """Keep the uuid of an encrypted bundle for the next run: by it are found the objects that
        a killed one left in the cloud.  Raises LocalError."""
        if self.private:
            with self.local_errors():
                write_atomically(self._uuid_path, f"{uuid}\n".encode())

    def _noted_uuid(self) -> str | None:
        if not os.path.lexists(self._uuid_path):
            return None
        text = read_own(self._uuid_path)[:64].decode("ascii", "replace").strip()
        return text if is_uuid(text) else None

    def _end_private(self) -> None:
        if self._private_folder:
            self._private_folder.cleanup()

    def _open(self, resume: bool) -> None:
        if not resume:
            self._forget()
        new = not self._journal_path.exists()
        self.journal = Journal(self._journal_path)
        try:
            begun = self.journal.get("position") is not None
            if begun and self.journal.get("part_size") != self.file.part_size:
                raise self._other_split()
            if not begun or not self.file.has_earlier_bytes:
                # The run was killed before its first checkpoint, or after the bundle got its name.
                self.journal.close()
                self._remove_journal()
                self.journal, new = Journal(self._journal_path), True
            self._take_names_back()
            self.file.refuse_to_overwrite()
            self.resumed = self.journal.get("position") is not None
            self._go_on() if self.resumed else self._begin()
            self.index = ContentIndex(self._index_path)
            self.index.load(self.journal.all_stored())
            self.chunks = self.journal.chunk_count()
        except BaseException:
            with suppress(sqlite3.Error):
                self.journal.close()
            if new:
                with suppress(OSError):
                    self._remove_journal()
            raise

    def _forget(self) -> None:
        """Remove what an earlier run left, also one with other parts, unless it still runs."""
        try:
            with closing(Journal(self._journal_path)) as journal:
                # Once it was being renamed there may be a copy of it: no other may have its uuid.
                if uuid := journal.get("uuid"):
                    self.forgotten = None if journal.get("publishing") else uuid
                self._lasting = journal.lasting() if self.forgotten else {}
        except sqlite3.OperationalError:
            raise  # locked by a run with other parts, which does not lock the same file
        except (sqlite3.DatabaseError, LocalError):
            pass  # not a journal that this version reads: it is removed all the same
        self._remove_journal()
        self.file.forget_other_form()

    def _other_split(self) -> LocalError:
        begun_with = self.journal.get("part_size")
        option = f"--split {begun_with}" if begun_with else "no --split"
        return LocalError(
            f"the unfinished bundle was begun with {option}",
            where=str(self._journal_path),
            remedy="use the same again, or begin anew with --fresh",
        )

    def _take_names_back(self) -> None:
        """Undo the renames of a run that was killed while it published the files."""
        if count := self.journal.get("publishing"):
            self.file.take_back(count)
            self.journal.set("publishing", None)
            self.journal.commit()

    def _go_on(self) -> None:
        position = self.journal.get("position")
        self.file.begin(position, str(self.journal.get("parts")).split())
        self.journal.forget_from(position)
        self.journal.commit()

    def _begin(self) -> None:
        for key, text in self._lasting.items():
            self.journal.remember(key, text)
        self.file.begin()
        self.journal.set("part_size", self.file.part_size)
        self.file.append(layout.MAGIC_NAME, layout.MAGIC)

    # --- the end ---

    def publish(self) -> Path:
        """Give the file its final name.  Returns it; for parts, the name of their list."""
        self.journal.set("publishing", len(self.file.files()))
        self.journal.commit()
        with self.local_errors():
            self._uuid_path.unlink(
                missing_ok=True
            )  # a bundle of this uuid may be there from now on
        path = self.file.publish()
        self._close()
        with suppress(OSError):  # the bundle is whole and has its name, whatever is left beside it
            self._remove_journal()
        return path

    def keep(self) -> Path:
        """Leave the files to the next run, which goes on at the last checkpoint.  Returns where."""
        self._close()
        self.file.close()
        return self.file.path

    def discard(self, *, keep_uuid: bool = False) -> None:
        """Remove all of it, as far as the medium lets us; ``keep_uuid``: but for its uuid."""
        self._close()
        self.file.discard()
        with suppress(OSError):
            self._remove_journal()
        if not keep_uuid:
            with suppress(OSError):
                self._uuid_path.unlink(missing_ok=True)

    def _close(self) -> None:
        with suppress(sqlite3.Error):
            self.journal.close()
        with suppress(sqlite3.Error, OSError):
            self.index.close()
        self._end_private()

    @property
    def _index_path(self) -> Path:
        return self._journal_path.with_suffix(".index")

    @property
    def _rollback_path(self) -> Path:
        return self._journal_path.with_name(f"{self._journal_path.name}-journal")

    def _remove_journal(self) -> None:
        """Remove it, and the index, which a killed run leaves as well."""
        for path in (self._journal_path, self._rollback_path, self._index_path):
            path.unlink(missing_ok=True)

    def _remove_strays(self) -> None:
        """Remove what a power cut left of a journal that is gone."""
        if os.path.lexists(self._rollback_path):
            os.close(open_own(self._rollback_path))  # nobody else's
            self._rollback_path.unlink()
        self._index_path.unlink(missing_ok=True)
