"""The microversion that requests to a service ask for."""

from __future__ import annotations

from typing import Any

from openstack import utils as sdk_utils

NEWEST = {"compute": "2.100", "block_storage": "3.70"}
"""The newest microversions whose requests and answers this code knows; an older cloud gets its
own newest."""


def version(text: str) -> tuple[int, ...]:
    """A microversion as numbers that can be compared."""
    return tuple(int(part) for part in text.split("."))


def negotiate(adapter: Any, service: str) -> str | None:
    """The newest that the service and this code know, or an older one that clouds.yaml pins
    (``compute_default_microversion``).  None where the service has none."""
    if service not in NEWEST:
        return None
    pinned = getattr(adapter, "default_microversion", None)
    newest = min(filter(None, (NEWEST[service], pinned)), key=version)
    common: str | None = sdk_utils.maximum_supported_microversion(adapter, newest)
    return common
