"""The name space of the marks that an importer puts on the resources that it makes.

No bundle may contain one [M-16], so that no bundle can claim what another import made.  Case does
not matter: some clouds compare without it.
"""

from __future__ import annotations

import hashlib
import re

MARKER_PREFIX = "dpb-"
"""Tags and metadata keys that begin so are downpour's own."""

_MARKER = re.compile(r"dpb-[0-9a-f]{12}-[0-9a-f]{32}", re.IGNORECASE | re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def marker(bundle_uuid: str, source_id: str) -> str:
    """``dpb-<12 hex of the bundle>-<32 hex of the source ID>``: never the same for two IDs.

    An ID that is no UUID as OpenStack writes it is hashed: without its dashes it could be another
    one's.
    """
    hex32 = source_id.replace("-", "")
    if not _UUID.fullmatch(source_id):
        hex32 = hashlib.sha256(source_id.encode()).hexdigest()[:32]
    return f"{MARKER_PREFIX}{bundle_uuid.replace('-', '')[:12]}-{hex32}"


def is_reserved(name: str) -> bool:
    """Whether a tag or a metadata key is in the name space."""
    return name[: len(MARKER_PREFIX)].lower() == MARKER_PREFIX


def is_marker(text: str) -> bool:
    """Whether a text begins with a whole marker; ``dpb-`` alone may be a person's prose."""
    return _MARKER.match(text) is not None
