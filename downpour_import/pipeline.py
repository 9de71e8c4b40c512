"""The order of an import: bundle -> verify -> trust -> preflight -> playbook run -> proof."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundle_spec.errors import DownpourError, LocalError, TrustError
from bundle_spec.model.playbook import MappingRules, PlaybookData, Settings
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.parts import bundle_name
from downpour_cloud import find_cloud
from downpour_import import session
from downpour_import.cloud import TargetCloud
from downpour_import.errors import (
    RecreateError,
    RecreateFaults,
    ResultError,
    ResultFaults,
    TargetError,
)
from downpour_import.options import ImportOptions
from downpour_import.preflight import Preflight, mapping
from downpour_import.recreate import RECREATORS, Context, differences, listed, recreate
from downpour_import.report import Report
from downpour_import.run import steps
from downpour_import.run.runner import run_playbook
from downpour_import.run.watch import Watcher
from downpour_import.source import trust
from downpour_import.source.opening import Opened, open_source
from downpour_import.source.select import select
from downpour_import.source.unpack import data_file
from downpour_import.state import directory as state
from downpour_import.state.journal import Journal

PROPOSAL = "mapping.yml"
LOG = "ansible.log"
REPORT = "report.json"


def import_bundle(
    options: ImportOptions,
    report: Report,
    progress: Progress = NULL,
    agree: Callable[[], bool] = lambda: True,
) -> None:
    """Make the bundle true in the target cloud, and prove it.

    ``agree``: asked before anything is written to the cloud, if the records were edited.  Raises
    what the steps raise; ``report`` tells what was reached.  Until the preflight has passed nothing
    is written but the state directory.
    """
    with _reporting(report):
        find_cloud(options.cloud)  # a mistyped name is told before an hour of checking
        opened, data, edits = open_trusted(options, progress)
        settings = effective_settings(options, opened.settings)
        cloud = session.connect_by(settings, progress.note)
        _place(report, opened, cloud, options, progress)
        directory = Path(settings.state or "")
        state.bind(directory, data.bundle, cloud)
        with state.locked(directory) as lock:
            report.state, report.log = directory, directory / LOG
            found = session.look(settings, data, cloud, opened.bundle.manifest.disks)
            _tell(found, report, progress)
            _require(found, settings.mapping, directory)
            if edits and not options.check and not agree():
                raise TrustError("what was edited is not imported: nobody agreed to it")
            if not options.check:
                Journal(directory).write_csv()
            try:
                _run(opened, data, settings, cloud, options, lock, report, progress)
            finally:
                if not options.check:
                    _finish(report, data, found, Journal(directory), options.uuids)
            if not options.check:
                prove(settings, data, cloud, progress, options.tags)
        report.complete = not options.tags


def plan_import(options: ImportOptions, report: Report, progress: Progress = NULL) -> None:
    """What an import would do with each resource, into ``report``.

    Writes nothing but a proposal: to ``write_map``, or, if something must be mapped, in the state
    directory.  Raises TargetFaults with all that the target lacks, StateError when the state is
    another import's.
    """
    with _reporting(report):
        find_cloud(options.cloud)
        opened, data, _ = open_trusted(options, progress)
        settings = effective_settings(options, opened.settings)
        cloud = session.connect_by(settings, progress.note)
        directory = Path(settings.state or "")
        _place(report, opened, cloud, options, progress)
        found = session.look(settings, data, cloud, opened.bundle.manifest.disks)
        _tell(found, report, progress)
        if options.write_map:
            _write_new(options.write_map, found.proposal(settings.mapping, whole=True))
            found.require(_complete(options.write_map))
        if found.faults or state.is_bound(directory):
            state.bind(directory, data.bundle, cloud)
        _require(found, settings.mapping, directory)
        context = Context(
            cloud=cloud,
            journal=Journal(directory),
            targets=found.targets,
            bundle_uuid=data.bundle,
            bundle=opened.bundle.path,
            folders=opened.bundle.folders,
        )
        for record in data.resources:
            outcome = recreate(RECREATORS[record.type], context, record, check=True)
            report.resource(record, outcome.target, outcome.state)
        report.counts = Counter(each.state for each in report.resources)
        report.complete = True


@contextmanager
def _reporting(report: Report) -> Iterator[None]:
    """Note why it ended, and write the report where the run has a state directory of its own."""
    try:
        yield
    except DownpourError as exc:
        report.failed(exc)
        raise
    finally:
        report.ended = time.monotonic()
        if report.state is not None:
            state.write(report.state / REPORT, report.as_json())


def _place(
    report: Report, opened: Opened, cloud: TargetCloud, options: ImportOptions, progress: Progress
) -> None:
    """Say where it goes.  Raises TargetError for the project that the bundle came from: an
    environment variable of the export that is still set looks like that."""
    manifest = opened.bundle.manifest
    report.bundle, report.project_id = manifest.uuid, cloud.project_id
    report.auth_url = cloud.auth_url
    progress.note(f"target: {cloud.auth_url}, project {cloud.project_id}")
    if cloud.project_id == manifest.source.project_id and not options.same_project:
        raise TargetError(
            "this is the project that the bundle came from",
            where=cloud.auth_url,
            remedy="name the target with --cloud, or say --same-project to make copies beside "
            "the originals",
        )


def _finish(
    report: Report, data: PlaybookData, found: Preflight, journal: Journal, uuids: Path | None
) -> None:
    """Tell what stands now, wherever the run ended."""
    journal.write_csv()
    if uuids:
        journal.write_csv(uuids)
    report.uuids = uuids or journal.csv_path
    for record in data.resources:
        entry, target = journal.entry(record.ref), journal.target(record.ref)
        report.refused += [
            {"type": record.type, "name": record.name, "old": record.id, "attribute": attribute}
            | {"message": message}
            for attribute, message in journal.refused(record.ref).items()
        ]
        if record.ref in found.targets:
            report.resource(record, found.targets[record.ref], "mapped")
        elif entry is None or target is None:
            report.resource(record, None, "missing")
        elif entry.event != "done":
            report.resource(record, target, "begun")
        else:
            report.resource(record, target, "made" if entry.made else "reused")


def open_trusted(
    options: ImportOptions, progress: Progress
) -> tuple[Opened, PlaybookData, list[str]]:
    """The source of the import, whole, with a playbook and data that we are willing to run; and
    what of the data was edited."""
    opened = open_source(options.source, progress, options.parts, trust=options.trust)
    if not options.trust_playbook:
        trust.check_code(opened)
    data = opened.data()
    edits = list(trust.check_edits(opened, data, allowed=options.edited))
    for edit in edits:
        progress.note(f"edited: {edit}")
    return opened, _chosen(data, options), edits


def _chosen(data: PlaybookData, options: ImportOptions) -> PlaybookData:
    """What of the bundle is asked for.  Raises SelectionFaults."""
    data = select(data, options.only, options.skip)
    if not options.no_start:
        return data
    stopped = tuple(replace(each, power_state="stopped") for each in data.resources.servers)
    return replace(data, resources=replace(data.resources, servers=stopped))


def effective_settings(options: ImportOptions, own: Settings) -> Settings:
    """The source's ``own`` settings with the command line's on top."""
    chosen = options.cloud
    cloud = chosen.cloud or own.cloud
    name = cloud or os.environ.get("OS_CLOUD") or "cloud"
    # Whichever part of a bundle is named, its state is the same.
    bundle = bundle_name(options.source).name.removesuffix(".dpbundle")
    default = own.state or str(Path.cwd() / f"{bundle}.{name}")
    return replace(
        own,
        state=str(options.state.resolve() if options.state else default),
        cloud=cloud,
        region=chosen.region or own.region,
        config_file=chosen.config_file or own.config_file,
        keep_images=options.keep_images or own.keep_images,
        mapping=mapping.merge(own.mapping, options.mapping),
    )


def _tell(found: Preflight, report: Report, progress: Progress) -> None:
    """Say what the preflight decided."""
    report.taken, report.warnings = list(found.taken), list(found.warnings)
    for line in found.taken:
        progress.note(f"taken: {line}")
    for line in found.warnings:
        progress.note(f"warning: {line}")


def _require(found: Preflight, rules: MappingRules, directory: Path) -> None:
    """Raises TargetFaults, after writing a proposal."""
    if not found.proposals:
        found.require()
        return
    path = _propose(found.proposal(rules), directory)
    found.require(_complete(path))


def _complete(path: Path) -> str:
    return f"complete {path} and add --map {path}"


def _write_new(path: Path, text: str) -> None:
    """Raises LocalError, also when ``path`` exists: it may hold a person's work."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as exc:
        raise LocalError(
            "the file exists already", where=str(path), remedy="name another one, or remove it"
        ) from exc
    except OSError as exc:
        raise LocalError(f"cannot write: {exc.strerror}", where=str(path)) from exc


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
    report: Report,
    progress: Progress,
) -> None:
    own = replace(_absolute(settings, cloud), manifest_sha256=opened.bundle.manifest_sha256)
    files = {**opened.playbook, "settings.yml": data_file(own)}
    if data != opened.data():
        files["resources.yml"] = data_file(data)
    if options.jobs is not None:
        files["inventory.ini"] = inventory(opened.playbook["inventory.ini"], options.jobs)
    with Watcher(data, opened.bundle.manifest, progress) as watcher:
        try:
            result = run_playbook(
                files,
                log=Path(settings.state or "") / LOG,
                environment=_cloud_files(cloud),
                check=options.check,
                forks=options.jobs,
                tags=options.tags,
                on_event=watcher.on_event,
                lock=lock,
            )
        finally:
            report.counts, report.sent = watcher.states, watcher.sent
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


