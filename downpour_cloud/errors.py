"""What can go wrong before any request is answered."""

from __future__ import annotations

from bundle_spec.errors import DownpourError


class CloudError(DownpourError):
    """The cloud could not be reached, or did not accept the credentials."""

    exit_code = 6
