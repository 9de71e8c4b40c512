"""stdout and stderr, which may be gone: a terminal that was closed, a pipe that nobody reads.

stderr is talk: what cannot be said any more is not said, and nothing else changes.  stdout is the
result: whoever stops reading it ends the output, as with ``| head``, and never the work.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from bundle_spec.errors import LocalError
from bundle_spec.medium import local_error

_READER_GONE = frozenset({errno.EPIPE, errno.EIO})
"""EIO: the terminal was closed."""


class Talk:
    """stderr as a file that no write breaks, also for tqdm."""

    def write(self, text: str) -> int:
        try:
            sys.stderr.write(text)
        except (OSError, ValueError):  # ValueError: closed
            _drop(sys.stderr)
        return len(text)

    def flush(self) -> None:
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            _drop(sys.stderr)

    def isatty(self) -> bool:
        return is_terminal(sys.stderr)

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


class Output:
    """stdout.  ``unread``: its reader went away, and the rest goes nowhere."""

    def __init__(self) -> None:
        self.unread = False

    def write(self, text: str) -> None:
        """Raises LocalError where it cannot be written, as on a full disk."""
        try:
            sys.stdout.write(text)
        except (OSError, ValueError) as exc:
            self._failed(exc)

    def flush(self) -> None:
        """Raises LocalError, as ``write``."""
        try:
            sys.stdout.flush()
        except (OSError, ValueError) as exc:
            self._failed(exc)

    def _failed(self, exc: OSError | ValueError) -> None:
        _drop(sys.stdout)
        if isinstance(exc, OSError) and exc.errno in _READER_GONE:
            self.unread = True
            return
        what = "cannot write the output"
        if isinstance(exc, OSError):
            raise local_error(what, exc, "stdout") from exc
        raise LocalError(f"{what}: it is closed", where="stdout") from exc


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (OSError, ValueError):
        return False


def _drop(stream: TextIO) -> None:
    """Let what follows go nowhere: Python would try the rest again when it ends, and complain."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


talk = Talk()
output = Output()
