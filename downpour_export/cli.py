"""``downpour-export``: its commands, from their arguments to their output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bundle_spec.cli.arguments import Arguments
from bundle_spec.cli.commands import part_size
from bundle_spec.cli.console import TerminalProgress, agreed, human_bytes, tell, tell_as_it_is
from bundle_spec.cli.dispatch import dispatch
from bundle_spec.errors import UsageError
from bundle_spec.form import digest
from bundle_spec.read.parts import bundle_name, read_list
from bundle_spec.text import as_word, counted, json_text, printable
from downpour_cloud import CloudOptions
from downpour_export import cleanup
from downpour_export.cloud import connect
from downpour_export.kit import Kit, KitOptions, make_kit, this_python, usual_platform
from downpour_export.options import ExportOptions
from downpour_export.pipeline import Exported, export, look_for, plan_export
from downpour_export.plan import view
from downpour_export.resource_file.query import Query
from downpour_export.usage import PROGRAM


def options_of(arguments: Arguments) -> ExportOptions:
    """The options of an export.  Raises UsageError."""
    if arguments["--pause"] and (arguments["--encrypt-to"] or arguments["--passphrase-file"]):
        raise UsageError(
            "--pause keeps what the next run goes on from, and an encrypted export always begins "
            "again",
            remedy="leave --pause out, or encrypt the finished bundle with age",
        )
    return ExportOptions(
        resource_file=Path(arguments["RESOURCE_FILE"]),
        bundle=Path(arguments["BUNDLE"]),
        cloud=cloud_of(arguments),
        level=_level(arguments),
        jobs=_number(arguments, "--jobs", 1, 16),
        max_temporary=_number(arguments, "--max-temporary", 3, 1000),
        pause=arguments["--pause"],
        overwrite=arguments["--overwrite"],
        part_size=part_size(arguments["--split"]) if arguments["--split"] else None,
        resume=not arguments["--fresh"],
        sign=Path(arguments["--sign"]) if arguments["--sign"] else None,
        encrypt_to=tuple(dict.fromkeys(arguments["--encrypt-to"])),
        passphrase_file=(
            Path(arguments["--passphrase-file"]) if arguments["--passphrase-file"] else None
        ),
    )


def cloud_of(arguments: Arguments) -> CloudOptions:
    """Which cloud is the source."""
    return CloudOptions(
        cloud=arguments["--cloud"],
        region=arguments["--region"],
        config_file=arguments["--os-client-config"],
    )


def kit_of(arguments: Arguments, directory: Path) -> KitOptions:
    """The options of a kit in ``directory``."""
    return KitOptions(
        directory=directory,
        pythons=tuple(dict.fromkeys(arguments["--python"])) or (this_python(),),
        platform=arguments["--platform"] or usual_platform(),
    )


def _level(arguments: Arguments) -> int:
    if arguments["--level"] == "fast":
        return 1
    return _number(arguments, "--level", 1, 19, otherwise="fast or ")


def _number(
    arguments: Arguments, option: str, least: int, most: int, *, otherwise: str = ""
) -> int:
    """``otherwise``: what else the option takes, for the message."""
    text = arguments[option]
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        takes = f"{otherwise}a number from {least} to {most}"
        raise UsageError(f"{option} takes {takes}, not {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command: the exit code."""
    actions = {
        "export": _export,
        "query": _query,
        "plan": _plan,
        "cleanup": _clean_up,
        "kit": _kit,
    }
    return dispatch(PROGRAM, actions, argv, interrupted="run the same command again to go on")


def _export(arguments: Arguments, progress: TerminalProgress) -> None:
    options = options_of(arguments)
    if arguments["--with-kit"]:
        # First, because it fails at once if pip cannot reach its index.
        beside = options.bundle.parent / "downpour-kit"
        _tell_kit(make_kit(kit_of(arguments, beside), progress))
    _tell(export(options, progress, connect), options, progress)


def _kit(arguments: Arguments, progress: TerminalProgress) -> None:
    _tell_kit(make_kit(kit_of(arguments, Path(arguments["DIR"])), progress))


