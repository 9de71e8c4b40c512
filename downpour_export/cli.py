"""downpour-export: write a tenant's servers, volumes, images and keypairs into one file.

Usage:
  downpour-export query [options] [--server-name GLOB]... [--server-flavor FLAVOR]...
                  [--server-tag TAG]... [--server-metadata KEY=VALUE]... [--network NETWORK]...
                  [--image-name GLOB]... [--volume-name GLOB]... [--keypair-name GLOB]...
                  [--all] [--no-save-state] RESOURCE_FILE
  downpour-export plan [options] [--max-temporary N] [--json] RESOURCE_FILE
  downpour-export cleanup [options] [--yes]
  downpour-export kit [options] [--python VERSION]... DIR
  downpour-export [options] [--jobs N] [--max-temporary N] [--level LEVEL] [--split SIZE]
                  [--encrypt-to RECIPIENT]... [--overwrite] [--fresh] [--with-kit]
                  [--python VERSION]... RESOURCE_FILE BUNDLE
  downpour-export (-h | --help)
  downpour-export --version

RESOURCE_FILE names what shall go; all that it depends on is found.  BUNDLE is the file to
write.  Nothing at the source is changed but temporary snapshots, volumes and images, which are
gone at the end.  A run that failed or was stopped leaves BUNDLE.partial, and the same command goes
on there: disks that are in it are not read again.

  query    Add what fits to RESOURCE_FILE, which may exist; what is in it stays as it is.  A GLOB
           fits names and IDs.  Values of one option unite, different options for servers narrow
           each other.  A volume that is attached to a server is left to that server.
  plan     Say what would go and why, what the target must have, which disks are read in which
           state, whether the quota allows it, and what cannot be carried.  Nothing is written.
  cleanup  List what killed exports left at the source, delete it, and start the servers that they
           had stopped.  Whatever does not carry downpour's mark is left alone.
  kit      Gather what a machine without internet needs to import: downpour and all its packages
           as wheels, by pip from its index here, with an installer, into DIR.

Options:
  --cloud NAME               The source cloud in clouds.yaml; else OS_CLOUD, OS_*.
  --region NAME              Its region, where it has several.
  --os-client-config FILE    A clouds.yaml in another place.
  --jobs N                   Disks that are read at once [default: 2].
  --max-temporary N          Snapshots, volumes and images that exist at once for it [default: 20].
  --level LEVEL              zstd level, fast (1) to 19 (small) [default: 3].
  --split SIZE               Write parts of SIZE, BUNDLE.001 and so on: 4G is 4,000,000,000 bytes.
  --sign KEYFILE             Sign the bundle with an SSH key, by ssh-keygen: a private one, or a
                             public one whose private half ssh-agent has.
  --encrypt-to RECIPIENT     Encrypt the bundle with age, to age1..., an SSH public key, or a file
                             of such.  Several times.  No clear byte is on the medium then, and a
                             run that stopped begins anew.
  --passphrase-file FILE     The same, to a key of its own, which is written to BUNDLE.key and
                             which the first line of FILE opens.
  --overwrite                Replace BUNDLE if it exists.
  --fresh                    Begin again, and not where an earlier run of this bundle stopped.
  --with-kit                 Put a kit beside BUNDLE, as the directory downpour-kit.
  --python VERSION           The Python of the far side, like 3.12; else the one that runs here.
  --platform PLATFORM        The far side's C library and processor, as wheels name them, like
                             manylinux_2_28_x86_64 (2_28: ldd --version); else glibc 2.28 or
                             later on a processor as it is here.
  --server-name GLOB         Servers that are called so.
  --server-flavor FLAVOR     Servers of this flavor, by name or ID.
  --server-tag TAG           Servers that have this tag.
  --server-metadata KEY=VALUE  Servers that have this metadata.
  --network NETWORK          Servers with a NIC on this network, by name or ID.
  --image-name GLOB          The project's own images that are called so.
  --volume-name GLOB         Volumes that are called so.
  --keypair-name GLOB        Keypairs that are called so.
  --all                      All servers, images, keypairs, and volumes of no server.
  --no-save-state            Carry what is added without its contents.
  --json                     Print the plan for programs.
  --yes                      Clean up without a question.
  -q, --quiet                Only warnings and errors.
  -h, --help                 Show this.
  --version                  Show the version.

Exit codes: 0 done, 2 usage, 3 correct the resource file, 6 the cloud cannot be used, 7 the source
failed, 12 a local file, 13 no kit could be made, 14 encryption, 130 interrupted.  Progress goes to
stderr; stdout says what was written.
"""

