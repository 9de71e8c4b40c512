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


def marker(bundle_uuid: str, manifest_sha256: str, source_id: str) -> str:
    """``dpb-<12 hex of the bundle's uuid>-<32 hex>``: never the same for two IDs, or two bundles.

    The uuid is for people, and only what a bundle says of itself.  The 32 digits are of the SHA-256
    over the digest of its manifest, in hex, a blank, and the ID.
    """
    digest = hashlib.sha256(f"{manifest_sha256} {source_id}".encode()).hexdigest()
    return f"{MARKER_PREFIX}{bundle_uuid.replace('-', '')[:12]}-{digest[:32]}"


def is_reserved(name: str) -> bool:
    """Whether a tag or a metadata key is in the name space."""
    return name[: len(MARKER_PREFIX)].lower() == MARKER_PREFIX


def is_marker(text: str) -> bool:
    """Whether a text begins with a whole marker; ``dpb-`` alone may be a person's prose."""
    return _MARKER.match(text) is not None
