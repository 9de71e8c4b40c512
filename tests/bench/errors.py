"""What stops a benchmark."""


class BenchError(Exception):
    """Something the person at the keyboard can act on: one sentence."""
