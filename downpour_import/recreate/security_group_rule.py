"""The rules of security groups: all of a group that was made, and those that a reused one lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bundle_spec.model import Ref, Resource, SecurityGroup, SecurityGroupRule
from downpour_import.errors import RecreateError
from downpour_import.recreate.base import Outcome, Unmarked, is_pending, new_id
from downpour_import.recreate.context import Context
from downpour_import.recreate.once import recreate
from downpour_import.recreate.patience import settle

_ATTRIBUTES = (
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
_PATH = "/security-group-rules"


@dataclass(frozen=True, kw_only=True)
class AddedRule(Resource):
    """A rule of a group that stood already.  ``group``: the source's ID of the group."""

    type = "security_group_rule"  # type: ignore[assignment]

    group: str
    rule: SecurityGroupRule


class AddedRules(Unmarked[AddedRule]):
    """Rules one by one, so that undo can delete those that this import added."""

    service = "network"
    path = _PATH
    key = "security_group_rule"

    def make(self, context: Context, record: AddedRule) -> str:
        group = context.target(Ref("security_group", record.group))
        body = {**wanted_rule(context, record.rule), "security_group_id": group}
        return new_id(
            context, _PATH, context.cloud.post("network", _PATH, {self.key: body}), self.key
        )

    def reusable(self, context: Context, record: AddedRule) -> str | None:
        # Neutron deletes a rule with a group that it names: after that undo finds neither, and a
        # check finds what an import is still to make.
        if not all(context.optional_target(ref) for ref in remote_groups(record.rule)):
            return None
        group = context.target(Ref("security_group", record.group))
        return _rules_of(context, group).get(rule_key(wanted_rule(context, record.rule)))

    def differences(self, context: Context, record: AddedRule, item: Any) -> list[str]:
        same = rule_key(item) == rule_key(wanted_rule(context, record.rule))
        return [] if same else ["it is another rule"]


def added_rules(group: SecurityGroup) -> list[AddedRule]:
    """A record for each rule of ``group``, for the case that the group is reused."""
    return [
        AddedRule(id=rule.id, name=f"{group.name}: {_text(rule)}", group=group.id, rule=rule)
        for rule in group.rules
    ]


def _text(rule: SecurityGroupRule) -> str:
    ports = (rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix)
    return rule_text((rule.direction, rule.ether_type, rule.protocol, *ports))


def remote_groups(rule: SecurityGroupRule) -> Iterator[Ref]:
    """The groups that the rule names as its other end."""
    if rule.remote_group_id:
        yield Ref("security_group", rule.remote_group_id)
    if rule.remote_address_group_id:
        yield Ref("address_group", rule.remote_address_group_id)


def recreate_rules(context: Context, record: SecurityGroup, *, check: bool = False) -> Outcome:
    """Give a group exactly the source's rules; to a group that was reused, only add."""
    target = context.optional_target(record.ref)
    if record.ref in context.targets:
        return Outcome("unchanged", target)
    if _is_reused(context, record):
        outcomes = [
            recreate(AddedRules(), context, each, check=check) for each in added_rules(record)
        ]
        changed = any(outcome.state in ("made", "found", "planned") for outcome in outcomes)
        return Outcome(("planned" if check else "made") if changed else "unchanged", target)
    step = Ref(_RULES, record.id)
    if not is_pending(context, step):
        return Outcome("unchanged", target)
    if check:
        return Outcome("planned", target)
    _make_exact(context, context.target(record.ref), record)
    context.journal.record("done", step, record.name)
    return Outcome("made", target)


def _is_reused(context: Context, record: SecurityGroup) -> bool:
    """Whether the group stood already.  One that is begun or gone is made, with all its rules."""
    entry = context.journal.entry(record.ref)
    return entry is not None and not entry.made and context.journal.target(record.ref) is not None


def _make_exact(context: Context, group: str, record: SecurityGroup) -> None:
    """Neutron makes egress rules with every group: those that the source lacks are deleted."""
    existing = _rules_of(context, group)
    wanted = {rule_key(body := wanted_rule(context, rule)): body for rule in record.rules}
    for key in existing.keys() - wanted.keys():
        context.cloud.delete("network", f"{_PATH}/{existing[key]}")
    _add_rules(
        context,
        group,
        [{**wanted[key], "security_group_id": group} for key in wanted if key not in existing],
    )


def _rules_of(context: Context, group: str) -> dict[tuple[Any, ...], str]:
    """``rule_key`` -> ID of each rule of the group."""
    query = {"security_group_id": group}
    rules = context.cloud.list("network", _PATH, _RULES, query)
    return {rule_key(rule): rule["id"] for rule in rules}


def _add_rules(context: Context, group: str, rules: list[dict[str, Any]]) -> None:
    """POST all in one request, which Neutron carries out whole or not at all; else one by one."""
    if len(rules) > 1:
        try:
            context.cloud.post("network", _PATH, {_RULES: rules})
            return
        except RecreateError:
            # Neutron does not say which rule it refused, and an answer that was lost says nothing.
            existing = _rules_of(context, group)
            rules = [rule for rule in rules if rule_key(rule) not in existing]
    for rule in rules:
        _add_rule(context, group, rule)


def _add_rule(context: Context, group: str, rule: dict[str, Any]) -> None:
    settle(
        lambda: context.cloud.post("network", _PATH, {"security_group_rule": rule}),
        lambda: rule_key(rule) in _rules_of(context, group),
    )


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


def rule_key(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two rules the same rule to Neutron; the description does not."""
    return tuple(rule.get(name) for name in _ATTRIBUTES)


def rule_text(key: tuple[Any, ...]) -> str:
    """A rule for a message, from its ``rule_key``."""
    return " ".join(str(value) for value in key if value is not None)
