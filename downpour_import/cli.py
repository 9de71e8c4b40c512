"""The commands of ``downpour-import``: their arguments become options, their results lines."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundle_spec.cli import commands
from bundle_spec.cli.arguments import Arguments
from bundle_spec.cli.console import TerminalProgress, agreed, human_bytes, tell, tell_as_it_is
from bundle_spec.cli.dispatch import Action, dispatch
from bundle_spec.errors import UsageError
from bundle_spec.model.playbook import MappingRules
from bundle_spec.text import as_word, printable
from bundle_spec.trust import age
from bundle_spec.trust.provenance import Candidate
from downpour_cloud import CloudOptions, variables_for_elsewhere
from downpour_import import pipeline, undo
from downpour_import.cloud import connect
from downpour_import.options import ImportOptions
from downpour_import.preflight import mapping, proposal
from downpour_import.run import steps
from downpour_import.run.report import Report, Reported
from downpour_import.source import select, unpack
from downpour_import.source.decrypted import Keys, in_clear, require_named
from downpour_import.source.opening import admit, open_source
from downpour_import.usage import PROGRAM

MAX_JOBS = 32


def options_of(arguments: Arguments, candidate: Candidate) -> ImportOptions:
    """The options of an import, a plan, an undo or a forget.

    Raises UsageError, LocalError or MappingFaults for --map, SelectionFaults, and LocalError for
    --write-map: all that is wrong with them by themselves, whatever the bundle holds.
    """
    options = _read_options(arguments, candidate)
    select.require_form(options.only, options.skip)
    if options.write_map:
        proposal.require_new(options.write_map)
    return options


def _read_options(arguments: Arguments, candidate: Candidate) -> ImportOptions:
    return ImportOptions(
        source=candidate.files,
        trust=candidate.trust,
        cloud=CloudOptions(
            cloud=arguments["--cloud"],
            region=arguments["--region"],
            config_file=arguments["--os-client-config"],
        ),
        mapping=mapping.load(Path(arguments["--map"])) if arguments["--map"] else MappingRules(),
        state=_path(arguments["--state"]),
        uuids=_path(arguments["--uuids"]),
        write_map=_path(arguments["--write-map"]),
        check=arguments["--check"],
        edited=arguments["--edited"],
        trust_playbook=arguments["--trust-playbook"],
        only=tuple(dict.fromkeys(arguments["--only"])),
        skip=tuple(dict.fromkeys(arguments["--skip"])),
        no_start=arguments["--no-start"],
        keep_images=arguments["--keep-images"],
        jobs=_jobs(arguments["--jobs"]),
        json=arguments["--json"],
        same_project=arguments["--same-project"],
        tags=steps.parse(arguments["--tags"]) if arguments["--tags"] else (),
    )


def _jobs(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_JOBS:
        raise UsageError(f"--jobs {text} is no number from 1 to {MAX_JOBS}")
    return int(text)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command: the exit code."""
    actions: dict[str, Action] = {
        "import": functools.partial(_with_options, _import),
        "plan": functools.partial(_with_options, _plan),
        "show": functools.partial(_in_clear, _show),
        "verify": functools.partial(_in_clear, _verify),
        "unpack": _unpack,
        "undo": functools.partial(_with_options, _undo),
        "forget": functools.partial(_with_options, _forget),
    }
    return dispatch(PROGRAM, actions, argv, interrupted="run the same command again to go on")


ImportAction = Callable[[Arguments, ImportOptions, TerminalProgress], None]
BundleAction = Callable[[Arguments, Candidate, TerminalProgress], None]


def _with_options(action: ImportAction, arguments: Arguments, progress: TerminalProgress) -> None:
    """Run ``action`` with the options of an import, whose bundle is in clear."""
    options = options_of(arguments, commands.candidate_of(arguments, "SOURCE"))
    if age.is_encrypted(options.source):
        require_named(options.source, keys_of(arguments))
        # A wrong password is told now: to decrypt the bundle may take an hour.
        connect(options.cloud, progress.say)
    with in_clear(options.source, keys_of(arguments), progress) as clear:
        action(arguments, replace(options, source=clear), progress)


def _in_clear(action: BundleAction, arguments: Arguments, progress: TerminalProgress) -> None:
    """Run ``action``; on a decrypted copy of the bundle if that is encrypted."""
    candidate = commands.candidate_of(arguments)
    with in_clear(candidate.files, keys_of(arguments), progress) as clear:
        action(arguments, replace(candidate, files=clear), progress)


def _verify(arguments: Arguments, candidate: Candidate, progress: TerminalProgress) -> None:
    commands.verify(commands.verify_options_of(arguments, candidate), progress)


def _show(arguments: Arguments, candidate: Candidate, progress: TerminalProgress) -> None:
    commands.show(commands.show_options_of(arguments, candidate))


def keys_of(arguments: Arguments) -> Keys:
    """The key of an encrypted bundle, and the directory for its decrypted copy."""
    return Keys(
        identity=_path(arguments["--identity"]),
        passphrase_file=_path(arguments["--passphrase-file"]),
        place=_path(arguments["--decrypt-to"]),
    )


