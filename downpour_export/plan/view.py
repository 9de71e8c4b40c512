"""A plan for a person, and for a program.  docs/reference/plan.md describes both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bundle_spec.model import Omission, Ref, Reference, Resource
from bundle_spec.text import counted, human_bytes, printable
from downpour_export.discover.quota import FreeQuota
from downpour_export.plan.capture_quota import capture_quota, lacks
from downpour_export.plan.model import DiskCapture, Plan

FORMAT = "downpour plan 1"
_SHOWN = 3


def as_json(plan: Plan, room: FreeQuota) -> dict[str, Any]:
    """What ``plan --json`` prints."""
    needed = capture_quota(plan.captures)
    return {
        "format": FORMAT,
        "resources": [
            {
                "type": each.type,
                "id": each.id,
                "name": each.name,
                "needed_by": _ref(plan.reached.pulled_in_by.get(each.ref)),
            }
            for each in plan.resources
        ],
        "references": [
            {
                "type": each.type,
                "id": each.id,
                "name": each.name,
                "needed_by": _ref(plan.reached.pulled_in_by.get(each.ref)),
            }
            for each in plan.references
        ],
        "disks": [
            {
                "type": each.type,
                "id": each.id,
                "name": each.name,
                "server_id": each.server_id,
                "bytes_at_most": each.size,
                "consistency": each.consistency,
            }
            for each in plan.captures
        ],
        "stops": dict(plan.stops),
        "boots": dict(plan.boots),
        "temporary": {
            "snapshots": needed.snapshots,
            "volumes": needed.volumes,
            "gigabytes": needed.gigabytes,
            "free": {
                "snapshots": room.snapshots,
                "volumes": room.volumes,
                "gigabytes": room.gigabytes,
            },
            "lacks": list(lacks(needed, room)),
        },
        "omissions": [
            {
                "type": each.type,
                "id": each.id,
                "name": each.name,
                "attribute": each.attribute,
                "reason": each.reason,
            }
            for each in plan.omissions
        ],
        "warnings": list(plan.warnings),
    }


def _ref(ref: Ref | None) -> dict[str, str] | None:
    return None if ref is None else {"type": ref.type, "id": ref.id}


def as_text(plan: Plan, room: FreeQuota, max_temporary: int) -> str:
    """What ``plan`` prints: lines without a trailing line end."""
    return "\n".join(
        [
            *_tree(plan),
            *_references(plan.references),
            *_disks(plan),
            *_temporary(plan, room, max_temporary),
            *_section("not carried", omission_lines(plan.omissions)),
            *_section("warnings", map(printable, plan.warnings)),
        ]
    )


def omission_lines(omissions: Iterable[Omission]) -> Iterator[str]:
    """One line for each kind of loss, with the names of what it befell."""
    groups: dict[tuple[str, str | None, str], list[str]] = {}
    for each in omissions:
        groups.setdefault((each.type, each.attribute, each.reason), []).append(each.name or each.id)
    for (kind, attribute, reason), names in groups.items():
        shown = ", ".join(repr(printable(name)) for name in names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        what = f"{kind.replace('_', ' ')} {shown}{more}"
        yield f"{what}: {attribute}: {printable(reason)}" if attribute else f"{what}: {reason}"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"  {line}" for line in lines]
    return ["", f"{title}:", *found] if found else []


def _tree(plan: Plan) -> Iterator[str]:
    """Each resource below what pulled it in; what was named in the file is at the left."""
    records: dict[Ref, Resource] = {each.ref: each for each in plan.resources}
    below: dict[Ref | None, list[Ref]] = {}
    for ref, parent in plan.reached.pulled_in_by.items():
        if ref in records:
            below.setdefault(parent, []).append(ref)
    disks = {each.ref: each for each in plan.captures}
    own = sum(1 for each in plan.captures if each.type == "server")
    beside = f", and {counted(own, 'disk')} of servers as images or volumes" if own else ""
    yield f"{counted(len(records), 'resource')} go{beside}:"
    stack = [(ref, 1) for ref in reversed(below.get(None, []))]
    while stack:
        ref, depth = stack.pop()
        record = records[ref]
        yield f"{'  ' * depth}{_name(record)}{_how(record, disks.get(ref), plan)}"
        stack += [(child, depth + 1) for child in reversed(below.get(ref, []))]


def _name(record: Resource | Reference) -> str:
    kind = record.type.replace("_", " ")
    if record.name in ("", record.id):
        return f"{kind} {printable(record.id)}"
    return f"{kind} {printable(record.name)!r} ({printable(record.id)})"


def _how(record: Resource, disk: DiskCapture | None, plan: Plan) -> str:
    told = []
    if record.id in plan.stops and record.type == "server":
        told.append("is stopped for good" if plan.stops[record.id] == "keep" else "is stopped")
    if record.id in plan.boots and record.type == "server":
        told.append(f"will boot from {plan.boots[record.id]}")
    if disk is not None:
        told.append(f"{human_bytes(disk.size)}, {disk.consistency}")
    return f": {'; '.join(told)}" if told else ""


def _references(references: Iterable[Reference]) -> list[str]:
    return _section("the target must have, or a mapping for it", map(_name, references))


def _disks(plan: Plan) -> list[str]:
    if not plan.captures:
        return _section("disks", ["none is read"])
    total = sum(each.size for each in plan.captures)
    return _section(
        "disks",
        [
            f"{len(plan.captures)} are read, {human_bytes(total)} at most; the bundle is smaller: "
            "zeros take no room, and what disks have in common is stored once"
        ],
    )


def _temporary(plan: Plan, room: FreeQuota, max_temporary: int) -> list[str]:
    needed = capture_quota(plan.captures)
    made = sum(1 for each in plan.captures if each.type != "image" and each.image_id is None)
    if not made:
        return _section("temporary objects at the source", ["none"])
    lines = [
        f"at most {max_temporary} at once; for one server after another, room is needed for "
        f"{counted(needed.snapshots, 'snapshot')}, {counted(needed.volumes, 'volume')} and "
        f"{needed.gigabytes} GiB"
    ]
    missing = list(lacks(needed, room))
    lines += missing or ["the quota allows them"]
    return _section("temporary objects at the source", lines)