def inventory(text: bytes, jobs: int) -> bytes:
    """The playbook's inventory with ``jobs`` lanes, each of which uploads one disk at a time."""
    lines = [line for line in text.splitlines() if not re.fullmatch(rb"lane\d+", line)]
    place = lines.index(b"[lanes]") + 1
    lines[place:place] = [b"lane%d" % number for number in range(1, jobs + 1)]
    return b"\n".join(lines) + b"\n"


def _absolute(settings: Settings, cloud: TargetCloud) -> Settings:
    """The playbook runs in another directory: the clouds.yaml found here is named by path."""
    path = cloud.config_file
    return replace(settings, config_file=str(Path(path).resolve()) if path else None)


def _cloud_files(cloud: TargetCloud) -> dict[str, str]:
    secure = cloud.secure_file
    return {"OS_CLIENT_SECURE_FILE": str(Path(secure).resolve())} if secure else {}


def prove(
    settings: Settings,
    data: PlaybookData,
    cloud: TargetCloud,
    progress: Progress,
    tags: Sequence[str] = (),
) -> None:
    """Read every resource back, that the steps ``tags`` finish, and compare it with the records.

    Raises ResultFaults with every difference.
    """
    context = session.open_context(settings, cloud)
    faults = []
    resources = [record for record in data.resources if steps.finish(tags, record.type)]
    with progress.task("check", len(resources), "resources") as task:
        known = listed(context, resources)
        for record in resources:
            if record.ref not in context.targets:
                where = f"{record.type.replace('_', ' ')} {record.name!r}"
                if found := differences(context, record, known):
                    faults.append(ResultError("; ".join(found), where=where))
            task.advance(1)
    if faults:
        raise ResultFaults(
            "not all that stands on the target is as this import's records say",
            faults,
            remedy="what stood already is not changed by an edit or another mapping",
        )
