"""Compute API: ``/os-server-groups``."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Resource
from bundle_spec.model.forms import Count


@dataclass(frozen=True, kw_only=True)
class ServerGroup(Resource):
    """``policy``: ``anti-affinity``, ``affinity``, or a soft one of them.

    ``max_server_per_host``: a rule of ``anti-affinity`` (2.64), None where there is none.  Its
    members are the servers that have its ID as ``server_group_id``.
    """

    type = "server_group"

    policy: str
    max_server_per_host: Count | None = None
