"""The key file beside an encrypted bundle, which a passphrase opens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from bundle_spec import BundleWriter
from bundle_spec.durable import sync_folder, write_atomically
from bundle_spec.errors import LocalError
from bundle_spec.medium import local_errors
from bundle_spec.trust import age
from downpour_export.options import ExportOptions

_WHAT = "cannot write the key file"


class KeyFile:
    """The key of an encrypted bundle, which a passphrase opens; ``path`` None: there is none.

    Until the bundle has its name, the key has one of its own: an earlier bundle of this name, which
    ``--overwrite`` replaces only when the new one is whole, needs the key that is there.
    """

    def __init__(self, path: Path | None, recipients: list[age.Recipient]) -> None:
        self.path = path
        self.recipients = recipients
        self.writer: BundleWriter | None = None

    @classmethod
    def of(cls, options: ExportOptions) -> KeyFile:
        """Raises EncryptionError, LocalError."""
        if options.passphrase_file is None:
            return cls(None, [])
        recipient, data = age.passphrase_key(age.passphrase_of(options.passphrase_file))
        path = options.bundle.with_name(options.bundle.name + ".key")
        if os.path.lexists(path) and not options.overwrite:
            raise LocalError(
                "the key file exists already",
                where=str(path),
                remedy="choose another name for the bundle, or replace both with --overwrite",
            )
        key = cls(path, [recipient])
        with local_errors(_WHAT, key.new):
            write_atomically(key.new, data)
        return key

    @property
    def new(self) -> Path:
        assert self.path is not None
        return self.path.with_name(self.path.name + ".partial")

    def publish(self) -> Path | None:
        if self.path is not None:
            with local_errors(_WHAT, self.new):
                os.replace(self.new, self.path)
                sync_folder(self.path.parent)
        return self.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """A key without a bundle goes; if the bundle has its name, its key stays, under whatever
        name it has."""
        published = self.writer is not None and self.writer.may_be_published
        if self.path is not None and not published:
            self.new.unlink(missing_ok=True)
