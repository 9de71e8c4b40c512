"""``python -m tests.vectors`` makes all vectors again."""

from tests.vectors.generate import write

write()
