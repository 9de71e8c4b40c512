"""The order of an import: bundle -> verify -> trust -> preflight -> playbook run -> proof."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bundle_spec.errors import DownpourError, TrustError
from bundle_spec.model import Resource, Subnet, Volume
from bundle_spec.model.playbook import PlaybookData, Settings
from bundle_spec.progress import NULL, Progress
from downpour_cloud import find_cloud
from downpour_import import session
from downpour_import.cloud import TargetCloud, connect
from downpour_import.errors import RecreateError, RecreateFaults, ResultFaults, TargetError
from downpour_import.options import ImportOptions, effective_settings
from downpour_import.preflight import Preflight, proposal
from downpour_import.recreate import RECREATORS, Context, recreate
from downpour_import.recreate.image import disk_ref
from downpour_import.recreate.subnet import dhcp_is_open
from downpour_import.run import steps
from downpour_import.run.doubles import with_images
from downpour_import.run.files import environment_of, playbook_of
from downpour_import.run.proof import prove
from downpour_import.run.report import Report
from downpour_import.run.runner import Result, run_playbook
from downpour_import.run.watch import Watcher
from downpour_import.session import Connect
from downpour_import.source.disks import check_disks
from downpour_import.source.opening import Admitted, Opened, admit, open_source
from downpour_import.source.select import select
from downpour_import.state import directory
from downpour_import.state.failures import Failures
from downpour_import.state.journal import Journal

LOG = "ansible.log"
REPORT = "report.json"

Play = Callable[..., Result]
"""What runs a playbook: ``run_playbook``; tests hand in one without Ansible."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """What all steps of one import share.

    ``data``: the chosen part of the bundle.
    """

    options: ImportOptions
    opened: Opened
    data: PlaybookData
    settings: Settings
    cloud: TargetCloud
    report: Report
    progress: Progress

    @property
    def state(self) -> Path:
        return Path(self.settings.state or "")

    def bind(self) -> None:
        """Bind the state directory to this import.  Raises StateError, LocalError."""
        directory.bind(self.state, self.data.bundle, self.cloud, manifest_sha256=self._digest)

    def check_state(self) -> None:
        """Raises StateError where ``bind`` would.  Writes nothing."""
        directory.check(self.state, self.data.bundle, self.cloud, manifest_sha256=self._digest)

    @property
    def _digest(self) -> str:
        return self.opened.bundle.manifest_sha256


def import_bundle(
    options: ImportOptions,
    report: Report,
    progress: Progress = NULL,
    agree: Callable[[], bool] = lambda: True,
    *,
    connect: Connect = connect,
    play: Play = run_playbook,
) -> None:
    """Make what the bundle holds in the target cloud, and check it by reading it back.

    ``agree``: asked before anything is written to the cloud, if the records were edited.  Raises
    what the steps raise; ``report`` tells what was reached.  Until the preflight has passed nothing
    is written but the state directory.
    """
    with _reporting(report):
        this = _begin(options, report, progress, connect)
        this.bind()
        with directory.locked(this.state) as lock:
            report.state, report.log = this.state, this.state / LOG
            preflight = _run_preflight(this)
            _require(this, preflight)
            if options.check:
                _check(this, play, lock)
            elif this.opened.edits and not agree():
                raise TrustError("what was edited is not imported: nobody agreed to it")
            else:
                _make(this, preflight, play, lock)
        report.complete = not options.tags


def plan_import(
    options: ImportOptions, report: Report, progress: Progress = NULL, *, connect: Connect = connect
) -> None:
    """Put into ``report`` what an import would do with each resource.

    Writes only a proposal: to ``write_map``, or, if something must be mapped, to the state
    directory.  Raises TargetFaults with all that is missing, StateError (another import's state).
    """
    with _reporting(report):
        this = _begin(options, report, progress, connect)
        this.check_state()
        preflight = _run_preflight(this)
        if options.write_map:
            text = preflight.proposal(this.settings.mapping, whole=True)
            proposal.write_new(options.write_map, text)
            preflight.require(proposal.how_to_complete(options.write_map))
        if preflight.faults or directory.is_bound(this.state):
            this.bind()
        _require(this, preflight)
        context = Context(
            cloud=this.cloud,
            journal=Journal(this.state),
            targets=preflight.targets,
            bundle_uuid=this.data.bundle,
            bundle=this.opened.bundle.files,
            manifest_sha256=this.opened.bundle.manifest_sha256,
        )
        for record in this.data.resources:
            outcome = recreate(RECREATORS[record.type], context, record, check=True)
            report.resource(record, outcome.target, outcome.state)
        report.counts = Counter(resource.state for resource in report.resources)
        report.complete = True


@contextmanager
def _reporting(report: Report) -> Iterator[None]:
    """Note an error that ends the run, and write the report if the run has a state directory."""
    try:
        yield
    except DownpourError as exc:
        report.failed(exc)
        raise
    except KeyboardInterrupt:
        report.interrupted()
        raise
    finally:
        report.ended = time.monotonic()
        if report.state is not None:
            directory.write(report.state / REPORT, report.as_json())


# --- what is imported, and where ---


def _begin(options: ImportOptions, report: Report, progress: Progress, connect: Connect) -> Import:
    find_cloud(options.cloud)
    admitted = admit(options.candidate, progress)
    settings = effective_settings(options, admitted.settings)
    # A wrong password is told here, not after an hour of reading disks.  The cloud is only asked
    # for a token: the target is read and written for a bundle that is whole and trusted.
    cloud = connect(session.cloud_options(settings), progress.say)
    opened, data = open_chosen(admitted, options, progress)
    manifest = opened.bundle.manifest
    report.bundle, report.project_id = manifest.uuid, cloud.project_id
    report.auth_url = cloud.auth_url
    progress.note(f"target: {cloud.auth_url}, project {cloud.project}")
    if cloud.project_id == manifest.source.project_id and not options.same_project:
        # An environment variable of the export may still be set.
        raise TargetError(
            "this is the project that the bundle came from",
            where=cloud.auth_url,
            remedy="name the target with --cloud, or say --same-project to make copies beside "
            "the originals",
        )
    return Import(
        options=options,
        opened=opened,
        data=data,
        settings=replace(settings, manifest_sha256=opened.bundle.manifest_sha256),
        cloud=cloud,
        report=report,
        progress=progress,
    )


def open_chosen(
    admitted: Admitted, options: ImportOptions, progress: Progress
) -> tuple[Opened, PlaybookData]:
    """The verified source, with a playbook and data that may be run; the chosen part of the data.

    Raises what ``open_source`` raises, and SelectionFaults."""
    opened = open_source(
        admitted, progress, trust_playbook=options.trust_playbook, edited=options.edited
    )
    for edit in opened.edits:
        progress.say(f"edited: {edit}")
    return opened, _chosen(opened.data, options)


def _chosen(data: PlaybookData, options: ImportOptions) -> PlaybookData:
    """The part of ``data`` that the options choose.  Raises SelectionFaults."""
    data = select(data, options.only, options.skip)
    if not options.no_start:
        return data
    stopped = tuple(replace(server, power_state="stopped") for server in data.resources.servers)
    return replace(data, resources=replace(data.resources, servers=stopped))


# --- preflight ---


def _run_preflight(this: Import) -> Preflight:
    """The preflight; its decisions and warnings are reported.  Raises TrustFaults for disks that
    no cloud is sent."""
    bundle = this.opened.bundle
    preflight = session.run_preflight(
        this.settings, this.data, this.cloud, bundle.manifest.disks, bundle.manifest_sha256
    )
    this.report.taken, this.report.warnings = list(preflight.taken), list(preflight.warnings)
    for line in preflight.taken:
        this.progress.note(f"taken: {line}")
    for line in preflight.warnings:
        this.progress.say(f"warning: {line}")
    check_disks(bundle, this.data, preflight.targets)
    return preflight


def _require(this: Import, preflight: Preflight) -> None:
    """Raises TargetFaults if the target lacks something, after writing a proposed mapping."""
    if not preflight.proposals:
        preflight.require()
        return
    path = proposal.propose(preflight.proposal(this.settings.mapping), this.state)
    preflight.require(proposal.how_to_complete(path))


# --- run ---


def _make(this: Import, preflight: Preflight, play: Play, lock: int) -> None:
    Journal(this.state).write_csv()
    try:
        faults = _play(this, play, lock)
    finally:
        _report_resources(this, preflight)
    manifest, resources = this.opened.bundle.manifest, this.data.resources
    context = session.open_context(this.settings, this.cloud, tell=this.progress.say)
    try:
        prove(context, _finished(this), this.progress, with_images(manifest, resources))
    except (ResultFaults, RecreateError) as exc:
        if not faults:
            raise
        faults += exc.faults if isinstance(exc, ResultFaults) else [exc]
    _require_none(this, faults)


def _check(this: Import, play: Play, lock: int) -> None:
    _require_none(this, _play(this, play, lock))


def _play(this: Import, play: Play, lock: int) -> list[DownpourError]:
    """Run the playbook; an error for each resource that was not made.

    Raises RecreateFaults when it ended before everything was tried.
    """
    options, data, failures = this.options, this.data, Failures(this.state)
    # Whatever the playbook does: those of an earlier run are not taken for this one's.
    failures.begin(isolate=False)
    with Watcher(data, this.opened.bundle.manifest, this.progress) as watcher:
        try:
            result = play(
                playbook_of(this.opened, data, this.settings, this.cloud, options.jobs),
                log=this.state / LOG,
                environment=environment_of(this.cloud),
                check=options.check,
                forks=options.jobs,
                tags=options.tags,
                on_event=watcher.on_event,
                lock=lock,
            )
        finally:
            this.report.counts, this.report.sent = watcher.states, watcher.sent
            this.report.failures = failures.all()
    faults: list[DownpourError] = list(failures.faults())
    if result.returncode and not watcher.ended:
        texts = result.errors or (f"it ended with {result.returncode}",)
        faults += watcher.failures or [
            RecreateError(text, where="ansible-playbook") for text in texts
        ]
        _require_none(this, faults)
    return faults


def _require_none(this: Import, faults: Sequence[DownpourError]) -> None:
    """Raises RecreateFaults if there are any."""
    if faults:
        raise RecreateFaults(
            "the import is not complete; what was made stays, and is not made again",
            faults,
            remedy="run the same command again, after mending what was refused; "
            f"{this.state / LOG} has more",
        )


def _finished(this: Import) -> list[Resource]:
    """What this run, by its tags and failures, is to have made in full."""
    tags, failures, journal = this.options.tags, Failures(this.state), Journal(this.state)
    return [
        record
        for record in this.data.resources
        if steps.finishes(tags, record.type)
        and not failures.of(record.ref)
        and not (isinstance(record, Subnet) and dhcp_is_open(journal, record))
    ]


def _report_resources(this: Import, preflight: Preflight) -> None:
    """Put what stands now into the report, wherever the run ended."""
    report, uuids, journal = this.report, this.options.uuids, Journal(this.state)
    journal.write_csv()
    if uuids:
        journal.write_csv(uuids)
    report.uuids = uuids or journal.csv_path
    failures = Failures(this.state)
    for record in this.data.resources:
        entry, target = journal.entry(record.ref), journal.target(record.ref)
        report.refused += [
            {"type": record.type, "name": record.name, "old": record.id, "attribute": attribute}
            | {"message": message}
            for attribute, message in journal.refused(record.ref).items()
        ]
        if record.ref in preflight.targets:
            report.resource(record, preflight.targets[record.ref], "mapped")
        elif entry is None or target is None:
            # The image that is to fill a volume is made, and takes its bytes, before the volume.
            begun = isinstance(record, Volume) and journal.target(disk_ref(record)) is not None
            report.resource(record, None, "begun" if begun else "missing")
        elif entry.event != "done" or failures.of(record.ref):
            report.resource(record, target, "begun")
        else:
            report.resource(record, target, "made" if entry.made else "reused")
