"""Server groups.  They carry no marker: one that equals the record and has no members is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundle_spec.model import ServerGroup
from downpour_import.recreate.base import Unmarked, compare, new_id
from downpour_import.recreate.context import Context

_PAGE = 500


class ServerGroups(Unmarked[ServerGroup]):
    service = "compute"
    path = "/os-server-groups"
    key = "server_group"

    def make(self, context: Context, record: ServerGroup) -> str:
        body: dict[str, Any] = {"name": record.name}
        if context.cloud.supports("compute", "2.64"):
            body["policy"] = record.policy
            if record.max_server_per_host is not None:
                body["rules"] = {"max_server_per_host": record.max_server_per_host}
        else:
            body["policies"] = [record.policy]
        answer = context.cloud.post("compute", self.path, {"server_group": body})
        return new_id(context, self.path, answer, self.key)

    def used(self, context: Context, item: Any) -> bool:
        return bool(item.get("members"))

    def candidates(self, context: Context) -> Iterator[Any]:
        """The API pages by ``offset`` and gives no link to a next page ("List Server Groups")."""
        seen: set[str] = set()
        while True:
            query = {"limit": _PAGE, "offset": len(seen)}
            page = context.cloud.get("compute", self.path, query)["server_groups"]
            new = [item for item in page if item["id"] not in seen]
            yield from new
            seen |= {item["id"] for item in new}
            if len(page) < _PAGE or not new:
                return

    def differences(self, context: Context, record: ServerGroup, item: Any) -> list[str]:
        policy = item.get("policy") or next(iter(item.get("policies") or ()), None)
        wanted: dict[str, Any] = {"name": record.name, "policy": record.policy}
        read = {"name": item["name"], "policy": policy}
        if context.cloud.supports("compute", "2.64"):
            wanted["max_server_per_host"] = record.max_server_per_host
            read["max_server_per_host"] = (item.get("rules") or {}).get("max_server_per_host")
        return compare(wanted, read)
