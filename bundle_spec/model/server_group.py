"""Compute API: ``/os-server-groups``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Resource
from bundle_spec.model.forms import Count


@dataclass(frozen=True, kw_only=True)
class ServerGroup(Resource):
    """A server group.  Its members are the servers that have its ID as ``server_group_id``."""

    type = "server_group"

    policy: str
    """`anti-affinity`, `affinity`, `soft-anti-affinity` or `soft-affinity`."""
    max_server_per_host: Count | None = None
    """A rule of `anti-affinity` (microversion 2.64); null: none."""
