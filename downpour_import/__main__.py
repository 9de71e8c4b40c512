"""``downpour-import``, also as ``python -m downpour_import``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bundle_spec.cli.interrupts import begin


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code.  Only this imports the program."""
    from downpour_import.cli import main

    return main(argv)


def program() -> int:
    """The same as a whole process, with its signals."""
    return begin(main)


if __name__ == "__main__":
    sys.exit(program())
