"""Address groups.  They carry no marker: one that equals the record is used."""

from __future__ import annotations

from typing import Any

from bundle_spec.model import AddressGroup
from downpour_import.recreate.base import Unmarked, compare, new_id
from downpour_import.recreate.context import Context


class AddressGroups(Unmarked[AddressGroup]):
    service = "network"
    path = "/address-groups"
    key = "address_group"

    def make(self, context: Context, record: AddressGroup) -> str:
        body = {
            "name": record.name,
            "description": record.description,
            "addresses": list(record.addresses),
        }
        answer = context.cloud.post("network", self.path, {self.key: body})
        return new_id(context, self.path, answer, self.key)

    def equals(self, context: Context, record: AddressGroup) -> list[str]:
        query = {"project_id": context.cloud.project_id}
        used = {entry.target for _, entry in context.journal}
        items = context.cloud.list("network", self.path, "address_groups", query)
        return [
            str(item["id"])
            for item in self.ours(context, items)
            if item["id"] not in used and not self.differences(context, record, item)
        ]

    def differences(self, context: Context, record: AddressGroup, item: Any) -> list[str]:
        wanted = {
            "name": record.name,
            "description": record.description,
            "addresses": list(record.addresses),
        }
        return compare(wanted, item)
