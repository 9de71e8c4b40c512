"""``python -m bundle_spec``: the format by itself, without either half of downpour."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bundle_spec.cli.interrupts import begin


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code.  Only this imports the program."""
    from bundle_spec.cli.alone import main

    return main(argv)


def program() -> int:
    """The same as a whole process, with its signals."""
    return begin(main)


if __name__ == "__main__":
    sys.exit(program())