from __future__ import annotations

import json
import os.path
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bundle_spec.cli.commands import part_size
from bundle_spec.cli.console import TerminalProgress, agreed, human_bytes, parse, run
from bundle_spec.errors import UsageError
from bundle_spec.form import digest
from bundle_spec.read.parts import bundle_name, read_list
from bundle_spec.text import printable
from downpour_cloud import CloudOptions
from downpour_export import cleanup
from downpour_export.cloud import connect
from downpour_export.kit import Kit, KitOptions, make_kit, this_python, usual_platform
from downpour_export.options import ExportOptions
from downpour_export.pipeline import Exported, export, look_for, plan_export
from downpour_export.plan import view
from downpour_export.resource_file.query import Query

COMMANDS = ("query", "plan", "cleanup", "kit")


def options_of(arguments: dict[str, Any]) -> ExportOptions:
    """The options of an export.  Raises UsageError."""
    _refuse_lone_command(arguments["RESOURCE_FILE"])
    return ExportOptions(
        resource_file=Path(arguments["RESOURCE_FILE"]),
        bundle=Path(arguments["BUNDLE"]),
        cloud=cloud_of(arguments),
        level=1 if arguments["--level"] == "fast" else _number(arguments, "--level", 1, 19),
        jobs=_number(arguments, "--jobs", 1, 16),
        max_temporary=_number(arguments, "--max-temporary", 3, 1000),
        overwrite=arguments["--overwrite"],
        part_size=part_size(arguments["--split"]) if arguments["--split"] else None,
        resume=not arguments["--fresh"],
        sign=Path(arguments["--sign"]) if arguments["--sign"] else None,
        encrypt_to=tuple(dict.fromkeys(arguments["--encrypt-to"])),
        passphrase_file=(
            Path(arguments["--passphrase-file"]) if arguments["--passphrase-file"] else None
        ),
    )


def cloud_of(arguments: dict[str, Any]) -> CloudOptions:
    """Which cloud is the source."""
    return CloudOptions(
        cloud=arguments["--cloud"],
        region=arguments["--region"],
        config_file=arguments["--os-client-config"],
    )


def kit_of(arguments: dict[str, Any], directory: Path) -> KitOptions:
    """The options of a kit in ``directory``."""
    return KitOptions(
        directory=directory,
        pythons=tuple(dict.fromkeys(arguments["--python"])) or (this_python(),),
        platform=arguments["--platform"] or usual_platform(),
    )


def _refuse_lone_command(resource_file: str) -> None:
    """``downpour-export cleanup x`` fits the pattern of an export of a file so called."""
    if resource_file in COMMANDS and not os.path.exists(resource_file):
        raise UsageError(
            f"{resource_file} is a command, and these are not its arguments", remedy="see --help"
        )


