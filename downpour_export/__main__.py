"""``downpour-export``, also as ``python -m downpour_export``."""

import sys

from bundle_spec.cli import interrupts

program = interrupts.program("downpour_export.cli")

if __name__ == "__main__":
    sys.exit(program())
