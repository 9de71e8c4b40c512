"""downpour-import: make a downpour bundle true in another OpenStack cloud.

Usage:
  downpour-import verify [options] [--read-data | --quick] [--parts DIR]... [--json] [-q] BUNDLE
  downpour-import show [options] [--parts DIR]... [--json] BUNDLE
  downpour-import plan [options] [--only WHAT]... [--skip WHAT]... [--parts DIR]... [--json] [-q]
                       SOURCE
  downpour-import unpack [options] [--parts DIR]... [-q] BUNDLE DIR
  downpour-import undo [options] [--parts DIR]... [-q] SOURCE
  downpour-import forget [options] [--parts DIR]... [-q] SOURCE
  downpour-import [options] [--only WHAT]... [--skip WHAT]... [--parts DIR]... [--json] [-q] SOURCE
  downpour-import (-h | --help)
  downpour-import --version

SOURCE is a bundle, or a directory that `unpack` made of one.  It is verified, the target is
looked at, and everything that it lacks is said before anything is written.  The same command
again goes on where a run stopped, and makes nothing twice.  A bundle that was split is named as
if it were whole, or by one of its parts or the list of them; nothing needs to be joined.

  verify   Check every byte of a bundle.  --read-data: also decompress every disk and check its
           digest.  --quick: check all but the bytes of the disks, which is no verification.
  show     Say what a bundle holds, at once at any size.  It checks nothing but both ends.
  plan     Verify, look at the target, say what stands for what, and stop.
  unpack   Write playbook and manifest to DIR, to be read, edited, and run by hand.
  undo     List what this import made and what still bears its marks, and delete it, the last
           first.  What stood already, or serves instead, stays.
  forget   List the same and take the marks off, when the move is over.

Options:
  --cloud NAME               The target cloud in clouds.yaml; else OS_CLOUD, OS_*.
  --region NAME              Its region, where it has several.
  --os-client-config FILE    A clouds.yaml in another place.
  --map FILE                 What stands for what on the target (mapping.yml).
  --write-map FILE           With plan: write the whole mapping, proposed and explained, to FILE.
  --state DIR                Where journal, uuids.csv and log are kept; else ./BUNDLE.CLOUD, or
                             DIR/state for a directory.
  --same-project             Import into the very project that the bundle came from.
  --uuids FILE               Also write uuids.csv here.
  --only WHAT                Import only this, and what belongs to it: TYPE/NAME, as server/web1 or
                             volume/data-*; NAME is a name, an ID or a glob.  Several times.
  --skip WHAT                Leave this out.  Several times.
  --tags TAGS                Run only these steps, with commas between: keypairs, security_groups,
                             networks, subnets, routers, ports, images, volumes, volume_snapshots,
                             server_groups, servers, floating_ips.
  --no-start                 Leave all servers stopped.
  --keep-images              Keep the images that were only uploaded to fill volumes.
  --jobs N                   Disks that are uploaded at once; else 2, as the playbook says.
  --expect-digest HEX        Import only the bundle whose manifest has this SHA-256, as the export
                             printed it; in groups or not.
  --allowed-signers FILE     Whose signature is accepted, as ssh-keygen(1) describes it; what
                             somebody else signed is refused.
  --revoked-signers FILE     Keys that are not, though FILE above has them.
  --require-signature        Refuse a bundle that is not signed, too.
  --identity FILE            What decrypts an encrypted bundle: a key file of age, or an SSH private
                             key.
  --passphrase-file FILE     Its first line opens the key file, if a passphrase does.
  --decrypt-to DIR           Where an encrypted bundle may lie in clear until the command has ended.
  --yes                      Undo, forget, or import what was edited without a question.
  --check                    Run the playbook in Ansible's check mode: nothing is made.
  --edited                   Import a directory whose resources.yml was edited.
  --trust-playbook           Run site.yml and tasks even if they are not the ones shipped here.
  --parts DIR                Where else parts of a split bundle lie; may be given several times.
  --read-data                See verify.
  --quick                    See verify.
  --json                     Print the result for programs.
  -q, --quiet                Only warnings and errors.
  -h, --help                 Show this.
  --version                  Show the version.

Whose signatures are accepted, and whether one is required, can be settled for a machine:
/etc/downpour/policy.yml, else ~/.config/downpour/policy.yml, has allowed_signers, revoked_signers
and require_signature.

Exit codes: 0 done, 2 usage, 3 correct the mapping, 4 the bundle is damaged, 5 not trusted, 6 the
cloud cannot be used, 8 the target lacks something, 9 the target failed, 10 the result differs, 11
another import's state, 12 a local file, 14 it cannot be decrypted, 20 to 25 its signature, 130
interrupted.  Progress goes to stderr; stdout has the result.
"""

