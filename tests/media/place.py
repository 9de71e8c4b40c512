"""A folder whose files are in memory, where there is one: hundreds of runs sync there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="downpour-crash-", dir=memory) as folder:
        yield Path(folder)
