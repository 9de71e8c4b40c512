"""The order of an import: bundle -> verify -> trust -> preflight -> playbook run -> proof."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import (
    LocalError,
    RecreateError,
    RecreateFaults,
    ResultError,
    ResultFaults,
)
from bundle_spec.model import Resource
from bundle_spec.model.playbook import MappingRules, PlaybookData, Settings
from bundle_spec.parts import bundle_name
from bundle_spec.progress import NULL, Progress
from downpour_import import mapping, session, state, trust
from downpour_import.cloud import TargetCloud, find_cloud
from downpour_import.journal import Journal
from downpour_import.opening import Opened, open_source
from downpour_import.options import ImportOptions
from downpour_import.preflight import Preflight
from downpour_import.recreate import RECREATORS, Context, Outcome, differences, recreate
from downpour_import.runner import run_playbook
from downpour_import.unpack import settings_file
from downpour_import.watch import Watcher

PROPOSAL = "mapping.yml"
LOG = "ansible.log"


@dataclass(frozen=True)
class Imported:
    """``states``: state of an Outcome -> number of resources."""

    state: Path
    uuids: Path
    states: Counter[str]


def import_bundle(options: ImportOptions, progress: Progress = NULL) -> Imported:
    """Make the bundle true in the target cloud, and prove it.

    Raises what the steps raise.  Until the preflight has passed nothing is written but the
    state directory.
    """
    find_cloud(options.cloud)  # a mistyped name is told before an hour of checking
    opened, data = open_trusted(options, progress)
    settings = effective_settings(options, opened)
    cloud = session.connect_by(settings)
    directory = Path(settings.state or "")
    state.bind(directory, data.bundle, cloud)
    with state.locked(directory) as lock:
        found = session.look(settings, data, cloud)
        _tell(found, settings.mapping, directory, progress)
        if not options.check:
            Journal(directory).write_csv()
        states = _run(opened, data, settings, cloud, options, lock, progress)
        journal = Journal(directory)
        if not options.check:
            journal.write_csv()
            if options.uuids:
                journal.write_csv(options.uuids)
            prove(settings, data, cloud, progress)
    return Imported(directory, journal.csv_path, states)


def plan_import(
    options: ImportOptions, progress: Progress = NULL
) -> list[tuple[Resource, Outcome]]:
    """What an import would do with each resource.

    Writes nothing but a proposal in the state directory.  Raises TargetFaults with all that the
    target lacks, StateError when the state is another import's.
    """
    find_cloud(options.cloud)
    opened, data = open_trusted(options, progress)
    settings = effective_settings(options, opened)
    cloud = session.connect_by(settings)
    directory = Path(settings.state or "")
    found = session.look(settings, data, cloud)
    if found.faults or state.is_bound(directory):
        state.bind(directory, data.bundle, cloud)
    _tell(found, settings.mapping, directory, progress)
    context = Context(
        cloud=cloud,
        journal=Journal(directory),
        targets=found.targets,
        bundle_uuid=data.bundle,
        bundle=opened.bundle.path,
        folders=opened.bundle.folders,
    )
    return [
        (record, recreate(RECREATORS[record.type], context, record, check=True))
        for record in data.resources
    ]


def open_trusted(options: ImportOptions, progress: Progress) -> tuple[Opened, PlaybookData]:
    """The source of the import, whole, with a playbook and data that we are willing to run."""
    opened = open_source(options.source, progress, options.parts)
    if not options.trust_playbook:
        trust.check_code(opened)
    data = opened.data()
    for edit in trust.check_edits(opened, data, allowed=options.edited):
        progress.note(f"edited: {edit}")
    return opened, data


def effective_settings(options: ImportOptions, opened: Opened) -> Settings:
    """The directory's settings with the command line's on top."""
    own, chosen = opened.settings, options.cloud
    cloud = chosen.cloud or own.cloud
    name = cloud or os.environ.get("OS_CLOUD") or "cloud"
    # Whichever part of a bundle is named, its state is the same.
    bundle = bundle_name(options.source).name.removesuffix(".dpbundle")
    default = own.state or str(Path.cwd() / f"{bundle}.{name}")
    return dataclasses.replace(
        own,
        state=str(options.state.resolve() if options.state else default),
        cloud=cloud,
        region=chosen.region or own.region,
        config_file=chosen.config_file or own.config_file,
        mapping=mapping.merge(own.mapping, options.mapping),
    )


def _tell(found: Preflight, rules: MappingRules, directory: Path, progress: Progress) -> None:
    """Say what the preflight decided.  Raises TargetFaults, after writing a proposal."""
    for line in found.taken:
        progress.note(f"taken: {line}")
    for line in found.warnings:
        progress.note(f"warning: {line}")
    if not found.proposals:
        found.require()
        return
    path = _propose(found.proposal(rules), directory)
    found.require(f"complete {path} and add --map {path}")


def _propose(text: str, directory: Path) -> Path:
    """Write a proposal under a name of its own: one that is there may hold a person's work."""
    for number in itertools.count(1):
        path = directory / (PROPOSAL if number == 1 else f"mapping-{number}.yml")
        try:
            if not path.exists():
                path.write_text(text, "utf-8")
            if path.read_text("utf-8") == text:
                return path
        except OSError as exc:
            raise LocalError(f"cannot write: {exc.strerror}", where=str(path)) from exc
    raise AssertionError("unreachable")


def _run(
    opened: Opened,
    data: PlaybookData,
    settings: Settings,
    cloud: TargetCloud,
    options: ImportOptions,
    lock: int,
    progress: Progress,
) -> Counter[str]:
    files = {**opened.playbook, "settings.yml": settings_file(_absolute(settings, cloud))}
    with Watcher(data, opened.bundle.manifest, progress) as watcher:
        result = run_playbook(
            files,
            log=Path(settings.state or "") / LOG,
            environment=_cloud_files(cloud),
            check=options.check,
            on_event=watcher.on_event,
            lock=lock,
        )
    if result.returncode:
        faults = watcher.failures or [
            RecreateError(text, where="ansible-playbook")
            for text in result.errors or (f"it ended with {result.returncode}",)
        ]
        raise RecreateFaults(
            "the import is not complete; what was made stays, and is not made again",
            faults,
            remedy=f"see {result.log}, mend it, and run the same command again",
        )
    return watcher.states


def _absolute(settings: Settings, cloud: TargetCloud) -> Settings:
    """The playbook runs in another directory: the clouds.yaml found here is named by path."""
    path = cloud.config_file
    return dataclasses.replace(settings, config_file=str(Path(path).resolve()) if path else None)


def _cloud_files(cloud: TargetCloud) -> dict[str, str]:
    secure = cloud.secure_file
    return {"OS_CLIENT_SECURE_FILE": str(Path(secure).resolve())} if secure else {}


def prove(settings: Settings, data: PlaybookData, cloud: TargetCloud, progress: Progress) -> None:
    """Read every resource back and compare it with the records.

    Raises ResultFaults with every difference.
    """
    context = session.open_context(settings, cloud)
    faults = []
    resources = list(data.resources)
    with progress.task("check", len(resources), "resources") as task:
        for record in resources:
            if record.ref not in context.targets:
                where = f"{record.type.replace('_', ' ')} {record.name!r}"
                faults += [ResultError(line, where=where) for line in differences(context, record)]
            task.advance(1)
    if faults:
        raise ResultFaults(
            "not all that stands on the target is as this import's records say",
            faults,
            remedy="what stood already is not changed by an edit or another mapping",
        )