def _unpack(arguments: Arguments, progress: TerminalProgress) -> None:
    candidate, directory = commands.candidate_of(arguments), Path(arguments["DIR"])
    commands.refuse_directory(candidate.files.path)
    if age.is_encrypted(candidate.files):
        raise UsageError(
            f"{candidate.files.path} is encrypted, and what unpack makes needs the bundle in clear "
            "beside it",
            remedy="age -d -i IDENTITY -o CLEAR BUNDLE makes it, then unpack that",
        )
    admitted = admit(candidate, progress)
    opened = open_source(admitted, progress, trust_playbook=arguments["--trust-playbook"])
    unpack.unpack(opened, directory)
    folder = shlex.quote(str(directory / "playbook"))
    # In that directory another clouds.yaml would be found, or none.
    variables = "".join(
        f"{name}={shlex.quote(value or 'NAME')} "
        for name, value in variables_for_elsewhere().items()
    )
    tell_as_it_is(f"cd {folder} && {variables}ansible-playbook -i inventory.ini site.yml")


def _plan(arguments: Arguments, options: ImportOptions, progress: TerminalProgress) -> None:
    report = Report("plan")
    with _printed(report, options.json):
        pipeline.plan_import(options, report, progress)
    if not options.json:
        for resource in report.resources:
            what, new = _named(resource), as_word(resource.new or "nothing")
            match resource.state:
                case "planned":
                    tell(f"make: {what}")
                case "mapped" | "reused":
                    tell(f"use: {what} -> {new}")
                case _:
                    tell(f"stands: {what} -> {new}")
        tell(f"{_summary(report.counts)}; nothing was written to the cloud")
        if options.write_map:
            tell(f"{printable(str(options.write_map))}: the whole mapping, to be read and changed")


def _named(resource: Reported) -> str:
    """Its type, name and ID; most ports have no name."""
    kind, name, old = resource.type.replace("_", " "), resource.name, resource.old
    return f"{kind} {name!r} ({as_word(old)})" if name else f"{kind} {as_word(old)}"


@contextmanager
def _printed(report: Report, json: bool) -> Iterator[None]:
    """Print the report at the end, also of a run that failed."""
    try:
        yield
    finally:
        if json:
            tell_as_it_is(report.dumps())


def _undo(arguments: Arguments, options: ImportOptions, progress: TerminalProgress) -> None:
    with undo.opened(options, progress) as (context, edited):
        objects = undo.find(context, progress, edited)
        count = _print_objects(objects, "delete")
        cloud = context.cloud
        place = f"project {cloud.project} at {as_word(cloud.auth_url)}"
        if not count:
            tell("nothing that this import made is left")
        elif arguments["--yes"] or agreed(f"Delete these {count} from {place} for good?"):
            undo.undo(context, objects, progress)
            tell(f"{count} deleted")
        else:
            tell("nothing was done")


def _forget(arguments: Arguments, options: ImportOptions, progress: TerminalProgress) -> None:
    with undo.opened(options, progress) as (context, edited):
        objects = undo.find(context, progress, edited)
        count = _print_objects(objects, "unmark")
        question = f"Take the marks off these {count}?  After that undo leaves them alone."
        if count and (arguments["--yes"] or agreed(question)):
            undo.forget(context, objects, progress)
            tell(f"{count} unmarked")
        else:
            tell("nothing was done")


def _print_objects(objects: Sequence[undo.MadeObject], verb: str) -> int:
    """Print a line for each object; returns how many of them are not kept."""
    for obj in objects:
        kind = obj.record.type.replace("_", " ")
        name = obj.recreator.display_name(obj.record, obj.item)
        shown = f"  {as_word(name)}" if name else ""  # most ports have none
        kept = f": {obj.kept}" if obj.kept else ""
        tell(f"{'keep' if obj.kept else verb}  {kind}  {as_word(obj.target)}{shown}{kept}")
    return sum(1 for obj in objects if not obj.kept)


def _import(arguments: Arguments, options: ImportOptions, progress: TerminalProgress) -> None:
    report = Report("import")

    def agree() -> bool:
        return bool(arguments["--yes"]) or agreed("Import what was edited?")

    with _printed(report, options.json), _told_how_to_go_back(options, report, progress):
        pipeline.import_bundle(options, report, progress, agree)
    if options.json:
        return
    state = printable(str(report.state))
    if options.check:
        tell(f"{_summary(report.counts)}; nothing was made; the log is in {state}")
    else:
        sent = f"; {human_bytes(report.sent)} of disks sent" if report.sent else ""
        refused = f", but for what was refused: {len(report.refused)}" if report.refused else ""
        for resource in report.resources:
            if resource.state == "reused":
                tell(f"reused: {_named(resource)} -> {as_word(resource.new or '')}")
        source = "the edited records say" if options.edited else "the manifest says"
        what = f"resource of {', '.join(options.tags)}" if options.tags else "resource"
        tell(f"{_summary(report.counts)}{sent}; every {what} is as {source}{refused}")
        tell(f"journal, report, log and uuids.csv are in {state}")


@contextmanager
def _told_how_to_go_back(
    options: ImportOptions, report: Report, progress: TerminalProgress
) -> Iterator[None]:
    """Say where an interrupted import keeps what it made; how to go on is said at the end."""
    try:
        yield
    except KeyboardInterrupt:
        if report.state is not None and not options.check:
            progress.say(
                f"what was made stays and is in the journal of {report.state}; "
                "downpour-import undo takes it back"
            )
        raise


def _summary(states: Mapping[str, int]) -> str:
    if set(states) <= {"unchanged", "mapped", "found"}:
        number = sum(states.values())
        stand = "the resource stands" if number == 1 else f"all {number} resources stand"
        return f"nothing to make: {stand} already"
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
