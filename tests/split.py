"""Bundles cut into parts, by plain Python."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path


def split(bundle: Path, folders: Sequence[Path], size: int, *, with_list: bool = True) -> None:
    """Cut ``bundle`` into parts of ``size`` bytes, dealt to ``folders`` in turn [S-1] [S-2].

    The list of the parts goes into the first folder.  The bundle itself is gone afterwards.
    """
    lines = []
    with bundle.open("rb") as file:
        for number, data in enumerate(iter(lambda: file.read(size), b""), 1):
            name = f"{bundle.name}.{number:03d}"
            folder = folders[(number - 1) % len(folders)]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    if with_list:
        (folders[0] / f"{bundle.name}.parts").write_bytes(os.fsencode("".join(lines)))
    bundle.unlink()
