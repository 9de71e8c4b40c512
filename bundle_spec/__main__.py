"""``python -m bundle_spec``: the format by itself, without either half of downpour."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bundle_spec import codec
from bundle_spec.errors import INTERRUPTED_EXIT_CODE, DownpourError
from bundle_spec.json_schema import manifest_schema
from bundle_spec.verify import verify_bundle


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code of the error tree."""
    parser = argparse.ArgumentParser(prog="python -m bundle_spec", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    verify = commands.add_parser("verify", help="check every byte and tell every fault")
    verify.add_argument("bundle", type=Path, metavar="BUNDLE")
    verify.add_argument(
        "--read-data", action="store_true", help="also decompress every disk and check its digest"
    )
    commands.add_parser("schema", help="print the JSON schema of a manifest")
    options = parser.parse_args(argv)
    if options.command == "schema":
        print(codec.dumps(manifest_schema()).decode(), end="")
        return 0
    try:
        verified = verify_bundle(options.bundle, read_data=options.read_data)
    except DownpourError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    # As sha256sum prints it: the digest of the manifest stands for the whole bundle.
    print(f"{verified.manifest_sha256}  {options.bundle}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
