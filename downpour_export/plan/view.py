"""A plan as text for a person and as JSON for a program; docs/reference/plan.md describes both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bundle_spec.model import Omission, Ref, Reference, Resource
from bundle_spec.text import as_word, counted, human_bytes, printable, some_of
from downpour_export.discover.quota import FreeQuota
from downpour_export.plan.capture_quota import capture_quota, lacks
from downpour_export.plan.left_behind import Left, LeftBehind
from downpour_export.plan.model import DiskCapture, Plan, StopMode

FORMAT = "downpour plan 1"
_SHOWN = 3
_LEFT_SHOWN = 5
_STOPS: Mapping[StopMode, str] = {
    "during": "will be stopped while its disks are snapshotted, then started",
    "keep": "will be stopped before its disks are snapshotted, and left off",
}


def as_json(plan: Plan, room: FreeQuota) -> dict[str, Any]:
    """What ``plan --json`` prints."""
    needed = capture_quota(plan.captures)
    return {
        "format": FORMAT,
        "resources": [
            {
                "type": resource.type,
                "id": resource.id,
                "name": resource.name,
                "needed_by": _ref(plan.reached.pulled_in_by.get(resource.ref)),
            }
            for resource in plan.resources
        ],
        "references": [
            {
                "type": reference.type,
                "id": reference.id,
                "name": reference.name,
                "needed_by": _ref(plan.reached.pulled_in_by.get(reference.ref)),
            }
            for reference in plan.references
        ],
        "disks": [
            {
                "type": disk.type,
                "id": disk.id,
                "name": disk.name,
                "server_id": disk.server_id,
                "bytes_at_most": disk.size,
                "consistency": disk.consistency,
            }
            for disk in plan.captures
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
                "type": omission.type,
                "id": omission.id,
                "name": omission.name,
                "attribute": omission.attribute,
                "reason": omission.reason,
            }
            for omission in plan.omissions
        ],
        "left_behind": _left_behind_json(plan.left_behind),
        "warnings": list(plan.warnings),
    }


def _left_behind_json(left: LeftBehind) -> dict[str, Any]:
    return {
        "resources": [dataclasses.asdict(thing) for thing in left.things],
        "more": sorted(left.more),
        "not_asked": dict(left.not_asked),
        "unknown_services": list(left.unknown),
    }


def _ref(ref: Ref | None) -> dict[str, str] | None:
    return None if ref is None else {"type": ref.type, "id": ref.id}


def as_text(plan: Plan, room: FreeQuota, max_temporary: int) -> str:
    """What ``plan`` prints: lines without a trailing line end."""
    lines = [
        *_tree(plan),
        *_references(plan.references),
        *_disks(plan),
        *_temporary(plan, room, max_temporary),
        *_section("not carried", omission_lines(plan.omissions)),
        *left_behind_lines(plan.left_behind),
        *_section("warnings", plan.warnings),
    ]
    return "\n".join(map(printable, lines))


def omission_lines(omissions: Iterable[Omission]) -> Iterator[str]:
    """One line for each kind of loss, with the names of the resources that have it."""
    groups: dict[tuple[str, str | None, str], list[str]] = {}
    for lost in omissions:
        groups.setdefault((lost.type, lost.attribute, lost.reason), []).append(lost.name or lost.id)
    for (kind, attribute, reason), names in groups.items():
        # What stays behind is told for a whole type, without names.
        what = f"{_words(kind)} {some_of(names, _SHOWN)}".rstrip()
        yield f"{what}: {attribute}: {reason}" if attribute else f"{what}: {reason}"


def left_behind_lines(left: LeftBehind) -> list[str]:
    """A section that tells of each type what the project has and the export does not carry."""
    title = "left behind in this project"
    return _section(title, map(printable, _left_behind(left))) or _section(title, ["nothing"])


def _left_behind(left: LeftBehind) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Left]] = {}
    for thing in left.things:
        groups.setdefault((thing.type, thing.reason), []).append(thing)
    for (kind, reason), things in groups.items():
        shown = ", ".join(_called(thing.name, thing.id) for thing in things[:_LEFT_SHOWN])
        hidden = max(len(things) - _LEFT_SHOWN, 0)
        more = f" and {'at least ' if kind in left.more else ''}{hidden} more" if hidden else ""
        yield f"{_words(kind)} {shown}{more}: {reason}"
    for kind, why in left.not_asked.items():
        yield f"{_words(kind)}: could not be asked: {why}"
    if left.unknown:
        services = ", ".join(map(repr, left.unknown))
        yield f"the catalog has {services}, which downpour does not know"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    indented = [f"  {line}" for line in lines]
    return ["", f"{title}:", *indented] if indented else []


def _tree(plan: Plan) -> Iterator[str]:
    """Each resource below the one that needs it; what the file names is at the left."""
    records: dict[Ref, Resource] = {record.ref: record for record in plan.resources}
    children: dict[Ref | None, list[Ref]] = {}
    for ref, parent in plan.reached.pulled_in_by.items():
        if ref in records:
            children.setdefault(parent, []).append(ref)
    disks = {disk.ref: disk for disk in plan.captures}
    count = sum(1 for disk in plan.captures if disk.type == "server")
    beside = f", and {counted(count, 'disk')} of servers as images or volumes" if count else ""
    yield f"{counted(len(records), 'resource')} {'goes' if len(records) == 1 else 'go'}{beside}:"
    stack = [(ref, 1) for ref in reversed(children.get(None, []))]
    while stack:
        ref, depth = stack.pop()
        record = records[ref]
        yield f"{'  ' * depth}{_name(record)}{_how(record, disks.get(ref), plan)}"
        stack += [(child, depth + 1) for child in reversed(children.get(ref, []))]


def _name(record: Resource | Reference) -> str:
    return f"{_words(record.type)} {_called(record.name, record.id)}"


def _called(name: str, identity: str) -> str:
    if name in ("", identity):
        return as_word(identity)
    return f"{name!r} ({as_word(identity)})"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _how(record: Resource, disk: DiskCapture | None, plan: Plan) -> str:
    facts = []
    if record.id in plan.stops and record.type == "server":
        facts.append(_STOPS[plan.stops[record.id]])
    if record.id in plan.boots and record.type == "server":
        facts.append(f"will boot from {plan.boots[record.id]}")
    if disk is not None:
        facts.append(f"{human_bytes(disk.size)}, {disk.consistency}")
    return f": {'; '.join(facts)}" if facts else ""


def _references(references: Iterable[Reference]) -> list[str]:
    return _section("the target must have, or a mapping for it", map(_name, references))


def _disks(plan: Plan) -> list[str]:
    if not plan.captures:
        return _section("disks", ["none is read"])
    total = sum(disk.size for disk in plan.captures)
    return _section(
        "disks",
        [
            f"{counted(len(plan.captures), 'disk')} {'is' if len(plan.captures) == 1 else 'are'} "
            f"read, {human_bytes(total)} at most; the bundle is smaller: zeros take no room, and "
            "what disks have in common is stored once"
        ],
    )


def _temporary(plan: Plan, room: FreeQuota, max_temporary: int) -> list[str]:
    needed = capture_quota(plan.captures)
    copied = sum(1 for disk in plan.captures if disk.type != "image" and disk.image_id is None)
    if not copied:
        return _section("temporary objects at the source", ["none"])
    lines = [
        f"at most {max_temporary} at once; for one server after another, room is needed for "
        f"{counted(needed.snapshots, 'snapshot')}, {counted(needed.volumes, 'volume')} and "
        f"{needed.gigabytes} GiB"
    ]
    missing = list(lacks(needed, room))
    lines += missing or ["the quota allows them"]
    return _section("temporary objects at the source", lines)
