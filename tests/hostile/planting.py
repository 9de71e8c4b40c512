"""What somebody may lay in the way of a file, and the file of the operator that a link leads to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

IN_THE_WAY = r"symbolic link|FIFO|directory"
SECRET = b"a file of the operator\n"


def plant_link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def plant_dangling_link(path: Path, other: Path) -> None:
    path.symlink_to(other.with_name("nothing"))


def plant_fifo(path: Path, other: Path) -> None:
    os.mkfifo(path)


def plant_directory(path: Path, other: Path) -> None:
    path.mkdir()


Plant = Callable[[Path, Path], None]
PLANTS = [plant_link, plant_dangling_link, plant_fifo, plant_directory]
NO_FILES = [plant_fifo, plant_directory]


def untouched(other: Path) -> None:
    assert other.read_bytes() == SECRET
    assert not other.with_name("nothing").exists()