from __future__ import annotations

import os.path
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bundle_spec.cli import commands
from bundle_spec.cli.console import TerminalProgress, agreed, human_bytes, parse, run
from bundle_spec.errors import UsageError
from bundle_spec.model.playbook import MappingRules
from bundle_spec.text import printable
from bundle_spec.trust.provenance import Trust
from downpour_cloud import CloudOptions
from downpour_import import pipeline, undo
from downpour_import.options import ImportOptions
from downpour_import.preflight import mapping
from downpour_import.run import steps
from downpour_import.run.report import Report, Reported
from downpour_import.source import policy, unpack
from downpour_import.source.decrypted import Keys, in_clear, is_encrypted
from downpour_import.source.opening import open_source

COMMANDS = ("verify", "show", "plan", "unpack", "undo", "forget")
MAX_JOBS = 32


def options_of(arguments: dict[str, Any]) -> ImportOptions:
    """The options of an import or a plan.  Raises UsageError, and LocalError or
    MappingFaults for --map."""
    _refuse_lone_command(arguments["SOURCE"])
    if arguments["--write-map"] and not arguments["plan"]:
        raise UsageError("--write-map goes with plan", remedy="see --help")
    return ImportOptions(
        source=Path(arguments["SOURCE"]),
        cloud=CloudOptions(
            cloud=arguments["--cloud"],
            region=arguments["--region"],
            config_file=arguments["--os-client-config"],
        ),
        parts=_paths(arguments["--parts"]),
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
        trust=_trust(arguments),
        same_project=arguments["--same-project"],
        tags=steps.parse(arguments["--tags"]) if arguments["--tags"] else (),
    )


def verify_options_of(arguments: dict[str, Any]) -> commands.VerifyOptions:
    """The options of a check."""
    return commands.VerifyOptions(
        path=Path(arguments["BUNDLE"]),
        folders=_paths(arguments["--parts"]),
        level=commands.level_of(read_data=arguments["--read-data"], quick=arguments["--quick"]),
        json=arguments["--json"],
        trust=_trust(arguments),
    )


def show_options_of(arguments: dict[str, Any]) -> commands.ShowOptions:
    """The options of ``show``."""
    return commands.ShowOptions(
        path=Path(arguments["BUNDLE"]),
        folders=_paths(arguments["--parts"]),
        json=arguments["--json"],
        trust=_trust(arguments),
    )


