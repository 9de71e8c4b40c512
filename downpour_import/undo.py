"""Undo an import, or take its marks off: only what this bundle made and still bears its mark.

What is deleted stands in the journal as made (or begun) by this bundle, and the object on the
target says so too: also one that the journal does not name, because its request arrived twice, or
late.  What was reused, and what somebody else made, stays.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

from bundle_spec.model import Manifest, Ref, Resource, Resources, SecurityGroup
from bundle_spec.progress import Progress, Task
from downpour_cloud import Json, find_cloud
from downpour_cloud.session import LATE_SECONDS
from downpour_import import session
from downpour_import.cloud import connect
from downpour_import.errors import RecreateError, RecreateFaults, StateError, TargetLost
from downpour_import.options import ImportOptions, effective_settings
from downpour_import.playbook.data import decode_data, load_data
from downpour_import.playbook.settings import state_of
from downpour_import.recreate import Context, recreator_of
from downpour_import.recreate.base import Recreator
from downpour_import.recreate.context import named
from downpour_import.recreate.patience import late_arrival
from downpour_import.recreate.security_group_rule import added_rules
from downpour_import.recreate.upload import open_own_bundle
from downpour_import.run.doubles import Bearer, bearers, equal_ones, with_images
from downpour_import.source.opening import admit
from downpour_import.state import directory
from downpour_import.state.journal import Entry


@dataclass(frozen=True)
class MadeObject:
    """An object on the target.  ``kept``: why it stays; None if it is to be undone."""

    record: Resource
    target: str
    item: Json = field(repr=False)
    recreator: Recreator[Any] = field(repr=False)
    kept: str | None = None

    @property
    def ref(self) -> Ref:
        return self.record.ref


@contextmanager
def opened(options: ImportOptions, progress: Progress) -> Iterator[tuple[Context, Resources]]:
    """The context of the import that ``options`` name, with its state locked; and the resources
    of an unpacked directory, which may have been edited.

    Whose the bundle is, is asked before the cloud is.  Raises TrustError; StateError when nothing
    was imported with this state, or by another bundle; CloudError, BundleError, LocalError.
    """
    find_cloud(options.cloud)
    admitted = admit(options.candidate, progress)
    settings = effective_settings(options, admitted.settings)
    state = state_of(settings)
    directory.require_ours(state)
    if not (directory.is_bound(state) and directory.is_prepared(state)):
        raise StateError(
            "nothing was imported with this state",
            where=str(state),
            remedy="name the right one with --state",
        )
    with admitted.open() as bundle:
        uuid, digest = bundle.manifest.uuid, bundle.manifest_sha256
    settings = replace(settings, manifest_sha256=digest)
    cloud = connect(session.cloud_options(settings), progress.say)
    directory.bind(state, uuid, cloud, manifest_sha256=digest)
    context = session.open_context(settings, cloud, tell=progress.say)
    # An import that was killed a moment ago may have a request under way.
    context.late_until = monotonic() + LATE_SECONDS
    with directory.locked(state):
        yield context, _of_directory(admitted.directory)


def _of_directory(directory: Path | None) -> Resources:
    if directory is None:
        return Resources()
    path = directory / "playbook" / "resources.yml"
    return decode_data(load_data(path), str(path)).resources


def find(context: Context, progress: Progress, edited: Iterable[Resource] = ()) -> list[MadeObject]:
    """All that this bundle made, by its journal, and that still stands; the last made first.

    ``edited``: resources of a directory, which may have more than its bundle.  Raises BundleError
    when the bundle is another one, RecreateError.
    """
    with open_own_bundle(context) as bundle:
        edited = list(edited)
        records = {record.ref: record for record in (*edited, *_rules(edited))}
        records |= _records(bundle.manifest)
    entries = [
        (records[ref], entry)
        for ref, entry in reversed(list(context.journal))
        if ref in records and (entry.made or entry.event in ("intent", "gone"))
    ]
    objects: list[MadeObject] = []
    with progress.task("look for resources", len(entries), "resources") as task:
        known = list(_journalled(context, entries, task))
        order = {record.ref: number for number, (record, _) in enumerate(entries)}
        marked = (each for each in bearers(context, records.values()) if each.record.ref in order)
        # The journalled object comes first; the ports of a router go after it.
        found = sorted((*known, *marked), key=lambda bearer: order[bearer.record.ref])
        for bearer in {(each.recreator.path, each.target): each for each in found}.values():
            objects += _object(context, bearer)
    objects += _equal(context, entries)
    context.journal.write_csv()  # a kill may have left it behind the journal
    return [*_kept_with_the_rest(objects)]


def _journalled(
    context: Context, entries: Iterable[tuple[Resource, Entry]], task: Task
) -> Iterator[Bearer]:
    """What the journal knows, and what a request is found by that it calls begun; one that may
    still be under way is waited for."""
    for record, entry in entries:
        recreator, target = recreator_of(record), context.journal.target(record.ref)
        if entry.event == "intent":
            target = late_arrival(
                context, functools.partial(recreator.look, context, record), named(record)
            )
            if target is None:
                context.journal.record("gone", record.ref, record.name)
        if target is not None:
            yield Bearer(record, target, recreator, own=True)
        task.advance(1)


def _object(context: Context, bearer: Bearer) -> list[MadeObject]:
    """The object; nothing if it is gone."""
    record, target, recreator = bearer.record, bearer.target, bearer.recreator
    item = recreator.fetch(context, target)
    if item is None:
        if context.journal.target(record.ref) == target:
            # An undo was killed between the deletion and its line in the journal.
            context.journal.record("gone", record.ref, record.name, target)
        return []
    reason = (
        "it bears no mark of this bundle" if recreator.can_be_marked else "it is not as it was made"
    )
    kept = None if recreator.made_by_bundle(context, record, item) else reason
    return [MadeObject(record, target, item, recreator, kept)]


def _equal(context: Context, entries: Iterable[tuple[Resource, Entry]]) -> Iterator[MadeObject]:
    """What equals something that was made, and may be somebody else's."""
    made = [record for record, entry in entries if entry.made]
    for bearer, ours in equal_ones(context, made):
        for obj in _object(context, bearer):
            reason = "it equals what was made, but may be somebody else's"
            yield obj if ours else replace(obj, kept=reason)


