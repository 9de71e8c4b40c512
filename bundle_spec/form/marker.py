"""The name space of the marks that an importer leaves on what it makes.

A bundle's data must be free of it, so that no bundle can claim what another one made.
"""

from __future__ import annotations

import re

MARKER_PREFIX = "dpb-"
"""Tags and metadata keys that begin so are downpour's own."""

_MARKER = re.compile(r"dpb-[0-9a-f]{12}-[0-9a-f]{32}")


def is_reserved(name: str) -> bool:
    """Whether a tag or a metadata key is in the name space."""
    return name.startswith(MARKER_PREFIX)


def is_marker(text: str) -> bool:
    """Whether a description begins with a whole marker: people may write ``dpb-`` in prose."""
    return _MARKER.match(text) is not None
