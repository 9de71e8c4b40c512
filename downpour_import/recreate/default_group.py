"""What an import means for the project's own security group ``default``.

Every project has one, and whoever has a port without groups is in it.  A group ``default`` of a
bundle adds its rules to it, and the rules that stand there stay: both are told before a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bundle_spec.form import codec
from bundle_spec.model import Resources, SecurityGroup
from downpour_cloud import Json
from downpour_import.recreate.context import Context
from downpour_import.recreate.security_group import DEFAULT
from downpour_import.recreate.security_group_rule import remote_groups, rule_key, wanted_rule

_SHOWN = 20
"""So many rules are told one by one; a bundle may have thousands."""

_OWN = f"the project's own security group {DEFAULT!r}"


def default_group_warnings(
    context: Context, resources: Resources, groups: Iterable[Json]
) -> Iterator[str]:
    """What the import adds to the group, and what the group has that the source's had not.

    ``groups``: those of the target's project, with their rules.
    """
    groups = list(groups)
    own = next((item for item in groups if item["name"] == DEFAULT), None)
    for record in resources.security_groups:
        if own is not None and record.name == DEFAULT and record.ref not in context.targets:
            yield from _added(context, resources, record, own)
            yield from _extra(context, groups, record, own)


def _added(
    context: Context, resources: Resources, record: SecurityGroup, own: Json
) -> Iterator[str]:
    names = {group.id: group.name for group in resources.security_groups}
    names |= {group.id: group.name for group in resources.address_groups}
    standing = {rule_key(rule) for rule in own["security_group_rules"]}
    wanted = _wanted(context, record, own)
    added = [rule for rule, key in zip(record.rules, wanted, strict=True) if key not in standing]
    texts = [readable(codec.encode(rule), record.id, names) for rule in added]
    yield from _told(f"{_OWN} gets a rule", texts)
    if added:
        yield f"security_groups: {{{DEFAULT}: {DEFAULT}}} in the mapping leaves {_OWN} as it is"


def _extra(
    context: Context, groups: Iterable[Json], record: SecurityGroup, own: Json
) -> Iterator[str]:
    names = {group["id"]: group["name"] for group in groups}
    wanted = set(_wanted(context, record, own))
    extra = [rule for rule in own["security_group_rules"] if rule_key(rule) not in wanted]
    texts = [readable(rule, own["id"], names) for rule in extra]
    yield from _told(f"{_OWN} has a rule that the source's had not", texts)


def _wanted(context: Context, record: SecurityGroup, own: Json) -> list[tuple[Any, ...] | None]:
    """``rule_key`` of each rule as it is to be; None where a group that it names is yet to come."""
    here = replace(context, targets={**context.targets, record.ref: own["id"]})
    return [
        rule_key(wanted_rule(here, rule))
        if all(here.optional_target(ref) for ref in remote_groups(rule))
        else None
        for rule in record.rules
    ]


def _told(what: str, texts: list[str]) -> Iterator[str]:
    yield from (f"{what}: {text}" for text in texts[:_SHOWN])
    if len(texts) > _SHOWN:
        yield f"{what}: {len(texts) - _SHOWN} more"


def readable(rule: Mapping[str, Any], own: str, names: Mapping[str, str]) -> str:
    """``ingress IPv4 tcp 80-90 from 10.0.0.0/8``.  ``own``: the ID of the rule's group.

    ``rule``: as the API gives it, or the record.  ``names``: of other groups, by ID."""
    protocol, ports = rule.get("protocol"), _ports(rule)
    parts = [rule["direction"], rule.get("ethertype") or rule.get("ether_type")]
    parts += [str(protocol)] if protocol else ["any protocol"]
    parts += [ports] if ports else []
    parts.append("from" if rule["direction"] == "ingress" else "to")
    return " ".join([*map(str, parts), _remote(rule, own, names)])


def _ports(rule: Mapping[str, Any]) -> str:
    first, last = rule.get("port_range_min"), rule.get("port_range_max")
    if str(rule.get("protocol")).startswith(("icmp", "ipv6-icmp")):
        return " ".join(f"{n} {v}" for n, v in (("type", first), ("code", last)) if v is not None)
    if first is None and last is None:
        return ""
    return str(first) if first == last else f"{first}-{last}"


def _remote(rule: Mapping[str, Any], own: str, names: Mapping[str, str]) -> str:
    group, addresses = rule.get("remote_group_id"), rule.get("remote_address_group_id")
    if group:
        return "the group itself" if group == own else f"group {names.get(group, group)!r}"
    if addresses:
        return f"address group {names.get(addresses, addresses)!r}"
    return str(rule.get("remote_ip_prefix") or "anywhere")
