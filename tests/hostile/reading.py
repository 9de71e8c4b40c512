"""``python -m tests.hostile.reading KIND PATH``: read a YAML file as a command does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from bundle_spec.errors import DownpourError
from downpour_export import resource_file
from downpour_import.playbook.data import load_data
from downpour_import.playbook.settings import load_settings
from downpour_import.preflight import mapping

READERS: dict[str, Callable[[Path], object]] = {
    "mapping": mapping.load,
    "resource file": resource_file.load,
    "settings.yml": load_settings,
    "resources.yml": load_data,
}


def main(kind: str, path: str) -> int:
    """0 for a file that is read, else the exit code of its refusal."""
    try:
        READERS[kind](Path(path))
    except DownpourError as exc:
        return exc.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
