"""``python -m bundle_spec``: the format by itself, without either half of downpour."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bundle_spec.cli import commands
from bundle_spec.cli.console import TerminalProgress, run
from bundle_spec.form import codec
from bundle_spec.form.json_schema import manifest_schema
from bundle_spec.progress import Progress
from bundle_spec.trust.provenance import Trust


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code of the error tree."""
    options = _parser().parse_args(argv)
    progress = TerminalProgress(options.quiet)
    return run(
        lambda: options.run(options, progress),
        progress,
        interrupted="nothing was changed; run the same command again",
    )


def _parser() -> argparse.ArgumentParser:
    """Every command is a function of the options and the progress, named by ``run``."""
    parser = argparse.ArgumentParser(
        prog="python -m bundle_spec",
        description="The bundle format by itself, without either half of downpour.",
    )
    parser.set_defaults(quiet=False)
    sub = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    verify = sub.add_parser("verify", help="check every byte and tell every fault")
    _add_bundle(verify)
    depth = verify.add_mutually_exclusive_group()
    depth.add_argument(
        "--read-data", action="store_true", help="also decompress every disk and check its digest"
    )
    depth.add_argument(
        "--quick", action="store_true", help="check all but the bytes of the disks: no verification"
    )
    verify.add_argument("--json", action="store_true", help="print the result for programs")
    verify.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors")
    verify.set_defaults(run=_verify)

    show = sub.add_parser("show", help="say what a bundle holds, without checking it")
    _add_bundle(show)
    show.add_argument("--json", action="store_true", help="print the result for programs")
    show.set_defaults(run=_show)

    sign = sub.add_parser("sign", help="sign a finished bundle in its place, by ssh-keygen")
    sign.add_argument("bundle", type=Path, metavar="BUNDLE")
    sign.add_argument(
        "key", type=Path, metavar="KEYFILE", help="a private SSH key, or a public one of ssh-agent"
    )
    sign.add_argument("--overwrite", action="store_true", help="replace the signature it has")
    sign.set_defaults(run=_sign)

    split = sub.add_parser("split", help="cut a bundle into parts that fit on several media")
    split.add_argument("bundle", type=Path, metavar="BUNDLE")
    split.add_argument("size", metavar="SIZE", help="of a part: 4G is 4,000,000,000 bytes")
    split.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="where the parts go")
    split.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors")
    split.set_defaults(run=_split)

    schema = sub.add_parser("schema", help="print the JSON schema of a manifest")
    schema.set_defaults(run=_schema)
    return parser


def _add_bundle(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "bundle", type=Path, metavar="BUNDLE", help="the bundle, one of its parts, or their list"
    )
    command.add_argument(
        "--parts",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="where else parts of a split bundle lie; may be given several times",
    )
    command.add_argument(
        "--expect-digest", metavar="HEX", help="refuse a bundle with another manifest sha256"
    )
    command.add_argument(
        "--allowed-signers", metavar="FILE", help="whose signature is accepted: ssh-keygen(1)"
    )
    command.add_argument("--revoked-signers", metavar="FILE", help="keys that are not")
    command.add_argument(
        "--require-signature", action="store_true", help="refuse a bundle that is not signed, too"
    )


def _verify(options: argparse.Namespace, progress: Progress) -> None:
    commands.verify(
        commands.VerifyOptions(
            path=options.bundle,
            folders=tuple(options.parts),
            level=commands.level_of(read_data=options.read_data, quick=options.quick),
            json=options.json,
            trust=_trust(options),
        ),
        progress,
    )


def _trust(options: argparse.Namespace) -> Trust:
    return commands.trust_of(
        expect=options.expect_digest,
        allowed=options.allowed_signers,
        revoked=options.revoked_signers,
        required=options.require_signature,
    )


def _show(options: argparse.Namespace, progress: Progress) -> None:
    commands.show(
        commands.ShowOptions(
            path=options.bundle,
            folders=tuple(options.parts),
            json=options.json,
            trust=_trust(options),
        )
    )


def _sign(options: argparse.Namespace, progress: Progress) -> None:
    commands.sign(
        commands.SignOptions(path=options.bundle, key=options.key, overwrite=options.overwrite)
    )


def _split(options: argparse.Namespace, progress: Progress) -> None:
    size = commands.part_size(options.size)
    commands.split(
        commands.SplitOptions(path=options.bundle, size=size, folder=options.folder), progress
    )


def _schema(options: argparse.Namespace, progress: Progress) -> None:
    print(codec.dumps(manifest_schema()).decode(), end="")


if __name__ == "__main__":
    sys.exit(main())
