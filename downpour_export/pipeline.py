"""The order of an export: resource file -> discover -> plan -> capture -> bundle."""

from __future__ import annotations

import functools
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from bundle_spec import BundleWriter, FinishedBundle
from bundle_spec.durable import remove_abandoned
from bundle_spec.errors import DownpourError, LocalError
from bundle_spec.form import codec
from bundle_spec.model import Source
from bundle_spec.progress import NULL, Progress
from bundle_spec.trust import age, signature
from bundle_spec.write.tail import Sign
from downpour_cloud import CloudOptions
from downpour_export import resource_file
from downpour_export.assemble import assemble
from downpour_export.capture import Limits, capture
from downpour_export.cloud import Connect, SourceCloud, connect
from downpour_export.discover import Inventory, complete, discover
from downpour_export.discover.left_behind import look_elsewhere
from downpour_export.discover.quota import FreeQuota
from downpour_export.discover.server import flavor_name
from downpour_export.errors import PlanError, PlanFaults, ResourceFileFaults
from downpour_export.key_file import KeyFile
from downpour_export.options import ExportOptions
from downpour_export.plan import Plan, make_plan
from downpour_export.plan.capture_quota import capture_quota, lacks
from downpour_export.plan.left_behind import LeftBehind, left_behind
from downpour_export.plan.loose import loose
from downpour_export.plan.make import reach
from downpour_export.plan.select import select
from downpour_export.plan.stopped import stopped_by_another
from downpour_export.playbook import playbook_files
from downpour_export.resource_file import ResourceFile, merge
from downpour_export.resource_file.query import Match, Query, all_principal, as_matches, matches

_SOURCE = "source"


@dataclass(frozen=True)
class Exported:
    """``key``: the key file beside an encrypted bundle, which a passphrase opens."""

    bundle: FinishedBundle
    plan: Plan
    key: Path | None = None


@dataclass(frozen=True)
class Asked:
    """What a query did.  ``there``: how many fitting resources the file had already.  ``left``:
    what stays behind all the same; None where the query was not for everything."""

    added: tuple[Match, ...]
    there: int
    left: LeftBehind | None = None


def _signer(key: Path) -> Sign:
    """The function that signs a manifest with ``key``, which is tried here.  Raises LocalError."""
    signature.make(b"", key)
    return functools.partial(signature.make, key=key)


def export(
    options: ExportOptions, progress: Progress = NULL, connect: Connect = connect
) -> Exported:
    """Write the bundle, or go on with it where an earlier run stopped.

    Raises what the steps raise; complete disks are kept for the next run then.
    """
    wanted = _read_resource_file(options.resource_file, options.cloud, progress, connect)
    # A key or a path that cannot be used is reported before the cloud is asked for anything.
    sign = None if options.sign is None else _signer(options.sign)
    remove_abandoned(options.bundle.parent)
    with KeyFile.of(options) as key:
        encrypt_to = age.recipients(options.encrypt_to) + key.recipients
        writer = BundleWriter(
            options.bundle,
            level=options.level,
            overwrite=options.overwrite,
            part_size=options.part_size,
            resume=options.resume,
            progress=progress,
            sign=sign,
            encrypt_to=encrypt_to,
        )
        key.writer = writer
        if encrypt_to:
            progress.say("an encrypted export cannot be resumed: the next run starts from scratch")
        try:
            done = _write(options, wanted, writer, progress, connect)
            return replace(done, key=key.publish())
        except BaseException as exc:
            if writer.kept is not None:
                progress.say(
                    f"{writer.kept} has what was done so far: the same command goes on with it, "
                    "--fresh begins again"
                )
            elif isinstance(exc, KeyboardInterrupt) and not writer.may_be_published:
                progress.say("nothing was captured yet: the next run begins from the start")
            raise


def plan_export(
    path: Path, options: CloudOptions, progress: Progress = NULL, connect: Connect = connect
) -> tuple[Plan, FreeQuota]:
    """The plan of an export, and the free quota; nothing is written anywhere.

    Raises what the steps raise.
    """
    wanted = _read_resource_file(path, options, progress, connect)
    plan, room = _plan(wanted, connect(options, progress.say), progress)
    warnings = (*plan.warnings, *map(str, stopped_by_another(plan)))
    return replace(plan, warnings=warnings), room


