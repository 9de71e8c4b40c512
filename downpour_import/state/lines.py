"""Append lines to a file, so that a failure leaves no half of one.

The caller holds a lock.  A line has no byte 0: where one is found, a power cut has left a line of
which the length arrived on the medium, and not all the bytes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bundle_spec.durable import sync_folder

_STEP = 4096


def whole_lines(data: bytes) -> list[bytes]:
    """The lines of a file, without a last one that a kill or a power cut has torn."""
    lines = data.split(b"\n")[:-1]
    return lines[:-1] if lines and b"\0" in lines[-1] else lines


def append_line(fd: int, line: bytes, *, synced_in: Path | None) -> None:
    """Append ``line``, which ends with a line end, in the place of a torn one.

    ``fd``: opened to be read and appended to.  ``synced_in``: the file's directory, where the line
    must survive a power cut.  After an OSError the line counts as lost, also one of fsync: it is
    cut off again.
    """
    end = _drop_torn_line(fd)
    try:
        view = memoryview(line)
        while view:
            view = view[os.write(fd, view) :]
        if synced_in:
            os.fsync(fd)
            if not end:
                sync_folder(synced_in)
    except BaseException:
        with suppress(OSError):
            os.ftruncate(fd, end)
        raise


def _drop_torn_line(fd: int) -> int:
    """Cut off a last line that is torn, so that the next one does not join it.  Returns where the
    file ends then."""
    size = start = os.fstat(fd).st_size
    tail = b""
    while start and tail.count(b"\n") < 2:
        step = min(_STEP, start)
        start -= step
        tail = os.pread(fd, step, start) + tail
    if start:
        start, tail = start + tail.index(b"\n") + 1, tail[tail.index(b"\n") + 1 :]
    end = start + sum(len(line) + 1 for line in whole_lines(tail))
    if end < size:
        os.ftruncate(fd, end)
        os.fsync(fd)
    return end
