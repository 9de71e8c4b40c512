"""Events of the playbook run, sent live to the importer that started it.

The importer names a FIFO in the environment; actions and the upload module write one JSON
object a line to it.  A playbook that is run by hand has no such FIFO and sends nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

VARIABLE = "DOWNPOUR_EVENTS"
MAX_LINE = 4096
"""POSIX writes up to PIPE_BUF bytes to a FIFO in one piece; longer texts are cut."""


def listened() -> bool:
    """Whether an importer runs this playbook, and not a person."""
    return bool(os.environ.get(VARIABLE))


def note(text: str) -> None:
    """Have the importer say one line."""
    emit("note", message=text)


def emit(event: str, **values: Any) -> None:
    """Send one event.  Never raises: a reader that went away must not stop a run."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line = json.dumps({"event": event, **values}).encode() + b"\n"
    if len(line) > MAX_LINE:
        values = {
            key: text[:200] if isinstance(text, str) else text for key, text in values.items()
        }
        line = json.dumps({"event": event, **values}).encode() + b"\n"
    with contextlib.suppress(OSError):
        # Without a reader the open fails at once instead of waiting for one.
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
