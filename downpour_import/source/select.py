"""Which part of a bundle is imported: ``--only``, ``--skip``.  Pure."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bundle_spec.errors import Faults, UsageError
from bundle_spec.model import (
    SECTIONS,
    FloatingIp,
    Ref,
    References,
    Resource,
    Router,
    Subnet,
    Trunk,
)
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.model.resources import RESOURCE_TYPES, required_refs


class SelectionFaults(Faults, UsageError):
    pass


def require_form(only: Sequence[str], skip: Sequence[str]) -> None:
    """Raises SelectionFaults with every pattern that is no ``TYPE/NAME``.  Needs no bundle."""
    faults = [
        fault
        for option, patterns in (("--only", only), ("--skip", skip))
        for pattern in patterns
        if (fault := _form_fault(option, pattern))
    ]
    if faults:
        raise SelectionFaults("this selection cannot be imported", faults)


def select(data: PlaybookData, only: Sequence[str], skip: Sequence[str]) -> PlaybookData:
    """``data`` with what ``only`` names and all that belongs to it, without what ``skip`` names.

    Both are ``TYPE/NAME``; NAME is a name or an ID, or a glob of them.  What belongs to a
    resource is what it refers to, what connects that (subnets of a network, their routers), and
    what only exists for it (floating IPs and trunks of its ports).

    Raises SelectionFaults: a pattern that fits nothing, a resource that needs what is left out.
    """
    if not only and not skip:
        return data
    faults: list[UsageError] = []
    records = list(data.resources)
    chosen = {record.ref for record in records}
    if only:
        chosen = _closure(records, _matching(records, only, "--only", faults))
    chosen -= _matching(records, skip, "--skip", faults)
    kept = [record for record in records if record.ref in chosen]
    in_bundle = {record.ref for record in records}
    for record in kept:
        for ref in required_refs(record):
            if ref in in_bundle and ref not in chosen:
                message = f"it needs {ref}, which is left out"
                where = f"{record.type.replace('_', ' ')} {record.name!r}"
                faults.append(UsageError(message, where=where, remedy="leave it out as well"))
    if faults:
        raise SelectionFaults("this selection cannot be imported", faults)
    sections: dict[str, Any] = {
        section: tuple(each for each in getattr(data.resources, section) if each.ref in chosen)
        for section in SECTIONS
    }
    return dataclasses.replace(
        data,
        resources=dataclasses.replace(data.resources, **sections),
        references=_needed_references(data.references, kept),
    )


def _matching(
    records: Iterable[Resource], patterns: Sequence[str], option: str, faults: list[UsageError]
) -> set[Ref]:
    refs: set[Ref] = set()
    for pattern in patterns:
        if fault := _form_fault(option, pattern):
            faults.append(fault)
            continue
        kind, name = _split(pattern)
        of_type = [record for record in records if record.type == kind]
        fitting = [record.ref for record in of_type if _matches(record, name)]
        if not fitting:
            names = [record.name for record in of_type]
            near = difflib.get_close_matches(name, names, n=3) or names[:5]
            remedy = f"it has {', '.join(map(repr, near))}" if near else "it has none of this type"
            where = f"{option} {pattern}"
            faults.append(UsageError("the bundle has no such thing", where=where, remedy=remedy))
        refs.update(fitting)
    return refs


def _form_fault(option: str, pattern: str) -> UsageError | None:
    if "/" in pattern and _split(pattern)[0] in RESOURCE_TYPES:
        return None
    remedy = f"the types are {', '.join(sorted(RESOURCE_TYPES))}"
    return UsageError("this is not TYPE/NAME", where=f"{option} {pattern}", remedy=remedy)


def _split(pattern: str) -> tuple[str, str]:
    """The type and the name of a pattern."""
    kind, _, name = pattern.partition("/")
    return kind.replace("-", "_"), name


def _matches(record: Resource, name: str) -> bool:
    if name in (record.id, record.name):
        return True
    return any(fnmatch.fnmatchcase(text, name) for text in (record.id, record.name))


def _closure(records: Sequence[Resource], chosen: set[Ref]) -> set[Ref]:
    by_ref = {record.ref: record for record in records}
    before = -1
    while len(chosen) != before:
        before = len(chosen)
        for ref in list(chosen):
            if ref in by_ref:
                chosen.update(required_refs(by_ref[ref]))
        for record in records:
            if chosen.intersection(_companion_of(record)):
                chosen.add(record.ref)
    return chosen


def _companion_of(record: Resource) -> Iterator[Ref]:
    """The resources with which ``record`` is chosen too: a subnet comes with its network."""
    match record:
        case Subnet():
            yield Ref("network", record.network_id)
        case Router():
            yield from (Ref("subnet", interface.subnet_id) for interface in record.interfaces)
        case FloatingIp() if record.port_id:
            yield Ref("port", record.port_id)
        case Trunk():
            yield Ref("port", record.port_id)


def _needed_references(references: References, kept: Iterable[Resource]) -> References:
    """Those ``references`` that the kept resources need; only they must be on the target."""
    needed = {ref for record in kept for ref in required_refs(record)}
    subnets = tuple(subnet for subnet in references.subnets if subnet.ref in needed)
    needed |= {Ref("network", subnet.network_id) for subnet in subnets}
    sections: dict[str, Any] = {
        field.name: tuple(each for each in getattr(references, field.name) if each.ref in needed)
        for field in dataclasses.fields(references)
        if field.name != "extra"
    }
    return dataclasses.replace(references, **sections)
