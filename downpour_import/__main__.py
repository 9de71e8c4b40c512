"""``downpour-import``, also as ``python -m downpour_import``."""

import sys

from bundle_spec.cli import interrupts

program = interrupts.program("downpour_import.cli")

if __name__ == "__main__":
    sys.exit(program())
