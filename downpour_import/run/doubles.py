"""What bears the marks of a bundle on the target, and what of it stands there twice.

A request that arrives twice, or later than it is looked for, makes a second object with the same
mark.  The journal knows one of them; only the target knows the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from bundle_spec.model import Manifest, Resource, Router
from downpour_import.errors import RecreateError, ResultError, TargetLost
from downpour_import.recreate import RECREATORS, Context, recreator_of
from downpour_import.recreate.base import Recreator, Unmarked
from downpour_import.recreate.context import named
from downpour_import.recreate.image import VolumeDisk
from downpour_import.recreate.volume import disk_image


@dataclass(frozen=True)
class Bearer:
    """An object that bears the mark of ``record``.  ``own``: it is of the record's type, and not a
    port that was made for a router."""

    record: Resource
    target: str
    recreator: Recreator[Any] = field(repr=False)
    own: bool


def with_images(manifest: Manifest, resources: Iterable[Resource]) -> list[Resource]:
    """``resources``, and the images that only fill their volumes."""
    volumes = (*manifest.resources.volumes, *manifest.resources.volume_snapshots)
    images = [
        disk_image(volume, manifest.disk(volume.disk_id))
        for volume in volumes
        if volume.disk_id is not None
    ]
    return [*resources, *images]


def bearers(context: Context, records: Iterable[Resource]) -> Iterator[Bearer]:
    """All that bears the mark of one of ``records``, by one list call for each type.

    Of those that the journal knows: a target may lack the API of a type that was left out."""
    marked: dict[str, list[Resource]] = {}
    for record in records:
        if context.journal.entry(record.ref) is not None:
            marked.setdefault(context.marker(record.ref), []).append(record)
    for recreator in _types([each for group in marked.values() for each in group]):
        seen = set[str]()
        for mark, target in recreator.marks(context):
            if mark in marked and target not in seen:
                seen.add(target)
                yield _bearer(marked[mark], target, recreator)


def _types(records: Iterable[Resource]) -> list[Recreator[Any]]:
    by_path = {recreator.path: recreator for recreator in map(recreator_of, records)}
    if any(isinstance(record, Router) for record in records):
        by_path.setdefault("/ports", RECREATORS["port"])
    return [recreator for recreator in by_path.values() if recreator.can_be_marked]


def _bearer(records: Iterable[Resource], target: str, recreator: Recreator[Any]) -> Bearer:
    for record in records:
        if recreator_of(record).path == recreator.path:
            return Bearer(record, target, recreator, own=True)
    router = next(iter(records))
    # What a port gets that bears no mark any more: it had no description of its own.
    plain = replace(router, description="") if isinstance(router, Router) else router
    return Bearer(plain, target, recreator, own=False)


def remove_doubles(
    context: Context, records: Iterable[Resource], tell: Callable[[str], None]
) -> list[ResultError]:
    """Delete what bears the mark of something that stands, and that nothing uses.

    ``tell``: is given a sentence for each.  Returns an error for each that is used, or that the
    target does not delete.  Raises TargetLost, RecreateError where nothing could be read.
    """
    records = list(records)
    faults: list[ResultError] = []
    for bearer in list(bearers(context, records)):
        if _is_double(context, bearer):
            faults += _removed(context, bearer, tell)
    for each, ours in equal_ones(context, records):
        if ours:
            faults += _removed(context, each, tell)
        else:
            tell(
                f"warning: {named(each.record)}: {each.target} equals it, and nothing uses it; it "
                "may have been made twice: delete it if nobody wants it"
            )
    return faults


def _is_double(context: Context, bearer: Bearer) -> bool:
    ref = bearer.record.ref
    entry, target = context.journal.entry(ref), context.journal.target(ref)
    if not bearer.own or ref in context.targets or entry is None:
        return False
    if target is not None:
        return entry.made and bearer.target != target
    # The image that filled a volume has gone when the volume stands.
    return isinstance(bearer.record, VolumeDisk) and entry.event == "gone"


def _removed(
    context: Context, bearer: Bearer, tell: Callable[[str], None]
) -> Iterator[ResultError]:
    recreator, target, what = bearer.recreator, bearer.target, named(bearer.record)
    item = recreator.fetch(context, target)
    if item is None:
        return
    if recreator.used(context, item):
        yield ResultError(
            f"it stands twice: {target} is of this import too, and is in use",
            where=what,
            remedy=f"see who uses {target}, free it, and run the same command again",
        )
        return
    try:
        recreator.dismantle(context, target, item)
    except TargetLost:
        raise
    except RecreateError as exc:
        message = f"it stands twice, and {target} is not deleted: {exc.message}"
        yield ResultError(message, where=what, remedy="run the same command again")
    else:
        tell(f"removed {target}: the target had made {what} twice")


def equal_ones(context: Context, records: Iterable[Resource]) -> Iterator[tuple[Bearer, bool]]:
    """What equals a record that was made, of the types that can bear no mark; and whether it is of
    this import, by requests whose answers were lost, or may be somebody else's."""
    listed: dict[str, list[Any]] = {}
    for record in records:
        recreator, entry = recreator_of(record), context.journal.entry(record.ref)
        if isinstance(recreator, Unmarked) and entry is not None and entry.made:
            if recreator.path not in listed:
                listed[recreator.path] = list(recreator.candidates(context))
            equals = recreator.equals(context, record, listed[recreator.path])
            for number, target in enumerate(equals, 2):
                yield Bearer(record, target, recreator, own=True), number <= entry.asked
