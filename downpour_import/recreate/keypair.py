"""Keypairs.  They carry no marker: one of the same name and public key is the same."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bundle_spec.model import Keypair
from downpour_import.recreate.base import Unmarked, compare, failure
from downpour_import.recreate.context import Context


class Keypairs(Unmarked[Keypair]):
    service = "compute"
    path = "/os-keypairs"
    key = "keypair"

    def make(self, context: Context, record: Keypair) -> str:
        body = {"name": record.name, "public_key": record.public_key}
        if context.cloud.supports("compute", "2.2"):
            body["type"] = record.key_type
        context.cloud.post("compute", self.path, {"keypair": body})
        return record.name

    def find(self, context: Context, record: Keypair) -> str | None:
        item = self.fetch(context, record.name)
        return None if item is None or self.differences(context, record, item) else record.name

    def reusable(self, context: Context, record: Keypair) -> str | None:
        name = self.find(context, record)
        if name is None and self.fetch(context, record.name) is not None:
            raise failure("the target has another key under this name; map keypairs", record)
        return name

    def path_of(self, target: str) -> str:
        return super().path_of(quote(target, safe=""))

    def differences(self, context: Context, record: Keypair, item: Any) -> list[str]:
        return compare(
            {"public_key": record.public_key.split()[:2]},
            {"public_key": item["public_key"].split()[:2]},
        )
