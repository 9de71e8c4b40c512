"""What was played, as JSON lines: for the oracle, and for whoever reads a failure."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any


class Log:
    """JSON lines, one for each fault that was injected and each request that went elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def write(self, **facts: object) -> None:
        line = json.dumps({"at": round(time.monotonic() - self._began, 2), **facts})
        with self._lock, self.path.open("a") as file:
            file.write(line + "\n")

    def lines(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The lines of faults that did something."""
        return [line for line in self.lines() if "fault" in line]

    @property
    def trapped(self) -> list[dict[str, Any]]:
        """The lines of requests that went elsewhere."""
        return [line for line in self.lines() if "trapped" in line]
