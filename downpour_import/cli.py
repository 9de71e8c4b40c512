"""downpour-import: make a downpour bundle true in another OpenStack cloud.

Usage:
  downpour-import verify [--read-data | --quick] [--json] [--parts DIR]... [-q] BUNDLE
  downpour-import show [--json] [--parts DIR]... BUNDLE
  downpour-import plan [options] [--parts DIR]... [-q] SOURCE
  downpour-import unpack [--parts DIR]... [-q] BUNDLE DIR
  downpour-import [options] [--parts DIR]... [-q] SOURCE
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

Options:
  --cloud NAME               The target cloud in clouds.yaml; else OS_CLOUD, OS_*.
  --region NAME              Its region, where it has several.
  --os-client-config FILE    A clouds.yaml in another place.
  --map FILE                 What stands for what on the target (mapping.yml).
  --state DIR                Where journal, uuids.csv and log are kept; else ./BUNDLE.CLOUD, or
                             DIR/state for a directory.
  --uuids FILE               Also write uuids.csv here.
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

Exit codes: 0 done, 2 usage, 3 correct the mapping, 4 the bundle is damaged, 5 not trusted, 6 the
cloud cannot be used, 8 the target lacks something, 9 the target failed, 10 the result differs, 11
another import's state, 12 a local file, 130 interrupted.  Progress goes to stderr; stdout has the
result.
"""

from __future__ import annotations

import os.path
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bundle_spec import commands
from bundle_spec.console import TerminalProgress, parse, run
from bundle_spec.errors import UsageError
from bundle_spec.model.playbook import MappingRules
from downpour_import import mapping, pipeline, unpack
from downpour_import.cloud import CloudOptions
from downpour_import.opening import open_source
from downpour_import.options import ImportOptions


def options_of(arguments: dict[str, Any]) -> ImportOptions:
    """The options of an import or a plan.  Raises UsageError, and LocalError or
    MappingFaults for --map."""
    _refuse_lone_command(arguments["SOURCE"])
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
        check=arguments["--check"],
        edited=arguments["--edited"],
        trust_playbook=arguments["--trust-playbook"],
    )


def verify_options_of(arguments: dict[str, Any]) -> commands.VerifyOptions:
    """The options of a check."""
    return commands.VerifyOptions(
        path=Path(arguments["BUNDLE"]),
        folders=_paths(arguments["--parts"]),
        level=commands.level_of(read_data=arguments["--read-data"], quick=arguments["--quick"]),
        json=arguments["--json"],
    )


def show_options_of(arguments: dict[str, Any]) -> commands.ShowOptions:
    """The options of ``show``."""
    return commands.ShowOptions(
        path=Path(arguments["BUNDLE"]),
        folders=_paths(arguments["--parts"]),
        json=arguments["--json"],
    )


def _refuse_lone_command(source: str) -> None:
    """``downpour-import verify`` alone fits the pattern of an import of a file so called."""
    if source in ("verify", "show", "plan", "unpack") and not os.path.exists(source):
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
        if arguments["verify"]:
            commands.verify(verify_options_of(arguments), shown)
        elif arguments["show"]:
            commands.show(show_options_of(arguments))
        elif arguments["unpack"]:
            _unpack(arguments, shown)
        elif arguments["plan"]:
            _plan(options_of(arguments), shown)
        else:
            _import(options_of(arguments), shown)

    return run(work, progress, interrupted="run the same command again to go on")


def _unpack(arguments: dict[str, Any], progress: TerminalProgress) -> None:
    directory = Path(arguments["DIR"])
    bundle = open_source(Path(arguments["BUNDLE"]), progress, _paths(arguments["--parts"]))
    unpack.unpack(bundle, directory)
    folder = shlex.quote(str(directory / "playbook"))
    print(f"cd {folder} && ansible-playbook -i inventory.ini site.yml")


def _plan(options: ImportOptions, progress: TerminalProgress) -> None:
    for record, outcome in pipeline.plan_import(options, progress):
        what = f"{record.type.replace('_', ' ')} {record.name!r} ({record.id})"
        match outcome.state:
            case "planned":
                print(f"make: {what}")
            case "mapped" | "reused":
                print(f"use: {what} -> {outcome.target}")
            case _:
                print(f"stands: {what} -> {outcome.target}")


def _import(options: ImportOptions, progress: TerminalProgress) -> None:
    done = pipeline.import_bundle(options, progress)
    if options.check:
        print(f"{_count(done.states)}; nothing was made; the log is in {done.state}")
    else:
        print(f"{_count(done.states)}; journal, log and uuids.csv are in {done.state}")


def _count(states: dict[str, int]) -> str:
    if set(states) <= {"unchanged", "mapped", "found"}:
        return f"nothing to make: all {sum(states.values())} resources stand already"
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))


if __name__ == "__main__":
    sys.exit(main())
