"""Security groups first, then their rules, because rules of two groups may name each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundle_spec.errors import RecreateError
from bundle_spec.model import Ref, SecurityGroup, SecurityGroupRule
from downpour_import.recreate.base import NetworkRecreator, Outcome, once
from downpour_import.recreate.context import Context

_RULE_ATTRIBUTES = (
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)
_RULES = "security_group_rules"
_RULES_PATH = "/security-group-rules"


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
        have = {_key(rule) for rule in item[_RULES]}
        want = {_key(wanted_rule(context, rule)) for rule in record.rules}
        told = [f"the rule {_say(rule)} is missing" for rule in sorted(want - have, key=repr)]
        entry = context.journal.entry(record.ref)
        if entry is None or not entry.made:
            return told  # a group that stood already keeps what it had
        told += [f"the rule {_say(rule)} is too much" for rule in sorted(have - want, key=repr)]
        return told + super().differences(context, record, item)


def recreate_rules(context: Context, record: SecurityGroup, *, check: bool = False) -> Outcome:
    """Give a group exactly the source's rules; to a group that was reused, only add.

    Neutron makes egress rules with every group: one that the source lacks goes again.
    """
    step = Ref("security_group_rules", record.id)
    if record.ref in context.targets or not once(context, step):
        return Outcome("unchanged", context.optional_target(record.ref))
    if check:
        return Outcome("planned", context.optional_target(record.ref))
    group = context.target(record.ref)
    have = _rules_of(context, group)
    want = {_key(rule): rule for rule in (wanted_rule(context, each) for each in record.rules)}
    entry = context.journal.entry(record.ref)
    if entry is not None and entry.made:
        for key in have.keys() - want.keys():
            context.cloud.delete("network", f"{_RULES_PATH}/{have[key]}")
    _add(
        context,
        group,
        [{**want[key], "security_group_id": group} for key in want if key not in have],
    )
    context.journal.record("done", step, record.name)
    return Outcome("made", group)


def _rules_of(context: Context, group: str) -> dict[tuple[Any, ...], str]:
    """What makes each rule the same, and its ID."""
    query = {"security_group_id": group}
    found = context.cloud.list("network", _RULES_PATH, _RULES, query)
    return {_key(rule): rule["id"] for rule in found}


def _add(context: Context, group: str, rules: list[dict[str, Any]]) -> None:
    """All in one request, which Neutron carries out whole or not at all; else one by one."""
    if len(rules) > 1:
        try:
            context.cloud.post("network", _RULES_PATH, {_RULES: rules})
            return
        except RecreateError:
            # It does not say which rule was refused, and a lost answer says nothing.
            have = _rules_of(context, group)
            rules = [rule for rule in rules if _key(rule) not in have]
    for rule in rules:
        context.cloud.post("network", _RULES_PATH, {"security_group_rule": rule})


def wanted_rule(context: Context, rule: SecurityGroupRule) -> dict[str, Any]:
    """The body of the rule's POST, the group that it names resolved."""
    remote, addresses = rule.remote_group_id, rule.remote_address_group_id
    body = {
        "direction": rule.direction,
        "ethertype": rule.ether_type,
        "protocol": rule.protocol,
        "port_range_min": rule.port_range_min,
        "port_range_max": rule.port_range_max,
        "remote_ip_prefix": rule.remote_ip_prefix,
        "remote_group_id": context.target(Ref("security_group", remote)) if remote else None,
        "description": rule.description,
    }
    if addresses:  # a cloud without the extension does not know the key
        body["remote_address_group_id"] = context.target(Ref("address_group", addresses))
    return body


def _key(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two rules the same rule to Neutron; the description does not."""
    return tuple(rule.get(name) for name in _RULE_ATTRIBUTES)


def _say(rule: tuple[Any, ...]) -> str:
    return " ".join(str(value) for value in rule if value is not None)
