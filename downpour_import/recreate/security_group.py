"""Security groups, without their rules: those of two groups may name each other."""

from __future__ import annotations

from typing import Any

from bundle_spec.model import SecurityGroup
from downpour_import.recreate.base import NetworkRecreator
from downpour_import.recreate.context import Context
from downpour_import.recreate.security_group_rule import rule_key, say_rule, wanted_rule


class SecurityGroups(NetworkRecreator[SecurityGroup]):
    path = "/security-groups"
    key = "security_group"
    collection = "security_groups"

    def body(self, context: Context, record: SecurityGroup) -> dict[str, Any]:
        body: dict[str, Any] = {"name": record.name}
        if context.has_extension("stateful-security-group"):
            body["stateful"] = record.stateful
        return body

    def reusable(self, context: Context, record: SecurityGroup) -> str | None:
        """Every project has one group ``default``, and cannot have two."""
        if record.name != "default":
            return None
        query = {"project_id": context.cloud.project_id, "name": "default"}
        for item in context.cloud.list("network", self.path, self.collection, query):
            found: str = item["id"]
            return found
        return None

    def differences(self, context: Context, record: SecurityGroup, item: Any) -> list[str]:
        have = {rule_key(rule) for rule in item["security_group_rules"]}
        want = {rule_key(wanted_rule(context, rule)) for rule in record.rules}
        told = [f"the rule {say_rule(rule)} is missing" for rule in sorted(want - have, key=repr)]
        entry = context.journal.entry(record.ref)
        if entry is None or not entry.made:
            return told  # a group that stood already keeps what it had
        told += [f"the rule {say_rule(rule)} is too much" for rule in sorted(have - want, key=repr)]
        return told + super().differences(context, record, item)