def _jobs(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_JOBS:
        raise UsageError(f"--jobs {text} is no number from 1 to {MAX_JOBS}")
    return int(text)


def _trust(arguments: dict[str, Any]) -> Trust:
    """What the command line says, and where it is silent the policy of this machine.

    The command line can ask for a signature, and never do without one that the policy asks for.
    """
    said = policy.load()
    return commands.trust_of(
        expect=arguments["--expect-digest"],
        allowed=arguments["--allowed-signers"] or said.allowed_signers,
        revoked=arguments["--revoked-signers"] or said.revoked_signers,
        required=arguments["--require-signature"] or said.require_signature,
    )


def _refuse_lone_command(source: str) -> None:
    """``downpour-import verify`` alone fits the pattern of an import of a file so called."""
    if source in COMMANDS and not os.path.exists(source):
        raise UsageError(f"{source} needs a bundle", remedy="see --help")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _paths(texts: Sequence[str]) -> tuple[Path, ...]:
    # docopt-ng tells a repeated value once more for every pattern that it tried before.
    return tuple(map(Path, dict.fromkeys(texts)))


def main(argv: Sequence[str] | None = None) -> int:
    """The console script: the exit code."""
    progress = TerminalProgress()

    def work() -> None:
        arguments = parse(__doc__ or "", argv)
        shown = TerminalProgress(arguments["--quiet"])
        if arguments["unpack"]:
            _unpack(arguments, shown)
            return
        name = "BUNDLE" if arguments["BUNDLE"] else "SOURCE"
        parts = _paths(arguments["--parts"])
        with in_clear(Path(arguments[name]), parts, keys_of(arguments), shown) as (clear, folders):
            _run({**arguments, name: str(clear), "--parts": list(map(str, folders))}, shown)

    return run(work, progress, interrupted="run the same command again to go on")


def _run(arguments: dict[str, Any], progress: TerminalProgress) -> None:
    """A command on a bundle in clear."""
    if arguments["verify"]:
        commands.verify(verify_options_of(arguments), progress)
    elif arguments["show"]:
        commands.show(show_options_of(arguments))
    elif arguments["plan"]:
        _plan(options_of(arguments), progress)
    elif arguments["undo"]:
        _undo(options_of(arguments), arguments["--yes"], progress)
    elif arguments["forget"]:
        _forget(options_of(arguments), arguments["--yes"], progress)
    else:
        _import(options_of(arguments), arguments["--yes"], progress)


def keys_of(arguments: dict[str, Any]) -> Keys:
    """What decrypts an encrypted bundle, and where it may lie in clear."""
    return Keys(
        identity=_path(arguments["--identity"]),
        passphrase_file=_path(arguments["--passphrase-file"]),
        place=_path(arguments["--decrypt-to"]),
    )


def _unpack(arguments: dict[str, Any], progress: TerminalProgress) -> None:
    path, directory = Path(arguments["BUNDLE"]), Path(arguments["DIR"])
    parts = _paths(arguments["--parts"])
    if is_encrypted(path, parts):
        raise UsageError(
            f"{path} is encrypted, and what unpack makes needs the bundle in clear beside it",
            remedy="age -d -i IDENTITY -o CLEAR BUNDLE makes it, then unpack that",
        )
    bundle = open_source(path, progress, parts, trust=_trust(arguments))
    unpack.unpack(bundle, directory)
    folder = shlex.quote(str(directory / "playbook"))
    print(f"cd {folder} && ansible-playbook -i inventory.ini site.yml")


def _plan(options: ImportOptions, progress: TerminalProgress) -> None:
    report = Report("plan")
    with _printed(report, options.json):
        pipeline.plan_import(options, report, progress)
    if not options.json:
        for each in report.resources:
            what = _named(each)
            match each.state:
                case "planned":
                    print(f"make: {what}")
                case "mapped" | "reused":
                    print(f"use: {what} -> {each.new}")
                case _:
                    print(f"stands: {what} -> {each.new}")
        print(f"{_count(report.counts)}; nothing was written to the cloud")
        if options.write_map:
            print(f"{options.write_map}: the whole mapping, to be read and changed")


def _named(each: Reported) -> str:
    return f"{each.type.replace('_', ' ')} {each.name!r} ({each.old})"


@contextmanager
def _printed(report: Report, json: bool) -> Iterator[None]:
    """Print the report at the end, also of a run that failed."""
    try:
        yield
    finally:
        if json:
            print(report.dumps())


def _undo(options: ImportOptions, yes: bool, progress: TerminalProgress) -> None:
    with undo.opened(options, progress) as (context, edited):
        things = undo.find(context, progress, edited)
        taken = _list(things, "delete")
        if not taken:
            print("nothing that this import made is left")
        elif yes or agreed(f"Delete these {taken} for good?"):
            undo.undo(context, things, progress)
            print(f"{taken} deleted")
        else:
            print("nothing was done")


def _forget(options: ImportOptions, yes: bool, progress: TerminalProgress) -> None:
    with undo.opened(options, progress) as (context, edited):
        things = undo.find(context, progress, edited)
        taken = _list(things, "unmark")
        question = f"Take the marks off these {taken}?  After that undo leaves them alone."
        if taken and (yes or agreed(question)):
            undo.forget(context, things, progress)
            print(f"{taken} unmarked")
        else:
            print("nothing was done")


def _list(things: Sequence[undo.MadeObject], what: str) -> int:
    """Print them all; how many are not kept."""
    for thing in things:
        kind = thing.record.type.replace("_", " ")
        name = printable(thing.kind.shown(thing.record, thing.item))
        kept = f": {thing.kept}" if thing.kept else ""
        print(f"{'keep' if thing.kept else what}  {kind}  {thing.target}  {name}{kept}")
    return sum(1 for thing in things if not thing.kept)


def _import(options: ImportOptions, yes: bool, progress: TerminalProgress) -> None:
    report = Report("import")
    with _printed(report, options.json):
        pipeline.import_bundle(
            options, report, progress, lambda: yes or agreed("Import what was edited?")
        )
    if options.json:
        return
    if options.check:
        print(f"{_count(report.counts)}; nothing was made; the log is in {report.state}")
    else:
        sent = f"; {human_bytes(report.sent)} of disks sent" if report.sent else ""
        but = f", but for what was refused: {len(report.refused)}" if report.refused else ""
        for each in report.resources:
            if each.state == "reused":
                print(f"reused: {_named(each)} -> {each.new}")
        says = "the edited records say" if options.edited else "the manifest says"
        what = f"resource of {', '.join(options.tags)}" if options.tags else "resource"
        print(f"{_count(report.counts)}{sent}; every {what} is as {says}{but}")
        print(f"journal, report, log and uuids.csv are in {report.state}")


def _count(states: Mapping[str, int]) -> str:
    if set(states) <= {"unchanged", "mapped", "found"}:
        return f"nothing to make: all {sum(states.values())} resources stand already"
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))


if __name__ == "__main__":
    sys.exit(main())
