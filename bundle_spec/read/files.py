"""The files that make up a bundle, found once from what a person names and handed on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bundle_spec.read.parts import find_parts
from bundle_spec.read.source import Source


@dataclass(frozen=True)
class BundleFiles:
    """``path``: the bundle, one of its parts, or their list.  ``folders``: where else its parts may
    lie [S-3].  ``copy_of``: the encrypted file that a person named, where ``path`` is a decrypted
    copy of it."""

    path: Path
    folders: tuple[Path, ...] = ()
    copy_of: Path | None = None

    @classmethod
    def of(cls, bundle: Path | BundleFiles, folders: Iterable[Path] = ()) -> BundleFiles:
        """``bundle`` itself if it is a BundleFiles, else the files of that path and ``folders``."""
        return cls(bundle, tuple(folders)) if isinstance(bundle, Path) else bundle

    @property
    def shown(self) -> Path:
        """The path that a person named, for messages."""
        return self.copy_of or self.path

    @cached_property
    def parts(self) -> tuple[Path, ...]:
        """The files in order, looked for at the first access.  Raises as ``find_parts`` does."""
        return find_parts(self.path, self.folders)

    def open(self) -> Source:
        """Open all of them.  Raises as ``parts`` does, and LocalError."""
        return Source(self.shown, self.parts)
