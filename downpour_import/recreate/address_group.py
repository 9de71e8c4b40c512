"""Address groups.  They carry no marker: one that equals the record is used."""

from __future__ import annotations

from collections.abc import Iterator
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

    def candidates(self, context: Context) -> Iterator[Any]:
        query = {"project_id": context.cloud.project_id}
        return context.cloud.list("network", self.path, "address_groups", query)

    def differences(self, context: Context, record: AddressGroup, item: Any) -> list[str]:
        wanted = {
            "name": record.name,
            "description": record.description,
            "addresses": list(record.addresses),
        }
        return compare(wanted, item)
