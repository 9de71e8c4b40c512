"""Server groups of the project, and which servers are in them."""

from __future__ import annotations

from bundle_spec.model import ServerGroup
from downpour_cloud import Json
from downpour_cloud.cloud import PAGE_SIZE
from downpour_export.cloud import SourceCloud

_PATH = "/os-server-groups"


def discover(cloud: SourceCloud) -> tuple[dict[str, ServerGroup], dict[str, str]]:
    """The groups by ID, and the ID of each member -> that of its group.

    The API pages by ``offset`` and has no link to the next page ("List Server Groups").
    """
    groups: dict[str, ServerGroup] = {}
    members: dict[str, str] = {}
    while True:
        query = {"limit": PAGE_SIZE, "offset": len(groups)}
        page = cloud.get("compute", _PATH, query)["server_groups"]
        new = [item for item in page if item["id"] not in groups]
        for item in new:
            groups[item["id"]] = record_of(item)
            members |= dict.fromkeys(item.get("members") or (), item["id"])
        if len(page) < PAGE_SIZE or not new:
            return groups, members


def record_of(item: Json) -> ServerGroup:
    """``policy`` and ``rules`` from 2.64 on, ``policies`` with one element before."""
    return ServerGroup(
        id=item["id"],
        name=item["name"],
        policy=item.get("policy") or next(iter(item.get("policies") or ()), "anti-affinity"),
        max_server_per_host=(item.get("rules") or {}).get("max_server_per_host"),
    )