def _kept_with_the_rest(objects: list[MadeObject]) -> Iterator[MadeObject]:
    """The objects; if marks of others were taken off, those that cannot bear one stay.

    ``forget`` through another state takes the marks off, and this state's journal knows nothing of
    it: only the target tells.  What has no mark goes with what had one.
    """
    unmarked = any(obj.kept and obj.recreator.can_be_marked for obj in objects)
    for obj in objects:
        if unmarked and obj.kept is None and not obj.recreator.can_be_marked:
            reason = "others that this import made bear no mark, as after forget"
            yield replace(obj, kept=reason)
        else:
            yield obj


def undo(context: Context, objects: list[MadeObject], progress: Progress) -> None:
    """Delete the objects that are not kept, in this order.

    May be killed and run again.  Raises RecreateFaults with everything that could not be deleted.
    """
    faults = []
    to_delete = [obj for obj in objects if obj.kept is None]
    with progress.task("delete resources", len(to_delete), "resources") as task:
        for obj in to_delete:
            try:
                if obj.recreator.fetch(context, obj.target) is not None:
                    obj.recreator.dismantle(context, obj.target, obj.item)
            except RecreateError as exc:
                where = f"{named(obj.record)} {obj.target}"
                faults.append(RecreateError(exc.message, where=where, remedy=exc.remedy))
                if isinstance(exc, TargetLost):
                    break  # each of the others would be waited for as long
            else:
                if context.journal.target(obj.ref) in (None, obj.target):
                    context.journal.record("gone", obj.ref, obj.record.name, obj.target)
            task.advance(1)
    if faults:
        raise RecreateFaults(
            "not everything could be deleted",
            faults,
            remedy="free what is in use and run the same command again",
        )


def forget(context: Context, objects: list[MadeObject], progress: Progress) -> None:
    """Take the marks off; from then on what was made counts as what stood already."""
    with progress.task("unmark resources", len(objects), "resources") as task:
        for obj in objects:
            if obj.kept is None:
                obj.recreator.unmark(context, obj.record, obj.target, obj.item)
                if context.journal.target(obj.ref) in (None, obj.target):
                    context.journal.reuse(obj.ref, obj.record.name, obj.target)
            task.advance(1)


def _records(manifest: Manifest) -> dict[Ref, Resource]:
    """What the journal may name: resources, rules, and the images that only fill volumes."""
    resources = manifest.resources
    records = (*with_images(manifest, resources), *_rules(resources))
    return {record.ref: record for record in records}


def _rules(resources: Iterable[Resource]) -> Iterator[Resource]:
    for record in resources:
        if isinstance(record, SecurityGroup):
            yield from added_rules(record)
