"""``mapping.yml``: which object of the target stands for which object of the source."""

from __future__ import annotations

import difflib
import fnmatch
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import yaml

from bundle_spec.errors import BundleFaults, DownpourError, LocalError
from bundle_spec.form import codec
from bundle_spec.model.playbook import MappingRules, Rules
from downpour_import.errors import MappingError, MappingFaults

FILL_IN = "FILL-IN"
"""The value of a rule for which there is nothing to propose."""

DROP = "drop"
"""The value that means "do without", like null.  An object of this name is named by its ID."""

DEFAULT = "*"
"""The glob that every name fits."""

_OTHERS = ("fixed_ips", "extra")
SECTIONS = tuple(field.name for field in fields(MappingRules) if field.name not in _OTHERS)


def load(path: Path) -> MappingRules:
    """Read a mapping file.  Raises LocalError, MappingFaults with every mistake."""
    try:
        value = yaml.safe_load(path.read_text("utf-8"))
    except OSError as exc:
        raise LocalError(f"cannot read the mapping: {exc.strerror}", where=str(path)) from exc
    except (yaml.YAMLError, ValueError) as exc:
        raise MappingError(f"not YAML: {exc}", where=str(path)) from exc
    return decode(value or {}, str(path))


def decode(value: object, where: str) -> MappingRules:
    """Check that ``value`` has the form of a mapping.  Raises MappingFaults."""
    faults: list[DownpourError] = []
    if isinstance(value, dict):
        keys = (*SECTIONS, "fixed_ips")
        for key in value.keys() - set(keys):
            near = difflib.get_close_matches(str(key), keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the sections are {', '.join(keys)}"
            faults.append(MappingError(f"unknown section {key}", where=where, remedy=hint))
        value = {key: value[key] for key in keys if value.get(key) is not None}
    try:
        rules = codec.decode(MappingRules, value, where)
    except BundleFaults as exc:
        faults += exc.faults
    if faults:
        raise MappingFaults("the mapping has mistakes", faults)
    return MappingRules(
        **{name: _with_nulls(getattr(rules, name)) for name in SECTIONS}, fixed_ips=rules.fixed_ips
    )


def _with_nulls(rules: Rules) -> Rules:
    return {name: None if value == DROP else value for name, value in rules.items()}


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
        "# Complete what stands for what on the target (name or ID), then import with --map.",
        "# drop means: do without (volume types, zones, keypairs, QoS policies).  A name may be a",
        '# glob; the first that fits counts, so that "*" as the last is the default.',
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
    return f"  {pair}  # {json.dumps(comment)[1:-1]}"