def _read_resource_file(
    path: Path, options: CloudOptions, progress: Progress, connect: Connect
) -> ResourceFile:
    """Raises LocalError, or ResourceFileFaults with every mistake in the file; if it has any, also
    with the names that the cloud does not know, unless it cannot be asked.  It is asked only where
    the file names something that can be looked up."""
    wanted, faults = resource_file.read(path)
    if not faults:
        return wanted
    mistakes: list[DownpourError] = [*faults]
    if any(getattr(wanted, section) for section in resource_file.SECTIONS):
        with suppress(DownpourError):
            mistakes += select(wanted, discover(connect(options, progress.say), progress))[1]
    raise ResourceFileFaults("the resource file has mistakes", resource_file.in_order(mistakes))


def _plan(wanted: ResourceFile, cloud: SourceCloud, progress: Progress) -> tuple[Plan, FreeQuota]:
    inventory = discover(cloud, progress)
    carried = make_plan(wanted, inventory).reached.pulled_in_by
    inventory = complete(cloud, inventory, carried, progress)
    plan = make_plan(wanted, inventory)
    elsewhere = look_elsewhere(cloud, inventory.extensions, progress)
    left = left_behind(inventory, plan.reached, elsewhere)
    return replace(plan, left_behind=left), inventory.room


def look_for(
    query: Query,
    path: Path,
    options: CloudOptions,
    *,
    save_state: bool,
    progress: Progress = NULL,
    connect: Connect = connect,
) -> Asked:
    """Add what fits ``query`` to the resource file at ``path``.

    Raises what the steps raise, and PlanError when nothing fits; the file is unchanged then.
    """
    text, existing = merge.load(path)
    cloud = connect(options, progress.say)
    query = replace(query, flavors=tuple(flavor_name(cloud, name) for name in query.flavors))
    inventory = discover(cloud, progress)
    fitting, fruitless = _fitting(query, inventory, save_state)
    if not fitting:
        message = " ".join(["nothing fits", ", ".join(fruitless)]).strip()
        raise PlanError(message, where=str(path), remedy="nothing was added")
    for option in fruitless:
        progress.say(f"warning: nothing fits {option}")
    text, added = merge.merged(text, existing, fitting, save_state=save_state)
    if added:
        remove_abandoned(path.parent)
        merge.save(path, text)
    left = None
    if query.everything:
        reached = reach(resource_file.parse(text, path), inventory)
        left = left_behind(
            inventory, reached, look_elsewhere(cloud, inventory.extensions, progress)
        )
    return Asked(tuple(added), len(fitting) - len(added), left)


def _fitting(query: Query, inventory: Inventory, save_state: bool) -> tuple[list[Match], list[str]]:
    """What fits, and the options that fit nothing."""
    if not query.everything:
        return matches(query, inventory)
    principal = all_principal(inventory)
    others = loose(inventory, chain(*principal.values()), save_state=save_state)
    return as_matches({**principal, **others}, inventory), []


def _write(
    options: ExportOptions,
    wanted: ResourceFile,
    writer: BundleWriter,
    progress: Progress,
    connect: Connect,
) -> Exported:
    with writer:
        cloud = connect(options.cloud, progress.say)
        _require_same_source(writer, cloud.source())
        plan, room = _plan(wanted, cloud, progress)
        if faults := list(stopped_by_another(plan, writer.uuid)):
            raise PlanFaults("another export has stopped servers of this one", faults)
        writer.require_room_for(sum(capture.size for capture in plan.captures))
        for lack in lacks(capture_quota(plan.captures), room):
            progress.say(f"warning: {lack}")
        for warning in plan.warnings:
            progress.say(f"warning: {warning}")
        limits = Limits(jobs=options.jobs, temporaries=options.max_temporary, room=room)
        captured = capture(
            cloud, writer, plan.captures, plan.stops, limits, progress, pause=options.pause
        )
        content = assemble(plan, captured, cloud.source())
        for path, data in playbook_files(writer.uuid, content).items():
            writer.add_file(path, data)
        return Exported(writer.finish(content), plan)


def _require_same_source(writer: BundleWriter, source: Source) -> None:
    """Raises LocalError if an earlier run of this bundle captured disks of another project."""
    identity = codec.dumps([source.auth_url, source.region, source.project_id]).decode()
    if writer.recall(_SOURCE) not in (None, identity):
        raise LocalError(
            "an earlier run for this bundle took disks from another cloud or project",
            remedy="choose another name, or begin again with --fresh",
        )
    writer.remember(_SOURCE, identity)
