"""``mapping.yml``: which object of the target stands for which object of the source."""

from __future__ import annotations

import difflib
import fnmatch
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from bundle_spec.errors import MAX_FAULTS
from bundle_spec.form.codec import Json
from bundle_spec.form.places import Places
from bundle_spec.model.playbook import MappingRules, Rules
from bundle_spec.read import yaml_file
from bundle_spec.text import outline, quoted
from downpour_import.errors import MappingError, MappingFaults

FILL_IN = "FILL-IN"
"""The value of a rule for which there is nothing to propose."""

DROP = "drop"
"""The value that means "do without", like null.  An object of this name is named by its ID."""

DEFAULT = "*"
"""The glob that every name fits."""

COLUMNS = 80
"""The width of a proposal; a comment that does not fit beside its rule stands above it."""

_NEVER_DROPPED = ("flavors", "networks", "subnets", "images", "security_groups", "hostnames")
"""Sections whose objects nothing can do without."""

_WITHOUT_A_DROP = {"hostnames": "leave the rule out, and the target's own rules make one"}
"""Section -> what to do instead, where it is not to name something of the target."""

_OTHERS = ("fixed_ips", "extra")
SECTIONS = tuple(field.name for field in fields(MappingRules) if field.name not in _OTHERS)


def load(path: Path) -> MappingRules:
    """Read a mapping file.  Raises LocalError, MappingFaults with every mistake."""
    document = yaml_file.load(path, MappingError)
    rules, faults = _decode(document.value, document.places)
    _require_none(document.with_others(faults))
    return rules


def decode(value: Json, where: Places) -> MappingRules:
    """Check that ``value`` has the form of a mapping.  Raises MappingFaults with every mistake."""
    rules, faults = _decode(value, where)
    _require_none(faults)
    return rules


def _require_none(faults: Sequence[MappingError]) -> None:
    if faults:
        raise MappingFaults("the mapping has mistakes", faults[:MAX_FAULTS])


def _decode(value: Json, where: Places) -> tuple[MappingRules, list[MappingError]]:
    keys = (*SECTIONS, "fixed_ips")
    faults: list[MappingError] = []
    found: dict[str, Any] = {}
    value = {} if value is None else value
    if not isinstance(value, dict):
        faults.append(MappingError(f"expected sections: {', '.join(keys)}", where=where.of_value()))
        value = {}
    for key, content in value.items():
        if key not in keys:
            faults.append(_unknown_section(key, keys, where))
        elif content is None:
            continue
        elif key == "fixed_ips":
            found[key] = content
            if content not in ("keep", "drop"):
                place = where.of_value(key)
                faults.append(MappingError("fixed_ips must be keep or drop", where=place))
        else:
            found[key] = _decode_section(key, content, where, faults)
    return MappingRules(**found), faults


def _unknown_section(key: str, keys: Sequence[str], where: Places) -> MappingError:
    near = difflib.get_close_matches(key, keys, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the sections are {', '.join(keys)}"
    return MappingError(f"unknown section {quoted(key)}", where=where.of_key(key), remedy=hint)


def _decode_section(section: str, value: Json, where: Places, faults: list[MappingError]) -> Rules:
    if not isinstance(value, dict):
        message = f"{section} must be rules, each a name at the source: a name on the target"
        faults.append(MappingError(message, where=where.of_value(section)))
        return {}
    found = [_rule_fault(section, name, target, where) for name, target in value.items()]
    faults += [fault for fault in found if fault]
    return {name: None if target == DROP else target for name, target in value.items()}


def _rule_fault(section: str, name: str, target: Json, where: Places) -> MappingError | None:
    """What is wrong with a rule by itself, whatever bundle and target have."""
    message, remedy = "", ""
    if target is None or target == DROP:
        if section in _NEVER_DROPPED:
            message = f"{section}: {quoted(name)} cannot be mapped to drop"
            remedy = _WITHOUT_A_DROP.get(
                section, "name what the target has, or leave out with --skip what needs it"
            )
    elif not isinstance(target, str):
        message = f"{section}: {quoted(name)} must be mapped to a string, not {outline(target)}"
        remedy = "quote it" if not isinstance(target, list | dict) else "one name or ID"
    if not message:
        return None
    return MappingError(message, where=where.of_value(section, name), remedy=remedy)


def merge(first: MappingRules, second: MappingRules) -> MappingRules:
    """The rules of both; where they name the same object, those of ``second``."""
    return MappingRules(
        **{name: {**getattr(first, name), **getattr(second, name)} for name in SECTIONS},
        fixed_ips="drop" if "drop" in (first.fixed_ips, second.fixed_ips) else "keep",
    )


def rule(rules: Rules, names: tuple[str, str]) -> tuple[bool, str | None]:
    """Whether an object of these ``names`` (ID and name) has a rule, and the rule's value.

    A rule for the ID comes before one for the name, and that before one whose glob fits; of
    several globs the first of the file counts, so that ``*`` as the last is the default.
    """
    for pattern in fitting(rules, names):
        return True, rules[pattern]
    return False, None


def fitting(rules: Rules, names: tuple[str, str]) -> list[str]:
    """The keys of the rules that ``names`` (ID and name) fit; the first of them counts."""
    exact = [name for name in names if name in rules]
    globs = [
        pattern
        for pattern in rules
        if pattern not in exact and any(fnmatch.fnmatchcase(name, pattern) for name in names)
    ]
    return [*exact, *globs]


def proposal(
    sections: Mapping[str, Mapping[str, tuple[str | None, str]]], rules: MappingRules
) -> str:
    """A mapping file: ``rules`` as they are, and what else is proposed.

    ``sections``: section -> name at the source -> (proposed value, comment); FILL_IN where
    nothing comes near.
    """
    lines = [
        "# Complete what stands for what on the target (name or ID), then import with",
        "# --map.  drop means: do without (volume types, zones, keypairs, QoS policies).",
        '# A name may be a glob; the first that fits counts, so that "*" as the last is',
        "# the default.",
    ]
    if rules.fixed_ips == "drop":
        lines.append("fixed_ips: drop  # as mapped")
    for section in SECTIONS:
        given = {name: (value, "as mapped") for name, value in getattr(rules, section).items()}
        items: dict[str, tuple[str | None, str]] = {**given, **sections.get(section, {})}
        if items:
            lines.append(f"{section}:")
            lines += [_line(name, value, comment) for name, (value, comment) in items.items()]
    return "\n".join(lines) + "\n"


def _line(name: str, value: str | None, comment: str) -> str:
    # A YAML dumper writes the names: they are tenant text, of one line or of several.
    # What is really called like the word must be named by its ID.
    value = {None: DROP, DROP: FILL_IN}.get(value, value)
    readable = f"{name}{value}".isprintable()
    pair = yaml.safe_dump({name: value}, allow_unicode=readable, width=10**9)
    pair = pair.rstrip("\n").replace("\n", "\n  ")
    comment = json.dumps(comment)[1:-1]
    beside = f"  {pair}  # {comment}"
    if len(beside) <= COLUMNS:
        return beside
    above = textwrap.wrap(comment, COLUMNS - 4, break_long_words=False, break_on_hyphens=False)
    return "\n".join([*(f"  # {line}" for line in above), f"  {pair}"])