def _number(arguments: dict[str, str], option: str, least: int, most: int) -> int:
    text = arguments[option]
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise UsageError(f"{option} takes a number from {least} to {most}, not {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """The console script: the exit code."""

    def work() -> None:
        arguments = parse(__doc__ or "", argv)
        progress = TerminalProgress(arguments["--quiet"])
        if arguments["query"]:
            _query(arguments, progress)
        elif arguments["plan"]:
            _plan(arguments, progress)
        elif arguments["cleanup"]:
            _clean_up(cloud_of(arguments), arguments["--yes"], progress)
        elif arguments["kit"]:
            _tell_kit(make_kit(kit_of(arguments, Path(arguments["DIR"])), progress))
        else:
            options = options_of(arguments)
            if arguments["--with-kit"]:
                # First, because it soon tells whether pip reaches its index.
                beside = options.bundle.parent / "downpour-kit"
                _tell_kit(make_kit(kit_of(arguments, beside), progress))
            _tell(export(options, progress, connect), options, progress)

    return run(work, TerminalProgress(), interrupted="run the same command again to go on")


def query_of(arguments: dict[str, Any]) -> Query:
    """What to look for.  Raises UsageError."""

    def several(option: str) -> tuple[str, ...]:
        # docopt-ng tells a repeated value once more for every pattern that it tried before.
        return tuple(dict.fromkeys(arguments[option]))

    pairs = [text.partition("=") for text in several("--server-metadata")]
    for key, equals, value in pairs:
        if not equals:
            raise UsageError(f"--server-metadata takes KEY=VALUE, not {key + value!r}")
    wanted = Query(
        server_names=several("--server-name"),
        flavors=several("--server-flavor"),
        tags=several("--server-tag"),
        metadata=tuple((key, value) for key, _, value in pairs),
        networks=several("--network"),
        image_names=several("--image-name"),
        volume_names=several("--volume-name"),
        keypair_names=several("--keypair-name"),
        everything=arguments["--all"],
    )
    if wanted == Query():
        raise UsageError("query needs something to look for", remedy="say --all for everything")
    return wanted


def _query(arguments: dict[str, Any], progress: TerminalProgress) -> None:
    wanted = query_of(arguments)
    added, there = look_for(
        wanted,
        Path(arguments["RESOURCE_FILE"]),
        cloud_of(arguments),
        save_state=not arguments["--no-save-state"],
        progress=progress,
        connect=connect,
    )
    for match in added:
        record = match.record
        shown = record.id if record.id == record.name else f"{record.name} ({record.id})"
        print(f"added {record.type.replace('_', ' ')} {printable(shown)}")
    if there:
        print(f"{there} {'was' if there == 1 else 'were'} there already")


def _plan(arguments: dict[str, Any], progress: TerminalProgress) -> None:
    limit = _number(arguments, "--max-temporary", 3, 1000)
    plan, room = plan_export(
        Path(arguments["RESOURCE_FILE"]), cloud_of(arguments), progress, connect
    )
    if arguments["--json"]:
        print(json.dumps(view.as_json(plan, room), ensure_ascii=False, indent=1))
    else:
        print(view.as_text(plan, room, limit))


def _clean_up(options: CloudOptions, yes: bool, progress: TerminalProgress) -> None:
    cloud = connect(options, progress.note)
    found = cleanup.find(cloud)
    for server in found.servers:
        print(f"start   server    {server.id}  {printable(server.name)}")
    for each in found.objects:
        print(f"delete  {each.kind:8}  {each.id}  {printable(each.name)}  of {each.created} UTC")
    if not found:
        print("nothing of downpour is left at the source")
        return
    question = "An export that still runs needs these things.  Clean up?"
    if not yes and not agreed(question):
        print("nothing was done")
        return
    cleanup.clean_up(cloud, found, progress)


def _tell_kit(kit: Kit) -> None:
    state = "is there, whole and for the same" if not kit.made else "written"
    print(
        f"{kit.directory}: a kit of {kit.wheels} wheels, {human_bytes(kit.size)}; {state}\n"
        f"SHA256SUMS sha256 {digest.spoken(kit.sums_sha256)}"
    )


def _tell(exported: Exported, options: ExportOptions, progress: TerminalProgress) -> None:
    bundle = exported.bundle
    manifest = bundle.manifest
    for line in view.omission_lines(manifest.omissions):
        progress.note(f"not carried: {line}")
    resources = sum(1 for _ in manifest.resources)
    raw = sum(disk.size for disk in manifest.disks)
    parts = ""
    if options.part_size:
        parts = f", {len(read_list(bundle_name(bundle.path)))} parts"
    print(
        f"{bundle.path}: {resources} resources, {len(manifest.disks)} disks, "
        f"{human_bytes(raw)} in {human_bytes(bundle.size)}{parts}\n"
        f"manifest sha256 {digest.spoken(bundle.manifest_sha256)}"
    )
    if options.sign:
        print(f"signed with {options.sign}")
    if exported.key:
        print(f"{exported.key}: the key that decrypts it, once the passphrase has opened it")


if __name__ == "__main__":
    sys.exit(main())