def query_of(arguments: Arguments) -> Query:
    """What to look for.  Raises UsageError."""

    def several(option: str) -> tuple[str, ...]:
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


def _query(arguments: Arguments, progress: TerminalProgress) -> None:
    wanted = query_of(arguments)
    asked = look_for(
        wanted,
        Path(arguments["RESOURCE_FILE"]),
        cloud_of(arguments),
        save_state=not arguments["--no-save-state"],
        progress=progress,
        connect=connect,
    )
    for match in asked.added:
        record = match.record
        shown = as_word(record.id)
        if record.id != record.name:
            shown = f"{as_word(record.name)} ({shown})"
        tell(f"added {record.type.replace('_', ' ')} {shown}")
    if asked.there:
        tell(f"{asked.there} {'was' if asked.there == 1 else 'were'} there already")
    if asked.left is not None:
        tell("\n".join(view.left_behind_lines(asked.left)))


def _plan(arguments: Arguments, progress: TerminalProgress) -> None:
    limit = _number(arguments, "--max-temporary", 3, 1000)
    plan, room = plan_export(
        Path(arguments["RESOURCE_FILE"]), cloud_of(arguments), progress, connect
    )
    if arguments["--json"]:
        tell_as_it_is(json_text(view.as_json(plan, room)))
    else:
        tell(view.as_text(plan, room, limit))


def _clean_up(arguments: Arguments, progress: TerminalProgress) -> None:
    cloud = connect(cloud_of(arguments), progress.say)
    also_live: bool = arguments["--also-live"]
    found = cleanup.find(cloud, also_live=also_live)
    _tell_leftovers(found)
    if found.dead:
        question = "No export that still runs needs these things.  Clean up?"
        if also_live:
            question = "An export that still runs needs these things.  Clean up?"
        if not arguments["--yes"]:
            if not agreed(question):
                tell("nothing was done")
                return
            # Meanwhile an export may have gone on with what it had left.
            listed = found.dead
            found = cleanup.find(cloud, also_live=also_live)
            found = replace(found, dead=found.dead.that(listed.has))
        cleanup.clean_up(cloud, found.dead, progress)
    found.refuse_live()


def _tell_leftovers(found: cleanup.Found) -> None:
    for server in found.dead.servers:
        tell(f"start   server    {as_word(server.id)}  {as_word(server.name)}")
    for item in found.dead.objects:
        what = f"{item.kind:8}  {as_word(item.id)}  {as_word(item.name)}"
        tell(f"delete  {what}  of {printable(item.created)} UTC")
    if not found.dead:
        other = "else " if found.live else ""
        tell(f"nothing {other}of downpour is left at the source")


def _tell_kit(kit: Kit) -> None:
    state = "is there, whole and for the same" if not kit.made else "written"
    wheels = f"{counted(kit.wheels, 'wheel')}, {human_bytes(kit.size)}"
    tell(
        f"{printable(str(kit.directory))}: a kit of {wheels}; {state}\n"
        f"SHA256SUMS sha256 {digest.grouped(kit.sums_sha256)}"
    )


def _tell(exported: Exported, options: ExportOptions, progress: TerminalProgress) -> None:
    bundle = exported.bundle
    manifest = bundle.manifest
    for line in view.omission_lines(manifest.omissions):
        progress.say(f"not carried: {line}")
    resources = counted(sum(1 for _ in manifest.resources), "resource")
    raw = sum(disk.size for disk in manifest.disks)
    parts = ""
    if options.part_size:
        parts = f", {counted(len(read_list(bundle_name(bundle.path))), 'part')}"
    tell(
        f"{printable(str(bundle.path))}: {resources}, {counted(len(manifest.disks), 'disk')}, "
        f"{human_bytes(raw)} in {human_bytes(bundle.size)}{parts}\n"
        f"manifest sha256 {digest.grouped(bundle.manifest_sha256)}"
    )
    if options.sign:
        tell(f"signed with {printable(str(options.sign))}")
    if exported.key:
        key = printable(str(exported.key))
        tell(f"{key}: the key that decrypts it, once the passphrase has opened it")
