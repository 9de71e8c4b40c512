"""Security groups.  Their rules come later, as rules of two groups may name each other."""

from __future__ import annotations

from typing import Any

from bundle_spec.model import SecurityGroup
from downpour_import.recreate.base import NetworkRecreator
from downpour_import.recreate.context import Context
from downpour_import.recreate.security_group_rule import rule_key, rule_text, wanted_rule

DEFAULT = "default"
"""The group that Neutron makes in every project."""


class SecurityGroups(NetworkRecreator[SecurityGroup]):
    path = "/security-groups"
    key = "security_group"
    collection = "security_groups"

    def used(self, context: Context, item: Any) -> bool:
        query = {"remote_group_id": item["id"]}
        rules = context.cloud.list(
            "network", "/security-group-rules", "security_group_rules", query
        )
        named = any(rule["security_group_id"] != item["id"] for rule in rules)
        ports = self.ports(context, project_id=context.cloud.project_id)
        return named or any(item["id"] in port.get("security_groups", ()) for port in ports)

    def body(self, context: Context, record: SecurityGroup) -> dict[str, Any]:
        body: dict[str, Any] = {"name": record.name}
        if context.has_extension("stateful-security-group"):
            body["stateful"] = record.stateful
        return body

    def reusable(self, context: Context, record: SecurityGroup) -> str | None:
        """Every project has one group ``default``, and cannot have two."""
        if record.name != DEFAULT:
            return None
        query = {"project_id": context.cloud.project_id, "name": DEFAULT}
        items = context.cloud.list("network", self.path, self.collection, query)
        for item in self.ours(context, items):
            identity: str = item["id"]
            return identity
        return None

    def differences(self, context: Context, record: SecurityGroup, item: Any) -> list[str]:
        actual = {rule_key(rule) for rule in item["security_group_rules"]}
        wanted = {rule_key(wanted_rule(context, rule)) for rule in record.rules}
        missing, extra = sorted(wanted - actual, key=repr), sorted(actual - wanted, key=repr)
        lines = [f"the rule {rule_text(key)} is missing" for key in missing]
        entry = context.journal.entry(record.ref)
        if entry is None or not entry.made:
            return lines  # a reused group keeps its other rules
        lines += [f"the rule {rule_text(key)} is too much" for key in extra]
        return lines + super().differences(context, record, item)
