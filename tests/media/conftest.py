"""Where the files of a played machine lie."""

from tests.media.place import place

__all__ = ["place"]
