"""``mapping.yml``: which thing of the target stands for which of the source."""

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
"""As a value: do without, like null.  What is really called so has an ID."""

DEFAULT = "*"
"""The glob that everything fits."""

_OTHERS = ("fixed_ips", "extra")
SECTIONS = tuple(each.name for each in fields(MappingRules) if each.name not in _OTHERS)


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
        known = (*SECTIONS, "fixed_ips")
        for key in value.keys() - set(known):
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the sections are {', '.join(known)}"
            faults.append(MappingError(f"unknown section {key}", where=where, remedy=hint))
        value = {key: value[key] for key in known if value.get(key) is not None}
    try:
        rules = codec.decode(MappingRules, value, where)
    except BundleFaults as exc:
        faults += exc.faults
    if faults:
        raise MappingFaults("the mapping has mistakes", faults)
    return MappingRules(
        **{name: _with_drops(getattr(rules, name)) for name in SECTIONS}, fixed_ips=rules.fixed_ips
    )


def _with_drops(rules: Rules) -> Rules:
    return {name: None if value == DROP else value for name, value in rules.items()}


def merge(first: MappingRules, second: MappingRules) -> MappingRules:
    """Both; where they name the same thing, ``second`` wins."""
    return MappingRules(
        **{name: {**getattr(first, name), **getattr(second, name)} for name in SECTIONS},
        fixed_ips="drop" if "drop" in (first.fixed_ips, second.fixed_ips) else "keep",
    )


def rule(rules: Rules, names: tuple[str, str]) -> tuple[bool, str | None]:
    """Whether something of this ID and name has a rule, and what it says.

    A rule for the ID comes before one for the name, and that before one whose glob fits; of
    several globs the first of the file counts, so that ``*`` as the last is the default.
    """
    for found in fitting(rules, names):
        return True, rules[found]
    return False, None


def fitting(rules: Rules, names: tuple[str, str]) -> list[str]:
    """The rules that something of this ID and name fits, the one that counts first."""
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
        known = {name: (value, "as mapped") for name, value in getattr(rules, section).items()}
        items: dict[str, tuple[str | None, str]] = {**known, **sections.get(section, {})}
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
