"""Address groups.  They carry no marker: one that equals the record is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundle_spec.model import AddressGroup
from downpour_import.recreate.base import Recreator, compare
from downpour_import.recreate.context import Context


class AddressGroups(Recreator[AddressGroup]):
    service = "network"
    path = "/address-groups"
    key = "address_group"
    can_be_marked = False

    def make(self, context: Context, record: AddressGroup) -> str:
        body = {
            "name": record.name,
            "description": record.description,
            "addresses": list(record.addresses),
        }
        answer = context.cloud.post("network", self.path, {self.key: body})
        identity: str = answer["address_group"]["id"]
        return identity

    def marks(self, context: Context) -> Iterator[tuple[str | None, str]]:
        return iter(())

    def find(self, context: Context, record: AddressGroup) -> str | None:
        return self.reusable(context, record)

    def reusable(self, context: Context, record: AddressGroup) -> str | None:
        query = {"project_id": context.cloud.project_id}
        used = {entry.target for _, entry in context.journal}
        items = context.cloud.list("network", self.path, "address_groups", query)
        for item in self.ours(context, items):
            if item["id"] not in used and not self.differences(context, record, item):
                return str(item["id"])
        return None

    def differences(self, context: Context, record: AddressGroup, item: Any) -> list[str]:
        wanted = {
            "name": record.name,
            "description": record.description,
            "addresses": list(record.addresses),
        }
        return compare(wanted, item)
