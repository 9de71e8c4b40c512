"""``python -m bundle_spec``: the format by itself, without either half of downpour."""

import sys

from bundle_spec.cli import interrupts

program = interrupts.program("bundle_spec.cli.alone")

if __name__ == "__main__":
    sys.exit(program())
