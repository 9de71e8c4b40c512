"""What a program does to the files below a folder, as a list of steps.

A step on *data* names a file by a number that it keeps whatever its name is; a step on *names*
names it by its path below the folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

NamesKind = Literal["create", "rename", "unlink", "mkdir", "rmdir"]


@dataclass(frozen=True)
class Write:
    """``data`` reached the file ``file`` at ``offset``."""

    file: int
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Truncate:
    """The file ``file`` has ``size`` bytes from here on."""

    file: int
    size: int


@dataclass(frozen=True)
class Names:
    """A directory changed: ``path`` names ``file``, or nothing; ``source``: of a rename."""

    kind: NamesKind
    path: str
    file: int
    source: str | None = None

    @property
    def folders(self) -> set[str]:
        """The directories that must be synced for it."""
        paths = [self.path] if self.source is None else [self.path, self.source]
        return {str(PurePosixPath(path).parent) for path in paths}


@dataclass(frozen=True)
class Sync:
    """The bytes of ``file`` so far are on the medium."""

    file: int


@dataclass(frozen=True)
class SyncFolder:
    """The names in the directory ``path`` so far are on the medium."""

    path: str


@dataclass(frozen=True)
class Mark:
    """Not a step of the files: from here on a program may rely on ``promise``."""

    promise: str


Step = Write | Truncate | Names | Sync | SyncFolder | Mark
